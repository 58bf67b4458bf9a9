"""Webhooks: an endpoint is added, a payment is told to it, and told again; without scripts too."""

from __future__ import annotations

import secrets

from playwright.sync_api import Page, expect

from e2e.pages.checkout import GOOD, CheckoutPage
from e2e.pages.developers import HookPage
from e2e.windows import Windows

PATIENCE_MS = 20_000


def arrives(page: Page, text: str) -> None:
    """Load a page again until it says so, as who has no scripts must."""

    def says() -> bool:
        page.reload()
        return page.locator("main").get_by_text(text).first.is_visible()

    for _ in range(PATIENCE_MS // 500):
        if says():
            return
        page.wait_for_timeout(500)
    expect(page.locator("main").get_by_text(text).first).to_be_visible()


def test_a_payment_is_told_to_an_endpoint_and_told_again(windows: Windows) -> None:
    desk = windows.context("merchant").page()
    hook = HookPage(desk).add_receiver(f"Till {secrets.token_hex(4)}")
    address = desk.url
    checkout = CheckoutPage(windows.page()).open_demo()
    checkout.pay_by_card(GOOD)
    checkout.expect_paid()
    payment = checkout.payment_id()
    row = hook.delivery("payment.success", payment)
    expect(row).to_contain_text("Delivered")  # without being loaded again
    row.get_by_role("link").click()
    expect(desk.locator("main").get_by_text("Delivered").first).to_be_visible()
    expect(desk.get_by_text("webhook-signature: v1,").first).to_be_visible()
    first = desk.url
    desk.get_by_role("button", name="Send again").click()
    expect(desk.get_by_text("It is on its way again.")).to_be_visible()
    assert desk.url != first
    arrives(desk, "Delivered")
    desk.goto(f"{address}/received")
    expect(desk.get_by_text("Came before").first).to_be_visible()
    expect(desk.get_by_text("Signature wrong")).to_have_count(0)
    desk.goto(address)
    hook.remove()


def test_a_failing_receiver_is_seen_and_mended_without_scripts(windows: Windows) -> None:
    desk = windows.context("merchant", java_script_enabled=False).page()
    hook = HookPage(desk).add_receiver(f"Till {secrets.token_hex(4)}")
    address = desk.url
    desk.get_by_label("It answers").select_option("error")
    desk.get_by_role("button", name="Answer so").click()
    desk.get_by_role("button", name="Send the test").click()
    arrives(desk, "webhook delivery failed: status 500")
    delivery = desk.url
    desk.goto(address)
    desk.get_by_label("It answers").select_option("ok")
    desk.get_by_role("button", name="Answer so").click()
    desk.goto(delivery)
    arrives(desk, "Delivered")
    expect(desk.get_by_text("What differs from the try before")).to_be_visible()
    desk.goto(address)
    expect(desk.get_by_text("1 arrived (2xx)")).to_be_visible()
    hook.remove()
