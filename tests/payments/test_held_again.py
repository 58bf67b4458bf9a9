"""Held money asked for again: after an answer that it was not done, and after it was done."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from tests.builders import (
    a_checkout,
    a_method,
    a_payment,
    answered,
    calls_answered,
    card_tried,
    declined,
    held,
    hosted_tried,
    inr,
    now_at,
    succeeded,
)
from tests.payments.test_holds import BY, PRICE, calls, captured, shop, voided
from tests.stories import behind, operations, payment_is_told
from webapp import gateway, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import clock, db
from webapp.payments import Status

__all__ = ["shop"]


@pytest.mark.parametrize("verb", [captured, voided])
@pytest.mark.parametrize("result", [Result.DECLINED, Result.PROCESSING, Result.AUTHORISED])
def test_after_an_answer_that_it_was_not_done_either_can_be_asked_for_again(
    shop: str, verb: object, result: Result
) -> None:
    payment_id = a_payment(Status.AUTHORISED, shop)
    assert callable(verb)
    verb(payment_id)
    answered_to_last(payment_id, Outcome(result, amount=PRICE))
    assert now_at(payment_id).status == Status.AUTHORISED
    verb(payment_id)
    kind = "capture" if verb is captured else "cancel"
    assert len(calls(payment_id, kind)) == 2
    answered_to_last(payment_id, Outcome(Result.PROCESSING))
    voided(payment_id)
    answered_to_last(payment_id, Outcome(Result.CANCELLED))
    assert now_at(payment_id).status == Status.CANCELLED
    payment_is_told(payment_id)


def answered_to_last(payment_id: str, outcome: Outcome) -> None:
    """Answer the last call of a payment with where its intent stands, as the drain does."""
    with db.scoped(behind()):
        (operation,) = gateway.operations_of(payment_id)[-1:]
        payments.apply(payment_id, outcome, purpose=operation.purpose)
    state = "failed" if outcome.result is Result.DECLINED else "succeeded"
    ends = (
        f"state = '{state}', lease_until = NULL, due_at = NULL, closed_at = clock_now(),"
        f" result = jsonb_build_object('result', '{outcome.result.value}')"
    )
    with db.transaction(behind()) as session:
        for step in ("state = 'in_flight', lease_until = clock_now()", ends):
            session.execute(
                text(f"UPDATE provider_operation SET {step} WHERE id = :id"), {"id": operation.id}
            )


@pytest.mark.parametrize("meanwhile", [Result.PROCESSING, Result.AUTHORISED])
def test_money_that_is_held_after_an_order_was_cancelled_is_let_go_by_a_second_call(
    shop: str, meanwhile: Result
) -> None:
    link, method = a_checkout(shop, PRICE, capture_later=True), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"), declined(method))
    calls_answered(payment_id)
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=BY)
    answered_to_last(payment_id, Outcome(meanwhile, amount=PRICE))
    assert operations(payment_id)[-1] == "look_up"
    answered_to_last(payment_id, held(PRICE, method))
    assert operations(payment_id)[-1] == "cancel"
    answered_to_last(payment_id, Outcome(Result.CANCELLED))
    assert operations(payment_id).count("cancel") == 2
    answered(payment_id, held(PRICE, method))
    assert operations(payment_id).count("cancel") == 2


def test_a_page_that_was_being_paid_when_it_was_to_end_is_ended_until_it_has(shop: str) -> None:
    payment_id = hosted_tried(a_checkout(shop, PRICE))
    page = Outcome(Result.SESSION_OPEN, session_id=f"cs_{payment_id}", next_url="http://p/1")
    answered(payment_id, page)
    calls_answered(payment_id)
    begin = clock.now()
    for turn in range(1, 4):
        with db.scoped(behind()), clock.standing_at(begin + dt.timedelta(days=turn)):
            assert payments.look_again() == 1
        assert operations(payment_id).count("expire_session") == turn
        answered_to_last(payment_id, Outcome(Result.PROCESSING))
    assert now_at(payment_id).status == Status.REQUIRES_ACTION
    answered(payment_id, Outcome(Result.SESSION_EXPIRED, session_id=f"cs_{payment_id}"))
    assert now_at(payment_id).status == Status.AWAITING_METHOD


def test_a_page_that_has_ended_is_ended_once(shop: str) -> None:
    payment_id = hosted_tried(a_checkout(shop, PRICE))
    page = Outcome(Result.SESSION_OPEN, session_id=f"cs_{payment_id}", next_url="http://p/1")
    answered(payment_id, page)
    calls_answered(payment_id)
    with db.scoped(behind()):
        payments.give_up(payment_id, by=BY)
    answered_to_last(payment_id, Outcome(Result.SESSION_EXPIRED, session_id=f"cs_{payment_id}"))
    with db.scoped(behind()):
        payments.give_up(payment_id, by=BY)
    assert operations(payment_id).count("expire_session") == 1


def test_all_of_it_is_not_taken_any_more_once_a_part_was(shop: str) -> None:
    payment_id = a_payment(Status.AUTHORISED, shop)
    captured(payment_id, inr(400_00))
    answered(payment_id, succeeded(inr(400_00)))
    for again in (None, inr(400_00)):
        captured(payment_id, again)
    with pytest.raises(payments.CaptureUnderWay, match="already, in another amount"):
        captured(payment_id, PRICE)
    assert [call["amount_minor"] for call in calls(payment_id, "capture")] == [400_00]
    assert now_at(payment_id).captured == inr(400_00)
