"""A payment link: made by the merchant, opened and paid by a guest, counted on its page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from e2e.pages.checkout import GOOD, CheckoutPage
from e2e.pages.merchant import NewPaymentLinkPage
from e2e.provider import Provider
from e2e.windows import Windows

PRICE_MINOR = 500_00


def test_a_link_is_made_shared_paid_by_a_guest_and_counted(
    windows: Windows, provider: Provider
) -> None:
    desk = windows.context("merchant")
    link = NewPaymentLinkPage(desk.page()).create(
        "500.00", description="A seat at the spring tasting", max_payments="1"
    )
    expect(link.paid).to_have_text("0 of 1")
    address = link.address

    guest = CheckoutPage(windows.page())
    guest.page.goto(address)
    expect(guest.page.get_by_role("heading", level=1)).to_have_text("A seat at the spring tasting")
    guest.pay_button.click()
    expect(guest.page).to_have_url(re.compile(r"/checkout/"))
    guest.pay_by_card(GOOD)
    guest.expect_paid()

    expect(link.paid).to_have_text("1 of 1")
    expect(link.page.get_by_text("Ended").first).to_be_visible()
    provider.assert_one_charge(guest.payment_id(), PRICE_MINOR)
    guest.page.goto(address)
    expect(guest.page.get_by_text("This payment link has ended")).to_be_visible()
    expect(guest.pay_button).to_have_count(0)
