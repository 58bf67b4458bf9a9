"""Operations against a real provider process: one charge whatever happens to the answer."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from tests.gateway.conftest import Worker
from tests.gateway.working import (
    BACK,
    INTENT,
    Book,
    a_charge,
    an_intent_id,
    effects,
    planned,
    row_of,
)
from webapp.gateway import (
    Cancel,
    Confirm,
    Failure,
    LookUp,
    Operation,
    OperationUnderWay,
    Outcome,
    Result,
    State,
    operations,
)
from webapp.kernel import clock, db, ids
from webapp.kernel.errors import Conflict

pytestmark = pytest.mark.usefixtures("worker")
#: Puts an operation that is in flight aside for a person.
MANUAL = "state = 'manual', lease_until = NULL, due_at = NULL"


def drained(*, hours: float = 0.0, seconds: float = 0.0, times: int = 1) -> Book:
    """Drain `times` times, each after so much more time has passed."""
    book = Book()
    for turn in range(1, times + 1):
        later = clock.now() + turn * dt.timedelta(hours=hours, seconds=seconds)
        with clock.standing_at(later):
            operations.drain(book.apply)
    return book


def answer_of(book: Book, operation: Operation) -> Outcome | Failure:
    return dict(book.answers)[operation.id]


@pytest.mark.requirement("S0-08")
def test_planning_calls_nobody_and_draining_charges_once(worker: Worker) -> None:
    charge = a_charge()
    assert worker.sandbox.charges(charge.subject_id) == 0
    assert row_of(charge.id).state == State.PENDING
    book = drained()
    outcome = answer_of(book, charge)
    assert isinstance(outcome, Outcome)
    assert outcome.result is Result.SUCCEEDED
    row = row_of(charge.id)
    assert (row.state, row.due_at, row.claims) == (State.SUCCEEDED, None, 0)
    assert row.result is not None
    assert row.result["amount_minor"] == 1000_00
    assert effects(charge.id) == 1
    assert drained().answers == []
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_a_decline_closes_the_operation_and_allows_another_charge(worker: Worker) -> None:
    declined = a_charge("pm_card_visa_chargeDeclined")
    book = drained()
    assert isinstance(answer_of(book, declined), Outcome)
    row = row_of(declined.id)
    assert (row.state, row.last_error) == (State.FAILED, "card_declined")
    again = Confirm(declined.request["intent_id"], "pm_card_visa", BACK)
    second = planned(again, subject_id=declined.subject_id, purpose="second")
    drained()
    assert row_of(second.id).state == State.SUCCEEDED
    assert worker.sandbox.charges(declined.subject_id) == 1


def test_a_refused_request_closes_the_operation_as_failed(worker: Worker) -> None:
    charge = a_charge("pm_of_somebody_else")
    book = drained()
    assert answer_of(book, charge) == Failure(
        "payment_method_unknown", "No such PaymentMethod: 'pm_of_somebody_else'"
    )
    assert row_of(charge.id).state == State.FAILED
    assert worker.sandbox.charges(charge.subject_id) == 0


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "500_before", "409", "outage"])
def test_a_lost_answer_leaves_it_unknown_until_the_same_key_brings_it(
    worker: Worker, fault: str
) -> None:
    charge = a_charge()
    worker.sandbox.fault(fault, endpoint="payment_intents.confirm")
    assert drained().answers == []
    row = row_of(charge.id)
    assert (row.state, row.tries, row.lease_until) == (State.UNKNOWN, 1, None)
    assert drained().answers == [], "it is not due before its wait is over"
    assert len(drained(seconds=3).answers) == 1
    assert row_of(charge.id).state == State.SUCCEEDED
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_a_server_error_that_is_repeated_for_the_key_is_looked_behind(worker: Worker) -> None:
    charge = a_charge()
    worker.sandbox.fault("500_after", endpoint="payment_intents.confirm")
    book = drained(seconds=30, times=3)
    outcome = answer_of(book, charge)
    assert isinstance(outcome, Outcome)
    assert outcome.result is Result.SUCCEEDED
    assert row_of(charge.id).tries == 2, "the provider repeated its error once"
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_an_intent_whose_answer_is_repeated_as_an_error_is_found_by_our_id(
    worker: Worker,
) -> None:
    worker.sandbox.fault("500_after", endpoint="payment_intents.create")
    made = planned(INTENT)
    drained(seconds=30, times=3)
    assert row_of(made.id).state == State.SUCCEEDED
    assert len(worker.sandbox.books(made.subject_id)) == 1


def test_when_surely_nothing_was_sent_it_is_pending_again(worker: Worker) -> None:
    charge = a_charge()
    worker.sandbox.fault("429", endpoint="payment_intents.confirm")
    drained()
    row = row_of(charge.id)
    assert (row.state, row.first_sent_at, row.tries) == (State.PENDING, None, 1)
    drained(seconds=3)
    assert row_of(charge.id).state == State.SUCCEEDED


def test_what_could_not_be_sent_for_a_day_waits_for_a_person_and_is_then_sent(
    worker: Worker,
) -> None:
    charge = a_charge()
    worker.sandbox.fault("429", endpoint="payment_intents.confirm", times=1000)
    drained(hours=11, times=2)
    assert row_of(charge.id).state == State.PENDING
    drained(hours=24)
    row = row_of(charge.id)
    assert (row.state, row.due_at) == (State.MANUAL, None)
    assert (row.last_error or "").startswith("never_sent")
    worker.sandbox.calm()
    with db.transaction(db.WORKER):
        operations.look_again(charge.id)
    drained(hours=25)
    assert row_of(charge.id).state == State.SUCCEEDED
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_after_a_lost_answer_it_is_never_pending_again(worker: Worker) -> None:
    charge = a_charge()
    worker.sandbox.fault("drop_after", endpoint="payment_intents.confirm")
    drained()
    worker.sandbox.fault("429", endpoint="payment_intents.confirm")
    drained(seconds=3)
    row = row_of(charge.id)
    assert (row.state, row.tries) == (State.UNKNOWN, 2)
    assert row.first_sent_at is not None


@pytest.mark.requirement("S1-13")
def test_after_an_outage_of_some_hours_it_goes_on_by_itself(worker: Worker) -> None:
    charge = a_charge()
    worker.sandbox.fault("outage", times=1000)
    assert drained(hours=1, times=8).answers == []
    assert row_of(charge.id).state == State.UNKNOWN
    worker.sandbox.calm()
    with clock.standing_at(clock.now() + dt.timedelta(hours=9)):
        operations.drain(Book().apply)
    assert row_of(charge.id).state == State.SUCCEEDED
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_when_the_key_is_too_old_a_charge_that_took_effect_is_found(worker: Worker) -> None:
    charge = a_charge()
    worker.sandbox.fault("drop_after", endpoint="payment_intents.confirm")
    drained()
    worker.sandbox.clock(30 * 3600)
    drained(hours=30)
    assert row_of(charge.id).state == State.SUCCEEDED
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_when_the_key_is_too_old_and_nothing_is_found_a_person_decides(worker: Worker) -> None:
    charge = a_charge()
    worker.sandbox.fault("drop_before", endpoint="payment_intents.confirm")
    drained()
    worker.sandbox.clock(30 * 3600)
    assert drained(hours=30).answers == []
    row = row_of(charge.id)
    assert row.state == State.MANUAL
    assert (row.last_error or "").startswith("still_in_doubt")
    assert worker.sandbox.charges(charge.subject_id) == 0, "it is never sent again blindly"
    with db.transaction(db.WORKER):
        operations.look_again(charge.id)
    drained(hours=30)
    assert row_of(charge.id).state == State.MANUAL


def test_only_what_waits_for_a_person_is_taken_up_again() -> None:
    charge = a_charge()
    with pytest.raises(Conflict), db.transaction(db.WORKER):
        operations.look_again(charge.id)


def test_a_question_is_not_taken_up_again_while_the_same_one_is_open() -> None:
    subject_id = ids.new("payment")
    first = planned(LookUp(operation_id="op_1"), subject_id=subject_id)
    for step in ("state = 'in_flight', lease_until = clock_now()", MANUAL):
        with db.transaction(db.WORKER) as session:
            statement = text(f"UPDATE provider_operation SET {step} WHERE id = :id")
            session.execute(statement, {"id": first.id})
    second = planned(LookUp(operation_id="op_1"), subject_id=subject_id)
    assert second.id != first.id
    with pytest.raises(OperationUnderWay), db.transaction(db.WORKER):
        operations.look_again(first.id)
    assert row_of(first.id).state == State.MANUAL


def test_an_open_charge_of_a_payment_excludes_every_other() -> None:
    charge = a_charge()
    other = Confirm(charge.request["intent_id"], "pm_card_mastercard", BACK)
    with pytest.raises(OperationUnderWay):
        planned(other, subject_id=charge.subject_id, purpose="other")
    assert planned(other, subject_id=charge.subject_id).id == charge.id, "the same purpose is it"


def test_what_needs_doing_once_is_planned_once() -> None:
    subject_id = ids.new("payment")
    intent_id = an_intent_id(subject_id)
    first = planned(INTENT, subject_id=subject_id, purpose="another")
    assert row_of(first.id).state == State.SUCCEEDED
    question = planned(LookUp(intent_id=intent_id), subject_id=subject_id)
    assert planned(LookUp(intent_id=intent_id), subject_id=subject_id).id == question.id
    cancel = planned(Cancel(intent_id), subject_id=subject_id)
    drained()
    assert planned(Cancel(intent_id), subject_id=subject_id).id == cancel.id
    later = planned(LookUp(intent_id=intent_id), subject_id=subject_id)
    assert later.id != question.id


def test_an_address_with_a_secret_in_it_is_sealed_in_the_stored_request() -> None:
    charge = a_charge()
    row = row_of(charge.id)
    assert "secret-token" not in str(row.request)
    assert isinstance(charge.call, Confirm)
    assert charge.call.return_url == BACK


def test_what_was_never_sent_can_be_withdrawn_and_what_was_cannot(worker: Worker) -> None:
    charge = a_charge()
    with db.transaction(db.WORKER):
        assert operations.withdraw(charge.id)
    drained()
    assert row_of(charge.id).state == State.FAILED
    assert worker.sandbox.charges(charge.subject_id) == 0
    other = a_charge()
    worker.sandbox.fault("drop_after", endpoint="payment_intents.confirm")
    drained()
    with db.transaction(db.WORKER):
        assert not operations.withdraw(other.id)


def test_an_operation_of_the_other_mode_is_never_dialled(worker: Worker) -> None:
    subject_id = ids.new("payment")
    with db.transaction(db.WORKER):
        live = operations.plan(
            "create_intent",
            subject_kind="sale",
            subject_id=subject_id,
            purpose="test",
            merchant_id="mer_1",
            livemode=True,
            request=INTENT,
        )
    drained()
    assert row_of(live.id).state == State.MANUAL
    assert worker.sandbox.books(subject_id) == []


def test_one_refusal_to_apply_does_not_lose_the_answer(worker: Worker) -> None:
    charge = a_charge()

    def refuse(_operation: Operation, _answer: Outcome | Failure) -> None:
        raise Conflict

    operations.drain(refuse)
    row = row_of(charge.id)
    assert (row.state, row.tries) == (State.UNKNOWN, 0)
    assert effects(charge.id) == 0
    drained(seconds=3)
    assert row_of(charge.id).state == State.SUCCEEDED
    assert effects(charge.id) == 1
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_an_answer_that_is_refused_each_time_ends_with_a_person(worker: Worker) -> None:
    charge = a_charge()

    def refuse(_operation: Operation, _answer: Outcome | Failure) -> None:
        raise Conflict

    for turn in range(5):
        with clock.standing_at(clock.now() + dt.timedelta(minutes=turn)):
            operations.drain(refuse)
    assert row_of(charge.id).state == State.MANUAL
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_a_drain_ends_after_its_limit_and_its_time() -> None:
    for _ in range(3):
        planned(INTENT)
    assert operations.drain(Book().apply, limit=2) == 2
    assert operations.drain(Book().apply, seconds=0) == 0
    assert operations.drain(Book().apply) == 1


def test_nothing_is_dialled_while_a_transaction_is_open() -> None:
    with db.transaction(db.WORKER), pytest.raises(RuntimeError):
        operations.drain(Book().apply)
