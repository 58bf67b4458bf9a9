"""The explorer of the API: our own files under the strict policy, from the key to the answer."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from e2e.windows import Windows
from supervisor.stack import Stack

CREATE = "#operations-Orders-create_order"
#: What the form shows until somebody types a key; it is not sent.
A_KEY = "a-key-of-your-own"


def authorise(page: Page, key: str) -> None:
    """Give the explorer a key, as a reader does."""
    page.locator(".auth-wrapper .authorize").click()
    form = page.locator(".auth-container").first
    form.locator("input").fill(key)
    form.locator("button.authorize").click()
    page.locator(".btn-done").first.click()


@pytest.mark.requirement("S2-110")
def test_a_request_is_made_from_the_explorer_with_a_test_key(
    windows: Windows, stack: Stack
) -> None:
    """Anything that the content policy refuses would be a complaint, which fails the test."""
    page = windows.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/docs/api")
    authorise(page, stack.demo["api_keys"]["secret"])
    page.locator("#operations-tag-Orders").click()
    page.locator(f"{CREATE} .opblock-summary-control").click()
    key = page.locator(f"{CREATE} [data-param-name='Idempotency-Key'] input")
    assert key.input_value() == A_KEY
    page.locator(f"{CREATE} .execute").click()
    expect(page.locator(f"{CREATE} .request-url").first).to_be_visible()
    assert A_KEY not in page.locator(f"{CREATE} .curl-command").inner_text()
    answer = page.locator(f"{CREATE} .live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("201")
    expect(answer).to_contain_text('"object": "order"')
    origin = urlsplit(stack.url).netloc
    assert {urlsplit(url).netloc for url in asked if not url.startswith("data:")} == {origin}


def test_without_a_key_the_explorer_is_told_to_send_one(windows: Windows) -> None:
    page = windows.page()
    page.goto("/docs/api")
    page.locator("#operations-tag-Orders").click()
    page.locator("#operations-Orders-list_orders .opblock-summary-control").click()
    page.locator("#operations-Orders-list_orders .execute").click()
    answer = page.locator("#operations-Orders-list_orders .live-responses-table")
    expect(answer).to_contain_text("credentials_missing")
