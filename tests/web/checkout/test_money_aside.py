"""A shopper whose money came and fits no order reads so, not that nothing was charged."""

from __future__ import annotations

import datetime as dt

from tests.builders import (
    Link,
    a_checkout,
    a_merchant,
    a_method,
    answered,
    card_tried,
    declined,
    inr,
    succeeded,
)
from tests.checked_client import CheckedClient
from tests.stories import behind
from tests.web.checkout.desk import PRICE, at, press_pay, text_of
from webapp import payments, refunds
from webapp.gateway import Outcome, Result
from webapp.kernel import clock, db
from webapp.kernel.money import Money
from webapp.outbox import SYSTEM

NOTHING = ("nothing was charged", "No money has moved", "No money has left your account")


def said(client: CheckedClient, link: Link) -> str:
    """Return what the page says, and check that its live part says the same of the money."""
    page = client.page(at(link)).text
    live = client.get(at(link, "status"), headers={"X-Fragment": "1"}).get_data(as_text=True)
    assert "does not fit this order" in page
    assert "does not fit this order" in live
    assert "data-live-done" not in live
    assert not [words for words in NOTHING if words in page or words in live]
    return page


def anomaly_of(payment_id: str) -> str:
    with db.scoped(behind()):
        return payments.anomalies_of_payment(payment_id)[-1].id


def test_money_that_came_after_the_order_was_cancelled(client: CheckedClient) -> None:
    link, method = a_checkout(a_merchant(), PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, declined(method))
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=SYSTEM)
    assert "nothing was charged" in client.page(at(link)).text
    answered(payment_id, succeeded(PRICE, method))
    page = said(client, link)
    assert "₹1,000.00 came" in page
    assert "after the order could no longer be paid" in page
    assert "It is kept apart until" in page
    with db.scoped(behind()):
        refunds.refund_set_aside(anomaly_of(payment_id), by=SYSTEM)
    assert "It is on its way back to you." in said(client, link)


def test_money_of_another_amount_while_the_order_can_still_be_paid(client: CheckedClient) -> None:
    link, method = a_checkout(a_merchant(), PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, Outcome(Result.CREATED, intent_id="pi_1"), succeeded(inr(900_00), method))
    assert "It is less than the order asks for." in said(client, link)
    refused = press_pay(client, link, method="nothing")
    assert not [words for words in NOTHING if words in text_of(refused)]
    later = clock.now() + dt.timedelta(hours=1)
    with clock.standing_at(later):
        page = client.page(at(link)).text
        assert "This payment link has expired" in page
        said(client, link)


def test_money_in_another_currency(client: CheckedClient) -> None:
    link, method = a_checkout(a_merchant(), PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, succeeded(Money(1_000_00, "USD"), method))
    assert "in another currency than the order asks for" in said(client, link)


def test_money_that_came_twice(client: CheckedClient) -> None:
    link, first = a_checkout(a_merchant(), PRICE), a_method()
    lost = card_tried(link, first)
    answered(lost, Outcome(Result.CANCELLED))
    answered(card_tried(link), succeeded(PRICE))
    assert "data-live-done" in client.get(at(link)).get_data(as_text=True)
    answered(lost, succeeded(PRICE, first))
    page = said(client, link)
    assert "Paid" in page
    assert "so it came twice" in page
