"""Scripts switched off: every page still works, and cards are paid on the provider's own page."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import expect

from e2e.pages.account import AccountMenu, RegisterPage
from e2e.pages.checkout import CHALLENGED, DECLINED, GOOD, ChallengePage, CheckoutPage, HostedPage
from e2e.pages.merchant import NewOrderPage
from e2e.pages.shopper import InboxPage, MailboxPage, WalletPage
from e2e.provider import Provider
from e2e.windows import Opened, Windows

PRICE_MINOR = 1_000_00
TOP_UP_MINOR = 1_200_00
PASSWORD = "Slow-River-77-Marigold"


def without_scripts(windows: Windows, role: str | None = None) -> Opened:
    """A browser that runs no script at all."""
    return windows.context(role, java_script_enabled=False)


def go_to_the_provider(checkout: CheckoutPage) -> HostedPage:
    """Press Pay; the provider's page opens by itself, or by the button of the waiting page."""
    page = checkout.page
    page.get_by_role("radio", name="Card").check()
    checkout.pay_button.click()
    card = page.get_by_label("Card number")
    onward = page.get_by_role("link", name="Continue", exact=True)
    expect(card.or_(onward).first).to_be_visible()
    if onward.is_visible():
        onward.click()
    return HostedPage(page)


def test_a_card_is_declined_and_then_paid_on_the_providers_page(
    windows: Windows, provider: Provider
) -> None:
    checkout = CheckoutPage(without_scripts(windows).page()).open_demo()
    address = checkout.page.url
    number = checkout.order_number()
    checkout.page.get_by_label("E-mail for the receipt").fill("no.script@guests.example")
    hosted = go_to_the_provider(checkout)
    assert hosted.page.url.startswith(provider.origin)
    hosted.pay(DECLINED)
    expect(hosted.page.get_by_role("alert")).to_contain_text("No money moved.")
    hosted.pay(GOOD)
    checkout.expect_paid()
    assert checkout.page.url.startswith(address)
    provider.assert_one_charge(checkout.payment_id(), PRICE_MINOR)
    checkout.open_receipt(number)
    MailboxPage(checkout.page).open_mail("no.script@guests.example", f"Order #{number}")


def test_the_banks_check_is_passed_and_a_shopper_can_turn_back_before_it(
    windows: Windows, provider: Provider
) -> None:
    checkout = CheckoutPage(without_scripts(windows).page()).open_demo()
    hosted = go_to_the_provider(checkout)
    hosted.page.get_by_role("link", name="Back to the shop without paying").click()
    checkout.expect_stage("action")
    checkout.page.get_by_role("button", name="Cancel and choose another way").click()
    checkout.expect_stage("pay")
    go_to_the_provider(checkout).pay(CHALLENGED)
    ChallengePage(checkout.page).answer("Complete")
    checkout.expect_paid()
    provider.assert_one_charge(checkout.payment_id(), PRICE_MINOR)


def test_a_wallet_is_topped_up_and_pays(windows: Windows) -> None:
    shopper = without_scripts(windows, "shopper").page()
    wallet = WalletPage(shopper).open()
    before = wallet.balance_minor("INR")
    go_to_the_provider(wallet.begin_top_up("1,200.00")).pay(GOOD)
    CheckoutPage(shopper).expect_stage("paid")
    assert wallet.open().balance_minor("INR") == before + TOP_UP_MINOR
    checkout = CheckoutPage(shopper).open_demo()
    number = checkout.order_number()
    checkout.pay_from_wallet()
    checkout.expect_paid()
    assert wallet.open().balance_minor("INR") == before + TOP_UP_MINOR - PRICE_MINOR
    sentence = f"Your payment of ₹1,000 for Order #{number} is successful."
    expect(InboxPage(shopper).open().message(sentence)).to_be_visible()


@pytest.mark.requirement("S4-14")
def test_a_seller_signs_up_makes_an_order_and_signs_out(windows: Windows) -> None:
    page = without_scripts(windows).page()
    email = f"seller.{secrets.token_hex(4)}@guests.example"
    RegisterPage(page).ready("Meera Nair", email, PASSWORD, shop="Paper & Thread")
    order = NewOrderPage(page).create("12.50", description="Notebook", email="")
    guest = CheckoutPage(without_scripts(windows).page())
    guest.page.goto(order.link)
    guest.expect_stage("pay")
    expect(guest.page.get_by_text("Paper & Thread")).to_be_visible()
    AccountMenu(page).sign_out()
    page.goto("/merchant")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
