"""API keys: made, copied by keyboard, rolled with an overlap, revoked; with and without scripts."""

from __future__ import annotations

import re
import secrets

from playwright.sync_api import expect

from e2e.keyboard import Keyboard
from e2e.pages.developers import KeysPage
from e2e.windows import Windows


def test_a_key_is_made_copied_by_keyboard_rolled_and_revoked(windows: Windows) -> None:
    name = f"Till {secrets.token_hex(4)}"
    opened = windows.context("merchant")
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened.page()
    shown = KeysPage(page).open().create(name)
    first = shown.token
    shown.copy_button.focus()
    Keyboard(page).press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == first
    page.get_by_role("link", name="I have copied it").click()
    row = KeysPage(page).row(name)
    expect(row).to_contain_text(f"sk_test_…{first[-4:]}")
    expect(row).to_contain_text("by you")
    expect(page.locator("main")).not_to_contain_text(first)
    second = KeysPage(page).open_key(name).roll("In 24 hours").token
    assert second != first
    expect(page.locator("main")).to_contain_text(f"sk_test_…{first[-4:]} works until")
    page.get_by_role("link", name=f"sk_test_…{first[-4:]}").click()
    expect(page.locator("main")).to_contain_text("Replaced, ends soon")
    page.get_by_role("link", name=re.compile(re.escape(f"sk_test_…{second[-4:]}"))).click()
    page.locator("summary", has_text="Revoke").click()
    page.get_by_role("button", name="Revoke for good").click()
    expect(page.get_by_text(f"sk_test_…{second[-4:]} was revoked.")).to_be_visible()
    expect(page.locator(".pill")).to_have_text("Revoked")


def test_a_restricted_key_is_made_and_revoked_without_scripts(windows: Windows) -> None:
    name = f"Reports {secrets.token_hex(4)}"
    page = windows.context("merchant", java_script_enabled=False).page()
    keys = KeysPage(page).open()
    shown = keys.create_restricted(name, Orders="Read", Refunds="Read and write")
    token = shown.token
    page.get_by_role("link", name="I have copied it").click()
    expect(keys.row(name)).to_contain_text("2 permissions")
    key = keys.open_key(name)
    expect(page.locator("main")).to_contain_text("Orders: read")
    expect(page.locator("main")).to_contain_text("Refunds: read and write")
    key.revoke()
    expect(page.get_by_text(f"sk_test_…{token[-4:]} was revoked.")).to_be_visible()
