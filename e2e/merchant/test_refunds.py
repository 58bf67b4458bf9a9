"""Money goes back: seen live by both sides, undone, approved by another, failed with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import expect

from e2e.pages.checkout import GOOD, CheckoutPage
from e2e.pages.merchant import NewOrderPage, PaymentPage, PaymentsPage
from e2e.pages.shopper import OwnPaymentPage
from e2e.windows import Opened, Windows, assert_never_reloaded, mark

REFUND_FAILS = "4000000000005126"
#: Undoing is possible for ten seconds here; then a refund leaves at the sweeper's next look.
LEFT_MS = 90_000
#: A refund that fails does so a while after it was sent.
SETTLED_MS = 150_000


@dataclass(frozen=True)
class Sale:
    """A paid order: its payment in the merchant's window, the shopper's window, and its id."""

    payment: PaymentPage
    shopper: Opened
    payment_id: str
    number: str


def sale(windows: Windows, amount: str, *, card: str = GOOD, take_later: bool = False) -> Sale:
    """Have the demo's shopper pay an order of the demo's merchant."""
    desk, shopper = windows.context("merchant"), windows.context("shopper")
    order = NewOrderPage(desk.page()).create(
        amount, description="A tea set", email="asha.refund@guests.example", take_later=take_later
    )
    checkout = CheckoutPage(shopper.page())
    checkout.page.goto(order.link)
    checkout.pay_by_card(card)
    checkout.expect_stage("held" if take_later else "paid")
    payments = PaymentsPage(desk.page()).open()
    address = payments.address_of(order.number)
    payment = PaymentPage(desk.page()).open(address)
    return Sale(payment, shopper, address.rpartition("/")[2], order.number)


def test_a_part_goes_back_and_both_sides_see_it_live(windows: Windows) -> None:
    sold = sale(windows, "1,000.00")
    own = OwnPaymentPage(sold.shopper.page()).open(sold.payment_id)
    mark(own.page)
    panel = sold.payment.open_refund()
    expect(panel.amount).to_have_value("1000.00")
    panel.fill("1000.01")
    expect(panel.preview).to_contain_text("Only ₹1,000.00 is left")
    panel.fill("250.00")
    expect(panel.preview).to_contain_text("₹750.00 of this payment is left after it.")
    expect(panel.preview).to_contain_text("Refunds on their way")
    panel.send()
    expect(sold.payment.refunds).to_contain_text("Leaves soon")
    mark(sold.payment.page)
    expect(sold.payment.refunds).to_contain_text("With the shopper by", timeout=LEFT_MS)
    expect(sold.payment.status).to_have_text("Partly refunded")
    expect(sold.payment.money).to_contain_text("Left to refund")
    expect(own.refunds).to_contain_text("₹250.00 was refunded.", timeout=LEFT_MS)
    expect(own.refunds).to_contain_text(re.compile(r"Bank reference\s+7\d{22}"))
    assert_never_reloaded(own.page)
    assert_never_reloaded(sold.payment.page)


def test_a_refund_is_undone_before_it_leaves(windows: Windows) -> None:
    sold = sale(windows, "80.00")
    panel = sold.payment.open_refund()
    panel.fill("80.00")
    panel.send()
    expect(sold.payment.refunds).to_contain_text(re.compile(r"leaves in \d+ s"))
    sold.payment.undo()
    expect(
        sold.payment.page.get_by_text("The refund was undone. Nothing was sent.")
    ).to_be_visible()
    expect(sold.payment.refunds).to_contain_text("Called off")
    expect(sold.payment.status).to_have_text("Paid")


def test_above_the_limit_a_second_person_approves(windows: Windows) -> None:
    sold = sale(windows, "60,000.00")
    panel = sold.payment.open_refund()
    panel.fill("60,000.00")
    expect(panel.preview).to_contain_text("A second person has to approve it")
    panel.send()
    expect(sold.payment.refunds).to_contain_text("Needs approval")
    mark(sold.payment.page)
    root = windows.page("admin")
    root.goto("/admin/refunds?status=requested")
    root.get_by_role("row", name=re.compile(f"#{sold.number}\\b")).locator("a.row-link").click()
    root.get_by_role("button", name="Approve the refund of ₹60,000.00").click()
    expect(root.get_by_text("The refund is approved.")).to_be_visible()
    expect(sold.payment.refunds).to_contain_text("Leaves soon")
    expect(sold.payment.status).to_have_text("Refunded", timeout=LEFT_MS)
    assert_never_reloaded(sold.payment.page)


def test_a_part_of_held_money_is_taken_later(windows: Windows) -> None:
    sold = sale(windows, "500.00", take_later=True)
    expect(sold.payment.status).to_have_text("Authorised")
    expect(sold.payment.hold).to_contain_text("The bank holds ₹500.00 for you")
    sold.payment.take("300.00")
    expect(sold.payment.status).to_have_text("Paid")
    expect(sold.payment.money).to_contain_text("300.00")
    expect(sold.payment.money).to_contain_text("6.00")
    own = OwnPaymentPage(sold.shopper.page()).open(sold.payment_id)
    expect(own.page.get_by_text("₹300.00,")).to_be_visible()


def test_a_refund_that_the_bank_does_not_take_says_why(windows: Windows) -> None:
    sold = sale(windows, "120.00", card=REFUND_FAILS)
    panel = sold.payment.open_refund()
    panel.fill("120.00", reason="Paid twice")
    panel.send()
    mark(sold.payment.page)
    expect(sold.payment.refunds).to_contain_text("Failed: card closed", timeout=SETTLED_MS)
    expect(sold.payment.status).to_have_text("Paid")
    own = OwnPaymentPage(sold.shopper.page()).open(sold.payment_id)
    expect(own.refunds).to_contain_text("did not reach you: card closed.")
    assert_never_reloaded(sold.payment.page)


def test_without_javascript_a_refund_is_previewed_asked_for_and_undone(windows: Windows) -> None:
    sold = sale(windows, "90.00")
    page = windows.page("merchant", java_script_enabled=False)
    page.goto(f"/merchant/payments/{sold.payment_id}")
    payment = PaymentPage(page)
    panel = payment.open_refund()
    panel.fill("40.00")
    panel.look()
    expect(panel.preview).to_contain_text("₹50.00 of this payment is left after it.")
    expect(panel.amount).to_have_value("40.00")
    panel.send()
    expect(payment.refunds).to_contain_text("Leaves soon")
    payment.undo()
    expect(payment.refunds).to_contain_text("Called off")
    expect(page.get_by_text("Nothing was sent.")).to_be_visible()
