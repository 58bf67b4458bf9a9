"""Trouble in the middle of a charge: killed workers, a silent provider, an empty Valkey, haste."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.pages.checkout import CHALLENGED, GOOD, ChallengePage, CheckoutPage
from e2e.pages.merchant import NewOrderPage
from e2e.pages.shopper import MailboxPage
from e2e.provider import CONFIRM, Provider
from e2e.stores import valkey
from e2e.windows import Windows
from supervisor.stack import Stack

PRICE_MINOR = 1_000_00
RECOVERY_MS = 90_000


def test_workers_killed_in_the_middle_of_a_charge_leave_one_charge_and_a_paid_order(
    windows: Windows, provider: Provider, stack: Stack
) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    provider.fault("slow", seconds=6)
    checkout.pay_by_card(GOOD)
    checkout.expect_stage("confirming")
    for name in ("worker-1", "worker-2"):
        stack.wait_until_back(name, stack.kill(name))
    expect(checkout.stage).to_have_attribute("data-stage", "paid", timeout=RECOVERY_MS)
    provider.assert_one_charge(checkout.payment_id(), PRICE_MINOR)


def test_an_answer_lost_on_the_way_is_asked_for_again_and_charged_once(
    windows: Windows, provider: Provider
) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    provider.fault("drop_after", times=2)
    checkout.pay_by_card(GOOD)
    expect(checkout.stage).to_have_attribute("data-stage", "paid", timeout=RECOVERY_MS)
    provider.assert_one_charge(checkout.payment_id(), PRICE_MINOR)


def test_a_silent_provider_is_waited_for_and_nobody_is_told_of_a_failure(
    windows: Windows, provider: Provider
) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    checkout.fill_card(GOOD)
    provider.fault("outage", endpoint=CONFIRM, times=0)
    checkout.pay_button.click()
    checkout.expect_stage("confirming")
    expect(checkout.page.get_by_text("you cannot be charged twice")).to_be_visible()
    checkout.page.get_by_role("button", name="Check now").click()
    expect(checkout.page.get_by_text("We are asking the bank again")).to_be_visible()
    checkout.expect_stage("confirming")
    checkout.page.reload()
    checkout.expect_stage("confirming")
    expect(checkout.page.locator(".banner-danger")).to_have_count(0)
    provider.behave()
    expect(checkout.stage).to_have_attribute("data-stage", "paid", timeout=RECOVERY_MS)
    provider.assert_one_charge(checkout.payment_id(), PRICE_MINOR)


def test_a_card_that_does_not_reach_the_provider_is_not_called_mistyped(
    windows: Windows, provider: Provider
) -> None:
    window = windows.context()
    checkout = CheckoutPage(window.page()).open_demo()
    checkout.fill_card(GOOD)
    window.context.route("**/v1/payment_methods", lambda route: route.abort())
    checkout.pay_button.click()
    said = checkout.page.locator(".banner-danger")
    expect(said.get_by_role("heading")).to_have_text("Your payment was not sent")
    expect(said).to_contain_text("No money has left your account.")
    window.context.unroute("**/v1/payment_methods")
    checkout.pay_button.click()
    expect(checkout.stage).to_have_attribute("data-stage", "paid", timeout=RECOVERY_MS)
    provider.assert_one_charge(checkout.payment_id(), PRICE_MINOR)


def test_an_emptied_valkey_loses_no_payment(
    windows: Windows, provider: Provider, stack: Stack
) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    checkout.pay_by_card(CHALLENGED)
    bank = ChallengePage(checkout.page)
    bank.expect_open()
    with valkey(stack) as store:
        store.flushall()
    bank.answer("Complete")
    expect(checkout.stage).to_have_attribute("data-stage", "paid", timeout=RECOVERY_MS)
    other = CheckoutPage(windows.page()).open_demo()
    provider.fault("slow", seconds=3)
    other.pay_by_card(GOOD)
    other.expect_stage("confirming")
    with valkey(stack) as store:
        store.flushall()
    expect(other.stage).to_have_attribute("data-stage", "paid", timeout=RECOVERY_MS)
    for done in (checkout, other):
        provider.assert_one_charge(done.payment_id(), PRICE_MINOR)


def test_a_double_click_and_a_second_tab_charge_once(windows: Windows, provider: Provider) -> None:
    window = windows.context()
    first = CheckoutPage(window.page()).open_demo()
    second = CheckoutPage(window.page())
    second.page.goto(first.page.url)
    first.fill_card(GOOD)
    second.fill_card(GOOD)
    provider.fault("slow", seconds=2)
    first.pay_button.dblclick()
    second.pay_button.click()
    first.expect_paid()
    second.expect_paid()
    assert first.payment_id() == second.payment_id()
    provider.assert_one_charge(first.payment_id(), PRICE_MINOR)


@pytest.mark.requirement("S4-14")
def test_an_ended_link_offers_a_fresh_one_and_a_guests_receipt_goes_where_the_merchant_said(
    windows: Windows,
) -> None:
    desk = windows.context("merchant")
    order = NewOrderPage(desk.page()).create(
        "1,000.00", description="Darjeeling", email="fresh.link@guests.example"
    )
    ended = order.link
    order.fresh_link()
    guest = CheckoutPage(windows.page())
    guest.page.goto(ended)
    guest.expect_stage("expired")
    expect(guest.page.get_by_text("No money has moved.")).to_be_visible()
    guest.page.get_by_role("button", name="Get a fresh link").click()
    guest.expect_stage("pay")
    assert guest.order_number() == order.number
    guest.pay_by_card(GOOD)
    guest.expect_paid()
    MailboxPage(guest.page).open_mail("fresh.link@guests.example", f"Order #{order.number}")
