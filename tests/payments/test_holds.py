"""Held money: taken whole, in part or let go, asked for once, and never both at once."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import text

from tests.builders import (
    Link,
    a_checkout,
    a_merchant,
    a_method,
    a_payment,
    a_person,
    answered,
    calls_answered,
    card_tried,
    declined,
    held,
    hosted_tried,
    inr,
    money_in_wallet,
    needs_action,
    now_at,
    succeeded,
    wallet_tried,
)
from tests.stories import (
    attempts,
    behind,
    operations,
    order_now,
    payment_is_told,
    payment_is_whole,
    postings,
    scalar,
)
from webapp import gateway, ledger, orders, payments
from webapp.gateway import Failure, Outcome, Result
from webapp.kernel import clock, db
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money
from webapp.orders import NewOrder
from webapp.outbox import Actor
from webapp.payments import Status

PRICE = inr(1_000_00)
BY = Actor("merchant_user", "usr_somebody")
BEGIN = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


def as_shop(payment_id: str) -> db.Scope:
    """Return the scope of the merchant whose payment it is."""
    return db.Scope(merchant_id=now_at(payment_id).merchant_id, livemode=False)


def captured(payment_id: str, amount: Money | None = None) -> None:
    """Ask for held money as its merchant does."""
    with db.scoped(as_shop(payment_id)):
        payments.capture(payment_id, amount=amount, by=BY)


def voided(payment_id: str, because: str = "It is sold out.") -> None:
    """Let held money go as its merchant does."""
    with db.scoped(as_shop(payment_id)):
        payments.void(payment_id, because=because, by=BY)


def holding(link: Link, *, method: str | None = None) -> str:
    """Bring a payment of a link to where the bank holds its money."""
    payment_id = card_tried(link, method)
    intent = f"pi_{payment_id}"
    answered(payment_id, Outcome(Result.CREATED, intent_id=intent), held(PRICE, method))
    calls_answered(payment_id)
    return payment_id


def calls(payment_id: str, kind: str) -> list[dict[str, object]]:
    """Return what was asked of the provider about a payment, by kind."""
    with db.transaction(behind()) as session:
        rows = session.execute(
            text(
                "SELECT request FROM provider_operation WHERE subject_id = :id AND kind = :kind"
                " ORDER BY id"
            ),
            {"id": payment_id, "kind": kind},
        )
        return [row[0] for row in rows]


def balance(ref: ledger.AccountRef) -> Money:
    """Return what is in an account."""
    with db.scoped(behind()):
        return ledger.balance(ref)


def test_an_order_to_be_taken_later_makes_an_intent_that_only_holds(shop: str) -> None:
    later, now = (a_checkout(shop, PRICE, capture_later=choice) for choice in (True, False))
    for link, wanted in ((later, True), (now, False)):
        (request,) = calls(card_tried(link), "create_intent")
        assert request["manual_capture"] is wanted
        fresh = a_checkout(shop, PRICE, capture_later=wanted)
        (page,) = calls(hosted_tried(fresh), "create_session")
        assert page["manual_capture"] is wanted


def test_held_money_closes_the_checkout_and_pays_nothing_yet(shop: str) -> None:
    link, method = a_checkout(shop, PRICE, capture_later=True), a_method()
    with clock.standing_at(BEGIN):
        payment_id = holding(link, method=method)
        answered(payment_id, held(PRICE, method), needs_action(method), declined(method))
    payment = now_at(payment_id)
    assert (payment.status, payment.authorised, payment.captured_minor) == ("authorised", PRICE, 0)
    assert payment.capture_before == BEGIN + dt.timedelta(days=6)
    assert payment.method_label == "Visa •••• 4242"
    assert attempts(payment_id) == ["succeeded"]
    assert postings(payment_id) == 0
    assert order_now(link.ref.order_id) == ("pending", 1)
    session = scalar("SELECT status FROM checkout_session WHERE id = :i", i=link.ref.session_id)
    assert session == "complete"
    with pytest.raises(payments.PaymentUnderWay):
        card_tried(link)
    with db.scoped(link.scope()), pytest.raises(payments.PaymentUnderWay):
        payments.fresh_link(link.ref.order_id)
    with db.scoped(link.scope()), pytest.raises(payments.PaymentUnderWay, match="Let it go"):
        payments.cancel_order(link.ref.order_id, by=BY)
    payment_is_whole(payment_id)


@pytest.mark.parametrize("part", [None, inr(1), inr(400_00), inr(999_99), PRICE])
def test_held_money_is_taken_once_with_its_fee_on_what_was_taken(
    shop: str, part: Money | None
) -> None:
    link = a_checkout(shop, PRICE, capture_later=True)
    payment_id = holding(link)
    taken = part or PRICE
    for _ in range(3):
        captured(payment_id, part)
    assert [call["amount_minor"] for call in calls(payment_id, "capture")] == [taken.minor]
    assert now_at(payment_id).status == Status.AUTHORISED, "the provider's answer takes it"
    answered(payment_id, *[succeeded(taken)] * 3)
    payment = now_at(payment_id)
    assert (payment.status, payment.captured, payment.authorised) == ("captured", taken, PRICE)
    assert payment.fee == taken.basis_points(200)
    assert order_now(link.ref.order_id) == ("completed", 2)
    assert (postings(payment_id), postings(payment_id, "suspense")) == (1, 0)
    assert balance(ledger.payable(shop, False, "INR")) == taken - payment.fee
    captured(payment_id, part)
    with pytest.raises(payments.CaptureUnderWay):
        captured(payment_id, inr(2))
    with pytest.raises(payments.NotHeld):
        voided(payment_id)
    payment_is_whole(payment_id)


@pytest.mark.parametrize(
    "wrong", [inr(0), inr(-1), inr(1_000_01), Money(1_000_00, "USD"), Money(1, "JPY")]
)
def test_no_more_is_taken_than_is_held_and_nothing_is_asked(shop: str, wrong: Money) -> None:
    payment_id = a_payment(Status.AUTHORISED, shop)
    with pytest.raises(payments.CaptureExceedsHeld):
        captured(payment_id, wrong)
    assert calls(payment_id, "capture") == []
    assert now_at(payment_id).capturing is None


def test_two_amounts_are_never_asked_for(shop: str) -> None:
    payment_id = a_payment(Status.AUTHORISED, shop)
    captured(payment_id, inr(400_00))
    captured(payment_id)
    with pytest.raises(payments.CaptureUnderWay):
        captured(payment_id, inr(400_01))
    assert [call["amount_minor"] for call in calls(payment_id, "capture")] == [400_00]


@pytest.mark.parametrize(
    "status",
    [Status.PROCESSING, Status.AWAITING_METHOD, Status.REQUIRES_ACTION, Status.CANCELLED],
)
def test_only_held_money_is_taken(shop: str, status: Status) -> None:
    payment_id = a_payment(status, shop)
    with pytest.raises(payments.NotHeld):
        captured(payment_id)
    assert calls(payment_id, "capture") == []


def test_a_payment_of_another_merchant_is_neither_taken_nor_let_go(shop: str) -> None:
    payment_id = a_payment(Status.AUTHORISED, shop)
    with db.scoped(db.Scope(merchant_id=a_merchant(), livemode=False)):
        with pytest.raises(payments.PaymentNotFound):
            payments.capture(payment_id, by=BY)
        with pytest.raises(payments.PaymentNotFound):
            payments.void(payment_id, because="x", by=BY)
    assert now_at(payment_id).capturing is None
    assert now_at(payment_id).void_because is None


def test_money_that_is_let_go_is_let_go_once_and_the_order_can_be_paid_again(shop: str) -> None:
    link = a_checkout(shop, PRICE, capture_later=True)
    payment_id = holding(link)
    for _ in range(3):
        voided(payment_id)
    assert operations(payment_id).count("cancel") == 1
    with pytest.raises(payments.VoidUnderWay):
        captured(payment_id)
    answered(payment_id, *[Outcome(Result.CANCELLED)] * 2)
    assert now_at(payment_id).status == Status.CANCELLED
    voided(payment_id)
    said = "SELECT because FROM move WHERE subject_id = :i AND target = 'cancelled'"
    assert scalar(said, i=payment_id) == "It is sold out."
    assert postings(payment_id) == 0
    with db.scoped(link.scope()):
        assert payments.fresh_link(link.ref.order_id).order_id == link.ref.order_id
    payment_is_whole(payment_id)


def test_what_is_being_taken_is_not_let_go(shop: str) -> None:
    payment_id = a_payment(Status.AUTHORISED, shop)
    captured(payment_id)
    with pytest.raises(payments.CaptureUnderWay):
        voided(payment_id)
    assert calls(payment_id, "cancel") == []


@pytest.mark.parametrize("verb", [captured, voided])
def test_after_a_definite_no_either_can_be_asked_for_again(shop: str, verb: object) -> None:
    payment_id = a_payment(Status.AUTHORISED, shop)
    assert callable(verb)
    verb(payment_id)
    refused(payment_id)
    assert now_at(payment_id).status == Status.AUTHORISED
    assert (now_at(payment_id).capturing, now_at(payment_id).void_because) == (None, None)
    captured(payment_id, inr(5_00))
    answered(payment_id, succeeded(inr(5_00)))
    assert now_at(payment_id).captured == inr(5_00)


def refused(payment_id: str) -> None:
    """Have the provider refuse what it was asked last."""
    with db.scoped(behind()):
        (operation,) = gateway.operations_of(payment_id)[-1:]
        payments.apply(payment_id, Failure("provider_says_no"), purpose=operation.purpose)
    with db.transaction(behind()) as session:
        for step in (
            "state = 'in_flight', lease_until = clock_now()",
            "state = 'failed', lease_until = NULL, due_at = NULL, closed_at = clock_now()",
        ):
            session.execute(
                text(f"UPDATE provider_operation SET {step} WHERE id = :id"), {"id": operation.id}
            )


def test_held_money_that_nobody_takes_is_let_go_a_day_before_the_bank_does(shop: str) -> None:
    with clock.standing_at(BEGIN):
        payment_id = holding(a_checkout(shop, PRICE, capture_later=True))
    for hours in range(1, 6 * 24):
        with clock.standing_at(BEGIN + dt.timedelta(hours=hours)), db.scoped(behind()):
            assert payments.look_again() == 1
        calls_answered(payment_id)
        assert operations(payment_id)[-1] == "look_up"
    with clock.standing_at(BEGIN + dt.timedelta(days=6)), db.scoped(behind()):
        payments.look_again()
    assert operations(payment_id)[-1] == "cancel"
    answered(payment_id, Outcome(Result.CANCELLED))
    assert now_at(payment_id).status == Status.CANCELLED
    assert now_at(payment_id).check_at is None
    payment_is_told(payment_id)


def test_held_money_that_is_being_taken_is_not_let_go_at_its_deadline(shop: str) -> None:
    with clock.standing_at(BEGIN):
        payment_id = holding(a_checkout(shop, PRICE, capture_later=True))
    captured(payment_id)
    with clock.standing_at(BEGIN + dt.timedelta(days=7)), db.scoped(behind()):
        payments.look_again()
    assert operations(payment_id)[-1] == "look_up"
    assert "cancel" not in operations(payment_id)


def test_money_the_bank_let_go_by_itself_cancels_the_payment(shop: str) -> None:
    payment_id = a_payment(Status.AUTHORISED, shop)
    captured(payment_id)
    answered(payment_id, Outcome(Result.CANCELLED))
    assert now_at(payment_id).status == Status.CANCELLED
    payment_is_whole(payment_id)


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_money_held_for_a_payment_that_has_ended_is_let_go(shop: str, end: str) -> None:
    link, method = a_checkout(shop, PRICE, capture_later=True), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"))
    calls_answered(payment_id)
    if end == "cancelled":
        answered(payment_id, Outcome(Result.CANCELLED))
    else:
        answered(payment_id, declined(method))
        with clock.standing_at(clock.now() + dt.timedelta(minutes=20)), db.scoped(behind()):
            payments.expire_due()
    assert now_at(payment_id).status == end
    answered(payment_id, held(PRICE, method), held(PRICE, method))
    assert now_at(payment_id).status == end
    assert operations(payment_id).count("cancel") == 1


def test_money_held_for_an_order_that_was_paid_otherwise_is_let_go(shop: str) -> None:
    link, first = a_checkout(shop, PRICE, capture_later=True), a_method()
    lost = card_tried(link, first)
    answered(lost, Outcome(Result.CREATED, intent_id=f"pi_{lost}"), Outcome(Result.CANCELLED))
    second = holding(link)
    answered(lost, succeeded(PRICE, first))
    assert now_at(lost).status == Status.CAPTURED
    assert operations(second)[-1] == "cancel"
    answered(second, Outcome(Result.CANCELLED))
    assert now_at(second).status == Status.CANCELLED
    for payment_id in (lost, second):
        payment_is_whole(payment_id)


def test_money_taken_in_the_providers_own_pages_is_believed(shop: str) -> None:
    link = a_checkout(shop, PRICE, capture_later=True)
    payment_id = holding(link)
    voided(payment_id)
    answered(payment_id, succeeded(inr(250_00)))
    assert now_at(payment_id).captured == inr(250_00)
    assert order_now(link.ref.order_id) == ("completed", 2)
    payment_is_whole(payment_id)


def test_a_part_that_is_heard_of_before_the_hold_is_taken_all_the_same(shop: str) -> None:
    link, method = a_checkout(shop, PRICE, capture_later=True), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, succeeded(inr(300_00), method), held(PRICE, method))
    payment = now_at(payment_id)
    assert (payment.status, payment.captured) == (Status.CAPTURED, inr(300_00))
    payment_is_whole(payment_id)


def test_a_hold_that_is_heard_of_after_a_refusal_of_ours_is_a_hold_all_the_same(shop: str) -> None:
    link, method = a_checkout(shop, PRICE, capture_later=True), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"), declined(method))
    assert now_at(payment_id).status == Status.AWAITING_METHOD
    answered(payment_id, held(PRICE, method))
    assert now_at(payment_id).status == Status.AUTHORISED
    calls_answered(payment_id)
    captured(payment_id)
    answered(payment_id, succeeded(PRICE))
    payment_is_whole(payment_id)


def test_a_hold_in_another_currency_is_let_go(shop: str) -> None:
    payment_id = card_tried(a_checkout(shop, PRICE, capture_later=True))
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"))
    calls_answered(payment_id)
    answered(payment_id, held(Money(1_000_00, "USD")))
    assert operations(payment_id)[-1] == "cancel"
    with pytest.raises(payments.VoidUnderWay):
        captured(payment_id)
    answered(payment_id, Outcome(Result.CANCELLED))
    assert now_at(payment_id).status == Status.CANCELLED


def test_a_wallet_has_no_hold_and_pays_at_once(shop: str) -> None:
    person = a_person()
    money_in_wallet(person, PRICE)
    payment_id = wallet_tried(a_checkout(shop, PRICE, capture_later=True), person)
    assert now_at(payment_id).status == Status.CAPTURED
    assert now_at(payment_id).authorised == PRICE


def test_a_top_up_is_not_taken_later(app: Flask) -> None:
    asked = NewOrder("mer_x", False, PRICE, kind="top_up", capture_later=True)
    with pytest.raises(Invalid) as refusal:
        orders.create(asked)
    assert refusal.value.param == "capture_later"


def test_who_asked_for_the_money_stands_in_the_trail(shop: str) -> None:
    first, second = a_payment(Status.AUTHORISED, shop), a_payment(Status.AUTHORISED, shop)
    captured(first, inr(400_00))
    voided(second)
    found = "SELECT actor_id || ' ' || action || ' ' || data FROM audit_entry WHERE subject_id = :i"
    with db.scoped(db.OWNER):
        took, let_go = (scalar(found, i=one) for one in (first, second))
    assert took == 'usr_somebody payment.capture_asked {"amount": 40000}'
    assert let_go == 'usr_somebody payment.void_asked {"because": "It is sold out."}'
