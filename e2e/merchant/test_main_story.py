"""The main job: a merchant's order is paid by a shopper, and everybody sees it live."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.pages.checkout import GOOD, CheckoutPage
from e2e.pages.merchant import HomePage, NewOrderPage, PaymentPage, PaymentsPage
from e2e.pages.shopper import InboxPage, MailboxPage, ShopperHome
from e2e.provider import Provider
from e2e.windows import Windows, assert_never_reloaded, mark

SLOW_SECONDS = 8


@pytest.mark.requirement("S3-03", "S3-05", "S3-10", "S3-12", "S4-13", "S4-14")
def test_a_shopper_pays_an_order_and_everyone_sees_it_live(
    windows: Windows, provider: Provider
) -> None:
    desk = windows.context("merchant")
    home = HomePage(desk.page()).open()
    payments = PaymentsPage(desk.page()).open()
    order = NewOrderPage(desk.page()).create(
        "1,000.00", description="Second flush Assam, 500 g", email="asha.receipt@guests.example"
    )
    before, volume = home.payments_today(), home.volume_today()
    shopper = windows.context("shopper")
    at_home = ShopperHome(shopper.page()).open()
    for page in (home.page, payments.page, order.page, at_home.page):
        mark(page)

    checkout = CheckoutPage(shopper.page())
    checkout.page.goto(order.link)
    provider.fault("slow", seconds=SLOW_SECONDS)
    checkout.pay_by_card(GOOD)
    checkout.expect_stage("confirming")
    mark(checkout.page)
    expect(payments.row(order.number)).to_be_visible()
    payment = PaymentPage(desk.page()).open(payments.address_of(order.number))
    mark(payment.page)

    checkout.expect_paid()
    expect(payments.row(order.number)).to_contain_text("Paid")
    expect(payment.status).to_have_text("Paid")
    expect(payment.story).to_contain_text("captured")
    expect(payment.money).to_contain_text("You receive")
    expect(home.tile("Payments today")).to_have_text(str(before + 1))
    expect(home.tile("Volume today")).not_to_have_text(volume)
    expect(order.page.get_by_text("Completed").first).to_be_visible()
    sentence = f"Your payment of ₹1,000 for Order #{order.number} is successful."
    expect(at_home.messages).to_contain_text(sentence)
    for page in (checkout.page, home.page, payments.page, payment.page, order.page, at_home.page):
        assert_never_reloaded(page)

    expect(InboxPage(shopper.page()).open().message(sentence)).to_be_visible()
    paid = checkout.payment_id()
    checkout.open_receipt(order.number)
    expect(checkout.page.get_by_text("₹1,000 paid for Order #")).to_be_visible()
    MailboxPage(shopper.page()).open_mail("shopper@paydeck.example", f"Order #{order.number}")
    provider.assert_one_charge(paid, 1_000_00)
