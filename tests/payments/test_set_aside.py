"""Money that comes late, twice, or as another amount: it pays what is open, or is set aside."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text

from tests.builders import (
    Link,
    a_checkout,
    a_merchant,
    a_method,
    a_person,
    answered,
    card_tried,
    declined,
    end_links,
    held,
    inr,
    money_in_wallet,
    needs_action,
    now_at,
    succeeded,
    wallet_tried,
)
from tests.stories import (
    attempts,
    operations,
    order_now,
    payment_is_whole,
    postings,
    scalar,
)
from webapp import ledger, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.payments import Status

PRICE = inr(1_000_00)


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


@pytest.mark.parametrize("end", ["expired", "cancelled", "failed"])
def test_money_that_comes_late_pays_an_order_that_is_still_open(shop: str, end: str) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"))
    lose(payment_id, link, method, end)
    assert now_at(payment_id).status == end
    answered(payment_id, succeeded(PRICE, method), succeeded(PRICE), succeeded(PRICE, method))
    assert now_at(payment_id).status == Status.CAPTURED
    assert order_now(link.ref.order_id) == ("completed", 2)
    assert postings(payment_id) == 1
    assert anomalies(payment_id) == []
    if end != "expired":
        payment_is_whole(payment_id)


def lose(payment_id: str, link: Link, method: str, end: str) -> None:
    """Bring a payment to one of its ends without money."""
    match end:
        case "cancelled":
            answered(payment_id, Outcome(Result.CANCELLED))
        case "failed":
            answered(payment_id, declined(method))
            end_links(link)
        case _:
            put_back_to_created(payment_id)
            end_links(link)


def put_back_to_created(payment_id: str) -> None:
    """Put a payment where nobody had tried yet, which no verb does and only a test may."""
    with db.transaction(db.OWNER) as session:
        session.execute(text("ALTER TABLE payment DISABLE TRIGGER USER"))
        statement = "UPDATE payment SET status = 'created' WHERE id = :id"
        session.execute(text(statement), {"id": payment_id})
        session.execute(text("ALTER TABLE payment ENABLE TRIGGER USER"))


def test_money_for_a_cancelled_order_is_set_aside_once(shop: str) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, declined(method))
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=Actor("user", "usr_x"))
    answered(payment_id, succeeded(PRICE, method), succeeded(PRICE), succeeded(PRICE, method))
    assert now_at(payment_id).status == Status.CANCELLED
    assert anomalies(payment_id) == ["late_success"]
    assert (postings(payment_id), postings(payment_id, "suspense")) == (0, 1)
    assert order_now(link.ref.order_id) == ("cancelled", 2)
    payment_is_whole(payment_id)


def test_a_second_payment_of_a_paid_order_is_set_aside_once(shop: str) -> None:
    link, first = a_checkout(shop, PRICE), a_method()
    lost = card_tried(link, first)
    answered(lost, Outcome(Result.CANCELLED))
    second = card_tried(link)
    answered(second, succeeded(PRICE))
    answered(lost, succeeded(PRICE, first), succeeded(PRICE), succeeded(PRICE, first))
    assert now_at(second).status == Status.CAPTURED
    assert now_at(lost).status == Status.CANCELLED
    assert anomalies(lost) == ["double_payment"]
    assert suspense() == PRICE
    assert order_now(link.ref.order_id) == ("completed", 2)
    for payment_id in (lost, second):
        payment_is_whole(payment_id)


@pytest.mark.parametrize("other", ["waiting", "asked", "challenged"])
def test_late_money_pays_and_the_other_payment_of_the_order_ends(shop: str, other: str) -> None:
    link, first, method = a_checkout(shop, PRICE), a_method(), a_method()
    lost = card_tried(link, first)
    answered(lost, Outcome(Result.CANCELLED))
    second = card_tried(link, method)
    answered(second, Outcome(Result.CREATED, intent_id=f"pi_{second}"))
    if other == "waiting":
        answered(second, declined(method))
    if other == "challenged":
        answered(second, needs_action(method))
    answered(lost, succeeded(PRICE, first))
    assert now_at(lost).status == Status.CAPTURED
    assert order_now(link.ref.order_id) == ("completed", 2)
    if other == "challenged":
        assert operations(second)[-1] == "cancel"
    if other != "waiting":
        answered(second, declined(method))
        assert now_at(second).status == Status.FAILED
    assert now_at(second).status in payments.LOST, "nothing waits for ever"
    for payment_id in (lost, second):
        payment_is_whole(payment_id)


@pytest.mark.parametrize(
    ("received", "kind"),
    [
        (inr(1), "underpaid"),
        (inr(999_99), "underpaid"),
        (Money(1_000_00, "USD"), "amount_mismatch"),
    ],
)
@pytest.mark.parametrize("state", ["processing", "requires_action", "authorised"])
def test_less_or_other_money_than_asked_is_set_aside(
    shop: str, received: Money, kind: str, state: str
) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = brought_to(state, link, method)
    wrong = succeeded(received, method)
    answered(payment_id, wrong, wrong)
    assert now_at(payment_id).status == Status.FAILED
    assert anomalies(payment_id) == [kind]
    assert (postings(payment_id), postings(payment_id, "suspense")) == (0, 1)
    assert order_now(link.ref.order_id) == ("pending", 1)
    assert attempts(payment_id) == ["succeeded" if state == "authorised" else "abandoned"]
    payment_is_whole(payment_id)


@pytest.mark.parametrize("state", ["processing", "requires_action", "authorised"])
def test_more_money_than_asked_pays_the_order_and_the_surplus_is_set_aside(
    shop: str, state: str
) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = brought_to(state, link, method)
    more = succeeded(PRICE + inr(12_34), method)
    answered(payment_id, more, more)
    payment = now_at(payment_id)
    assert (payment.status, payment.captured) == (Status.CAPTURED, PRICE)
    assert anomalies(payment_id) == ["overpaid"]
    assert (postings(payment_id), postings(payment_id, "suspense")) == (1, 1)
    assert suspense() == inr(12_34)
    assert order_now(link.ref.order_id) == ("completed", 2)
    payment_is_whole(payment_id)


def brought_to(state: str, link: Link, method: str) -> str:
    """Begin to pay and bring the payment to a state in which it is under way."""
    payment_id = card_tried(link, method)
    if state == "requires_action":
        answered(payment_id, needs_action(method))
    if state == "authorised":
        answered(payment_id, held(PRICE, method))
    return payment_id


def test_money_from_the_provider_for_what_a_wallet_paid_is_set_aside(shop: str) -> None:
    person = a_person()
    money_in_wallet(person, PRICE)
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, declined(method))
    assert wallet_tried(link, person) == payment_id
    answered(payment_id, succeeded(PRICE, method), succeeded(PRICE, method))
    assert now_at(payment_id).method_kind == "wallet"
    assert (postings(payment_id), postings(payment_id, "suspense")) == (1, 1)
    assert anomalies(payment_id) == ["double_payment"]
    payment_is_whole(payment_id)


def test_money_of_a_second_intent_that_names_a_paid_payment_is_set_aside_once(shop: str) -> None:
    payment_id = card_tried(a_checkout(shop, PRICE))
    first = succeeded(PRICE, intent=f"pi_{payment_id}")
    second = replace(first, intent_id=f"pi_second_{payment_id}", charge_id="ch_2")
    answered(payment_id, first, first)
    assert anomalies(payment_id) == []
    answered(payment_id, second, first, second)
    assert now_at(payment_id).status == Status.CAPTURED
    assert anomalies(payment_id) == ["double_payment"]
    assert (postings(payment_id), postings(payment_id, "suspense")) == (1, 1)
    assert suspense() == PRICE
    payment_is_whole(payment_id)


def test_the_charge_that_was_taken_is_not_taken_for_a_second_one(shop: str) -> None:
    payment_id = card_tried(a_checkout(shop, PRICE))
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"))
    taken = succeeded(PRICE, intent=f"pi_other_{payment_id}")
    answered(payment_id, taken, taken)
    assert now_at(payment_id).status == Status.CAPTURED
    assert anomalies(payment_id) == []


def anomalies(payment_id: str) -> list[str]:
    """Return which kinds of money that does not fit were noted about a payment."""
    joined = scalar(
        "SELECT string_agg(kind, ',' ORDER BY id) FROM anomaly WHERE payment_id = :id",
        id=payment_id,
    )
    return joined.split(",") if joined else []


def suspense() -> Money:
    """Return what waits in suspense."""
    with db.scoped(db.WORKER):
        return ledger.balance(ledger.suspense(livemode=False, currency="INR"))
