"""Where a refund may go: into a wallet, towards another order, and what was set aside goes back."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import text

from tests.builders import (
    GUEST,
    Someone,
    a_checkout,
    a_link,
    a_merchant,
    a_method,
    a_person,
    an_order,
    answered,
    card_tried,
    declined,
    inr,
    money_in_wallet,
    succeeded,
    wallet_tried,
)
from tests.builders import held as at_the_bank
from tests.refunds.builders import (
    CLERK,
    PRICE,
    a_guests_payment,
    a_paid_payment,
    asked,
    at_counter,
    bounced,
    paid_out,
    payment_now,
    refund_now,
    released,
    sent,
    told,
)
from tests.refunds.test_refund import balances, held
from tests.stories import behind, operations, order_now, payment_is_whole, scalar, story_is_whole
from webapp import ledger, payments, refunds
from webapp.gateway import Failure, Outcome, Result
from webapp.kernel import clock, db
from webapp.kernel.errors import Invalid
from webapp.outbox import SYSTEM, Actor
from webapp.refunds import release


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


def paid_by(person: Someone, shop: str) -> str:
    """Have somebody pay by card while signed in; returns the payment's id."""
    payment_id = card_tried(a_checkout(shop, PRICE), payer=person.payer)
    intent = Outcome(Result.CREATED, intent_id=f"pi_{payment_id}")
    answered(payment_id, intent, succeeded(PRICE))
    return payment_id


def in_wallet(person: Someone) -> int:
    """Return what a person has stored."""
    return held(ledger.wallet(person.id, False, "INR"))


def test_a_refund_into_the_wallet_is_there_as_soon_as_it_leaves(shop: str) -> None:
    person = a_person()
    refund_id = asked(paid_by(person, shop), inr(250_00), destination="wallet")
    assert released() == 1
    refund = refund_now(refund_id)
    assert (refund.status, operations(refund_id)) == ("succeeded", [])
    assert in_wallet(person) == 250_00
    assert balances(shop)[0] == PRICE.minor - 2000 - 250_00
    story_is_whole("refund", "refund", refund_id)


def test_a_guest_has_no_wallet_to_refund_to(shop: str) -> None:
    with pytest.raises(refunds.RefundNotPossible, match="no wallet"):
        asked(a_paid_payment(shop), destination="wallet")


def test_what_was_paid_from_a_wallet_goes_back_into_it(shop: str) -> None:
    person = a_person()
    money_in_wallet(person, PRICE)
    refund_id = asked(wallet_tried(a_checkout(shop, PRICE), person))
    assert refund_now(refund_id).destination == "wallet"
    released()
    assert in_wallet(person) == PRICE.minor
    assert refund_now(refund_id).status == "succeeded"


def test_credit_pays_another_order_whole_and_without_a_fee(shop: str) -> None:
    payment_id = a_guests_payment(shop)
    target = an_order(shop, inr(400_00), email=GUEST)
    refund_id = asked(
        payment_id, inr(400_00), destination="order_credit", target_order_id=target.id
    )
    assert released() == 1
    assert refund_now(refund_id).status == "succeeded"
    assert order_now(target.id)[0] == "completed"
    assert held(ledger.store_credit(False, "INR")) == 0
    assert balances(shop)[:2] == (PRICE.minor - 2000, 2000)
    with db.scoped(behind()):
        (paid,) = payments.payments_of_order(target.id)
    assert (paid.method_kind, paid.fee_minor, paid.captured_minor) == ("credit", 0, 400_00)
    payment_is_whole(paid.id)


def test_credit_pays_only_a_waiting_order_of_the_same_shop_and_amount(shop: str) -> None:
    payment_id = a_guests_payment(shop)
    other_shop = an_order(a_merchant(), inr(400_00), email=GUEST).id
    too_much = an_order(shop, inr(400_01), email=GUEST).id
    for target in (other_shop, too_much):
        with pytest.raises(Invalid):
            asked(payment_id, inr(400_00), destination="order_credit", target_order_id=target)
    assert payment_now(payment_id).refundable == PRICE


def test_credit_for_an_order_that_closed_meanwhile_goes_back(shop: str) -> None:
    payment_id = a_guests_payment(shop)
    target = an_order(shop, inr(400_00), email=GUEST)
    refund_id = asked(
        payment_id, inr(400_00), destination="order_credit", target_order_id=target.id
    )
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        payments.cancel_order(target.id, by=CLERK)
    assert released() == 0
    refund = refund_now(refund_id)
    assert (refund.status, refund.failure_code) == ("failed", "target_order_closed")
    assert payment_now(payment_id).refundable == PRICE
    assert balances(shop)[0] == PRICE.minor - 2000


def test_credit_waits_while_the_other_order_is_being_paid(shop: str) -> None:
    payment_id = a_guests_payment(shop)
    target = an_order(shop, inr(400_00), email=GUEST)
    refund_id = asked(
        payment_id, inr(400_00), destination="order_credit", target_order_id=target.id
    )
    method = a_method()
    under_way = card_tried(a_link(target), method)
    assert released() == 0
    assert refund_now(refund_id).status == "approved"
    answered(under_way, Outcome(Result.CREATED, intent_id="pi_target"), declined(method))
    assert released(after=dt.timedelta(minutes=2)) == 1
    assert order_now(target.id)[0] == "completed"


def blocked_credit(shop: str) -> str:
    """Ask for credit to an order that a card holds for days; returns the refund's id."""
    target = an_order(shop, inr(400_00), capture_later=True, email=GUEST)
    refund_id = asked(
        a_guests_payment(shop), inr(400_00), destination="order_credit", target_order_id=target.id
    )
    under_way = card_tried(a_link(target))
    answered(under_way, Outcome(Result.CREATED, intent_id="pi_held"), at_the_bank(inr(400_00)))
    return refund_id


def test_credit_that_cannot_be_used_holds_up_nobody_and_is_given_up(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "AT_MOST", 1)
    stuck = blocked_credit(shop)
    with clock.standing_at(clock.now() + dt.timedelta(seconds=5)):
        usual = asked(a_paid_payment(a_merchant()))
    assert (released(), refund_now(usual).status) == (0, "approved")
    assert (released(), refund_now(usual).status) == (1, "unsent")
    assert refund_now(stuck).status == "approved"
    released(after=dt.timedelta(hours=7))
    refund = refund_now(stuck)
    assert (refund.status, refund.failure_code) == ("failed", "target_order_busy")
    assert payment_now(refund.payment_id).refundable == PRICE


def test_one_refund_at_a_time_is_credit_to_an_order(shop: str) -> None:
    target = an_order(shop, inr(400_00), email=GUEST)
    first, second = (
        partial(
            asked,
            a_guests_payment(shop),
            inr(400_00),
            destination="order_credit",
            target_order_id=target.id,
        )
        for _ in range(2)
    )
    given = first()
    with pytest.raises(Invalid, match="Another refund"):
        second()
    at_counter(refund_now(given).payment_id, lambda: refunds.undo(given, by=CLERK))
    second()


def test_credit_pays_no_order_of_anybody_else(shop: str) -> None:
    asha, vikram = a_person(), a_person("Vikram Shah")
    of_somebody_else = (
        an_order(shop, PRICE, user_id=vikram.id).id,
        an_order(shop, PRICE, email=GUEST).id,
        an_order(shop, PRICE).id,
    )
    for payment_id in (paid_by(asha, shop), a_paid_payment(shop)):
        for target in of_somebody_else:
            with pytest.raises(Invalid, match="of the shopper"):
                asked(payment_id, destination="order_credit", target_order_id=target)
    own = an_order(shop, PRICE, user_id=asha.id).id
    asked(paid_by(asha, shop), destination="order_credit", target_order_id=own)


def test_credit_whose_order_somebody_else_took_meanwhile_goes_back(shop: str) -> None:
    asha, vikram = a_person(), a_person("Vikram Shah")
    payment_id, target = paid_by(asha, shop), an_order(shop, PRICE, user_id=asha.id)
    refund_id = asked(payment_id, destination="order_credit", target_order_id=target.id)
    with db.transaction(db.OWNER) as session:
        session.execute(
            text("UPDATE shop_order SET user_id = :other WHERE id = :id"),
            {"other": vikram.id, "id": target.id},
        )
    assert released() == 0
    assert refund_now(refund_id).failure_code == "target_order_closed"
    assert payment_now(payment_id).refundable == PRICE


def test_money_that_paid_by_credit_goes_back_to_the_card_it_came_from(shop: str) -> None:
    payment_id = a_guests_payment(shop)
    for _twice in range(2):
        first, target = payment_id, an_order(shop, PRICE, email=GUEST).id
        asked(first, destination="order_credit", target_order_id=target)
        assert released() == 1
        with db.scoped(behind()):
            (paid,) = payments.payments_of_order(target)
        payment_id = paid.id
    refund_id = asked(payment_id)
    assert (released(), refund_now(refund_id).destination) == (1, "original")
    call = "SELECT request ->> 'intent_id' FROM provider_operation WHERE subject_id = :id"
    assert str(scalar(call, id=refund_id)).startswith("pi_pay_")
    told(refund_id, paid_out())
    assert held(ledger.clearing(False, "INR")) == 0
    with pytest.raises(db.DatabaseError, match="stays on record"), db.transaction(behind()) as own:
        own.execute(text("UPDATE payment SET metadata = '{}' WHERE id = :id"), {"id": payment_id})


def set_aside(shop: str) -> tuple[str, str]:
    """Have money come for a cancelled order; returns the payment's id and the anomaly's."""
    link, method = a_link(an_order(shop, PRICE, email=GUEST)), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"), declined(method))
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=Actor("user", "usr_x"))
    answered(payment_id, succeeded(PRICE, method))
    statement = "SELECT id FROM anomaly WHERE payment_id = :id"
    return payment_id, str(scalar(statement, id=payment_id))


def anomaly_now(anomaly_id: str) -> str:
    """Return where set-aside money stands."""
    with db.scoped(behind()):
        return payments.anomaly(anomaly_id).status


def test_money_that_fits_no_order_goes_back_whole_and_costs_nobody_a_fee(shop: str) -> None:
    _payment_id, anomaly_id = set_aside(shop)
    assert held(ledger.suspense(False, "INR")) == PRICE.minor
    with db.scoped(behind()):
        refund_id = refunds.refund_set_aside(anomaly_id, by=SYSTEM).id
        assert refunds.refund_set_aside(anomaly_id, by=SYSTEM).id == refund_id
    assert anomaly_now(anomaly_id) == "refunding"
    with pytest.raises(refunds.RefundNotPossible):
        at_counter(_payment_id, lambda: refunds.undo(refund_id, by=CLERK))
    assert released() == 1
    assert held(ledger.suspense(False, "INR")) == 0
    told(refund_id, paid_out())
    assert (refund_now(refund_id).status, anomaly_now(anomaly_id)) == ("succeeded", "refunded")
    assert balances(shop) == (0, 0, 0, 0)
    story_is_whole("anomaly", "anomaly", anomaly_id)


def test_set_aside_money_whose_refund_fails_waits_for_a_person(shop: str) -> None:
    payment_id, anomaly_id = set_aside(shop)
    with db.scoped(behind()):
        first = refunds.refund_set_aside(anomaly_id, by=SYSTEM).id
    released()
    told(first, paid_out(), bounced())
    assert anomaly_now(anomaly_id) == "open"
    assert held(ledger.suspense(False, "INR")) == PRICE.minor
    with db.scoped(behind()):
        assert refunds.refund_set_aside(anomaly_id, by=SYSTEM).id == first
    second = at_counter(payment_id, lambda: refunds.refund_set_aside(anomaly_id, by=CLERK).id)
    assert second != first
    released()
    told(second, paid_out("re_provider2"))
    assert anomaly_now(anomaly_id) == "refunded"
    assert balances(shop) == (0, 0, 0, 0)


def given_up(shop: str) -> tuple[str, str]:
    """Have set-aside money sent back and given up as not done; returns the anomaly and refund."""
    _payment_id, anomaly_id = set_aside(shop)
    with db.scoped(behind()):
        refund_id = refunds.refund_set_aside(anomaly_id, by=SYSTEM).id
    released()
    told(refund_id, Failure("decided_not_done", "Nothing at the bank."), purpose="refund")
    assert anomaly_now(anomaly_id) == "open"
    return anomaly_id, refund_id


def test_set_aside_money_whose_refund_turns_up_after_all_is_used_for_nothing_else(
    shop: str,
) -> None:
    anomaly_id, refund_id = given_up(shop)
    told(refund_id, sent())
    assert (refund_now(refund_id).status, anomaly_now(anomaly_id)) == ("sent", "refunding")
    other = an_order(shop, PRICE)
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        with pytest.raises(payments.AnomalyDecided):
            payments.apply_to_order(anomaly_id, other.id, by=CLERK)
        assert refunds.refund_set_aside(anomaly_id, by=CLERK).id == refund_id
    told(refund_id, paid_out())
    assert (refund_now(refund_id).status, anomaly_now(anomaly_id)) == ("succeeded", "refunded")
    assert held(ledger.suspense(False, "INR")) == 0


def test_a_refund_that_turns_up_books_nothing_when_the_money_was_used_meanwhile(
    shop: str,
) -> None:
    anomaly_id, refund_id = given_up(shop)
    other = an_order(shop, PRICE, email=GUEST)
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        payments.apply_to_order(anomaly_id, other.id, by=CLERK)
    for news in (sent(), paid_out()):
        with pytest.raises(payments.AnomalyDecided):
            told(refund_id, news)
    assert (refund_now(refund_id).status, anomaly_now(anomaly_id)) == ("failed", "applying")
    assert held(ledger.suspense(False, "INR")) == PRICE.minor


def snatched(anomaly_id: str, order_id: str) -> None:
    """Have set-aside money pay an order, although it is on its way back."""
    with db.scoped(behind()), db.transaction():
        anomaly = payments.locked_anomaly(anomaly_id)
        payments.reopen_anomaly(anomaly, because="Never mind.", by=SYSTEM)
        anomaly.target_order_id = order_id
        anomaly.move_to("applying", because="It pays that order.", by=SYSTEM)


def test_the_database_lets_money_on_its_way_back_pay_no_order(shop: str) -> None:
    _payment_id, anomaly_id = set_aside(shop)
    with db.scoped(behind()):
        refunds.refund_set_aside(anomaly_id, by=SYSTEM)
    other = an_order(shop, PRICE).id
    with pytest.raises(db.DatabaseError, match="on its way back"):
        snatched(anomaly_id, other)
