"""Paying by card: declines are explained and can be mended; the bank checks, or refuses to."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.pages.checkout import (
    CHALLENGED,
    CHALLENGED_SETUP,
    DECLINED,
    GOOD,
    NO_FUNDS,
    ChallengePage,
    CheckoutPage,
)
from e2e.pages.merchant import expect_live
from e2e.provider import Provider
from e2e.windows import Windows

PRICE_MINOR = 1_000_00


def test_a_declined_card_is_explained_and_another_card_pays_on_the_same_page(
    windows: Windows, provider: Provider
) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    address = checkout.page.url
    checkout.pay_by_card(DECLINED)
    checkout.expect_declined("Your bank declined the card without giving a reason.")
    expect(checkout.page.locator("#decline")).to_contain_text("use another card or method")
    checkout.pay_by_card(NO_FUNDS)
    checkout.expect_declined("The card does not have enough money available.")
    checkout.pay_by_card(GOOD)
    checkout.expect_paid()
    assert checkout.page.url == address
    provider.assert_one_charge(checkout.payment_id(), PRICE_MINOR)


def test_a_card_that_is_typed_wrong_is_pointed_out_field_by_field(windows: Windows) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    checkout.fill_card("4242424242424241", cvc="1")
    checkout.pay_button.click()
    summary = checkout.page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("No money has left your account.")
    expect(summary.get_by_role("link")).to_have_count(2)
    checkout.pay_by_card(GOOD)
    checkout.expect_paid()


@pytest.mark.requirement("S4-03")
@pytest.mark.parametrize("card", [CHALLENGED, CHALLENGED_SETUP])
def test_a_card_that_the_bank_wants_to_check_is_paid_after_the_check(
    windows: Windows, provider: Provider, card: str
) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    checkout.pay_by_card(card)
    ChallengePage(checkout.page).answer("Complete")
    checkout.expect_paid()
    provider.assert_one_charge(checkout.payment_id(), PRICE_MINOR)


@pytest.mark.requirement("S4-03")
def test_a_failed_check_charges_nothing_and_leaves_the_order_to_be_paid(
    windows: Windows, provider: Provider
) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    checkout.pay_by_card(CHALLENGED)
    ChallengePage(checkout.page).answer("Fail")
    checkout.expect_stage("pay")
    expect(checkout.page.locator("#decline")).to_contain_text("No money has left your account.")
    assert all(one["captured"] == 0 for one in provider.charges_of(checkout.payment_id()))
    checkout.pay_by_card(GOOD)
    checkout.expect_paid()


def test_the_shopper_can_come_back_from_the_bank_without_answering_and_go_on(
    windows: Windows,
) -> None:
    window = windows.context()
    checkout = CheckoutPage(window.page()).open_demo()
    address = checkout.page.url
    checkout.pay_by_card(CHALLENGED)
    ChallengePage(checkout.page).expect_open()
    again = CheckoutPage(window.page())
    again.page.goto(address)
    again.expect_stage("action")
    expect(again.page.get_by_role("link", name="Continue")).to_be_visible()
    again.page.get_by_role("button", name="Cancel and choose another way").click()
    again.expect_stage("pay")
    again.pay_by_card(GOOD)
    again.expect_paid()


@pytest.mark.requirement("S4-41")
def test_the_payment_shows_the_cards_brand_and_last_digits_alone(windows: Windows) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    number = checkout.order_number()
    checkout.pay_by_card("5555555555554444")
    checkout.expect_paid()
    desk = windows.page("merchant")
    desk.goto(f"/merchant/payments?q={number}")
    expect_live(desk)
    expect(desk.get_by_text("Mastercard •••• 4444").first).to_be_visible()
