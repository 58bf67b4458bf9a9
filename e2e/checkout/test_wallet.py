"""Paying from a wallet that was filled by card."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.pages.checkout import GOOD, CheckoutPage
from e2e.pages.shopper import ShopperHome, WalletPage
from e2e.windows import Windows

TOP_UP_MINOR = 1_500_00
PRICE_MINOR = 1_000_00


@pytest.mark.requirement("S3-02", "S3-07", "S3-11", "S4-32e")
def test_a_wallet_is_topped_up_by_card_and_pays_an_order_at_once(windows: Windows) -> None:
    shopper = windows.context("shopper")
    wallet = WalletPage(shopper.page()).open()
    before = wallet.balance_minor("INR")
    top_up = wallet.begin_top_up("1,500.00")
    top_up.pay_by_card(GOOD)
    top_up.expect_stage("paid")
    expect(top_up.page.get_by_role("heading", name="₹1,500 is in your wallet")).to_be_visible()
    assert wallet.open().balance_minor("INR") == before + TOP_UP_MINOR

    home = ShopperHome(shopper.page()).open()
    checkout = CheckoutPage(shopper.page()).open_demo()
    number = checkout.order_number()
    checkout.pay_from_wallet()
    checkout.expect_paid()
    sentence = f"Your payment of ₹1,000 for Order #{number} is successful."
    expect(home.messages).to_contain_text(sentence)
    assert wallet.open().balance_minor("INR") == before + TOP_UP_MINOR - PRICE_MINOR
    expect(wallet.page.get_by_text(f"₹1,000 paid for Order #{number}")).to_be_visible()


@pytest.mark.requirement("S3-06", "S4-32f")
def test_a_wallet_with_too_little_in_it_cannot_be_chosen_and_says_why(windows: Windows) -> None:
    shopper = windows.context("shopper")
    wallet = WalletPage(shopper.page()).open()
    for _ in range(wallet.balance_minor("INR") // PRICE_MINOR):
        checkout = CheckoutPage(wallet.page).open_demo()
        checkout.pay_from_wallet()
        checkout.expect_paid()
    checkout = CheckoutPage(wallet.page).open_demo()
    expect(checkout.page.locator("input[value=wallet]")).to_be_disabled()
    expect(checkout.page.get_by_text("which is not enough")).to_be_visible()


def test_a_wrong_amount_is_refused_with_its_reason_and_nothing_is_ordered(
    windows: Windows,
) -> None:
    wallet = WalletPage(windows.page("shopper")).open()
    for typed in ("-5", "0", "1.005", "many"):
        wallet.page.get_by_label("Amount").fill(typed)
        wallet.page.get_by_role("button", name="Continue to pay").click()
        expect(wallet.page.get_by_text("No money has moved.")).to_be_visible()
        expect(wallet.page.get_by_label("Amount")).to_have_value(typed)
