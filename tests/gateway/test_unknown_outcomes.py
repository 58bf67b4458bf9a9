"""Every step of a payment's life, and every way its answer is lost: one effect, no blind guess."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

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
from tests.portal import superuser
from tests.provider_process import SECRET_KEY, WEBHOOK_SECRET, Sandbox
from webapp.gateway import (
    Cancel,
    Capture,
    Confirm,
    CreateIntent,
    CreateSession,
    ExpireSession,
    LookUp,
    LookUpRefund,
    Operation,
    Outcome,
    Refund,
    Result,
    State,
    operations,
    put,
)
from webapp.gateway.stripe_adapter import StripeKeys, StripeProvider
from webapp.gateway.transport import Transport
from webapp.kernel import clock, ids

HELD = CreateIntent(1000_00, "INR", "1042", "Two lamps", manual_capture=True)
PAGE = CreateSession(1000_00, "INR", "1042", "Two lamps", BACK, BACK)
#: How an answer is lost; "timeout" is an answer that comes after we have stopped waiting.
FAULTS = (
    "timeout", "drop_before", "drop_after", "500_before", "500_after", "409", "429", "outage",
)  # fmt: skip
PATIENCE_SECONDS = 0.4


@pytest.fixture(autouse=True)
def _impatient(worker: Worker) -> Iterator[None]:
    """Let every call wait for its answer much shorter than in earnest."""
    keys = StripeKeys(worker.sandbox.origin, SECRET_KEY, (WEBHOOK_SECRET,), livemode=False)
    patient = StripeProvider(keys)
    put(StripeProvider(keys, transport=Transport(total_seconds=PATIENCE_SECONDS)))
    yield
    put(patient)


@pytest.fixture(autouse=True)
def _unguarded(worker: Worker) -> None:
    """Let the refunds of these tests be of payments that no other room knows."""
    with superuser(worker.stores, worker.database) as server:
        server.execute("ALTER TABLE provider_operation DISABLE TRIGGER guard_refund_operation")


def held_intent(subject_id: str) -> str:
    made = planned(HELD, subject_id=subject_id)
    drained()
    intent_id = row_of(made.id).provider_object_id or ""
    planned(Confirm(intent_id, "pm_card_visa", BACK), subject_id=subject_id, purpose="att_1")
    drained()
    return intent_id


def paid_intent() -> tuple[str, str]:
    charge = a_charge()
    drained()
    return charge.subject_id, charge.request["intent_id"]


def a_capture() -> Operation:
    subject_id = ids.new("payment")
    intent_id = held_intent(subject_id)
    return planned(Capture(intent_id, 400_00), subject_id=subject_id, purpose="capture")


def a_cancellation() -> Operation:
    subject_id = ids.new("payment")
    return planned(Cancel(an_intent_id(subject_id)), subject_id=subject_id)


def a_page_closed() -> Operation:
    subject_id = ids.new("payment")
    page = planned(PAGE, subject_id=subject_id)
    drained()
    session_id = row_of(page.id).provider_object_id or ""
    return planned(ExpireSession(session_id), subject_id=subject_id)


def a_refund() -> Operation:
    subject_id, intent_id = paid_intent()
    call = Refund(intent_id, 250_00, "INR", refund_id=subject_id, reason="duplicate")
    return planned(call, subject_id=subject_id, purpose="refund")


def a_question() -> Operation:
    subject_id, intent_id = paid_intent()
    return planned(LookUp(intent_id=intent_id), subject_id=subject_id)


def a_question_about_a_refund() -> Operation:
    refund = a_refund()
    drained()
    found = row_of(refund.id).provider_object_id
    call = LookUpRefund(refund.request["intent_id"], refund.subject_id, found)
    return planned(call, subject_id=refund.subject_id)


@dataclass(frozen=True)
class Step:
    """One call: how it is planned, what it is at the provider, and what is seen there once done."""

    plan: Callable[[], Operation]
    endpoint: str
    seen: tuple[str, Any] | None = None


STEPS = {
    "create_intent": Step(lambda: planned(INTENT), "payment_intents.create", ("amount", 1000_00)),
    "confirm": Step(a_charge, "payment_intents.confirm", ("captured", 1000_00)),
    "capture": Step(a_capture, "payment_intents.capture", ("captured", 400_00)),
    "cancel": Step(a_cancellation, "payment_intents.cancel", ("status", "canceled")),
    "create_session": Step(lambda: planned(PAGE), "checkout.sessions.create"),
    "expire_session": Step(a_page_closed, "checkout.sessions.expire"),
    "refund": Step(a_refund, "refunds.create", ("refunded", 250_00)),
    "look_up": Step(a_question, "payment_intents.retrieve"),
    "look_up_refund": Step(a_question_about_a_refund, "refunds.retrieve"),
}
#: A question has no effect to fail after.
NEVER = {("look_up", "500_after"), ("look_up_refund", "500_after")}
CASES = [(name, fault) for name in STEPS for fault in FAULTS if (name, fault) not in NEVER]
#: Those that change something at the provider.
ACTING = [name for name in STEPS if not name.startswith("look_up")]


def drained(*, seconds: float = 0.0, times: int = 1) -> Book:
    book = Book()
    for turn in range(1, times + 1):
        with clock.standing_at(clock.now() + dt.timedelta(seconds=turn * seconds)):
            operations.drain(book.apply)
    return book


def switch_on(sandbox: Sandbox, fault: str, endpoint: str) -> None:
    if fault == "timeout":
        sandbox.fault("slow", endpoint=endpoint, seconds=3 * PATIENCE_SECONDS)
    else:
        sandbox.fault(fault, endpoint=endpoint)


def shows(sandbox: Sandbox, subject_id: str, step: Step) -> list[Any]:
    """Return what the provider's books say of the thing that a step changes, once per object."""
    assert step.seen is not None
    return [book[step.seen[0]] for book in sandbox.books(subject_id)]


@pytest.mark.requirement("S1-13")
@pytest.mark.parametrize(("name", "fault"), CASES)
def test_a_lost_answer_is_never_a_failure_and_comes_by_the_same_key(
    worker: Worker, name: str, fault: str
) -> None:
    step = STEPS[name]
    operation = step.plan()
    switch_on(worker.sandbox, fault, step.endpoint)
    assert drained().answers == [], "nothing is applied that nobody said"
    row = row_of(operation.id)
    assert row.state == (State.PENDING if fault == "429" else State.UNKNOWN)
    assert effects(operation.id) == 0
    if fault == "timeout":
        time.sleep(3 * PATIENCE_SECONDS)  # the provider is still at work, and says so
    book = drained(seconds=30, times=4)
    assert row_of(operation.id).state == State.SUCCEEDED, row_of(operation.id).last_error
    assert [answered for answered, _ in book.answers].count(operation.id) == 1
    assert effects(operation.id) == 1
    if step.seen:
        assert shows(worker.sandbox, operation.subject_id, step) == [step.seen[1]], "once"


@pytest.mark.parametrize("name", ACTING)
def test_after_23_hours_what_was_done_is_found_by_looking_alone(worker: Worker, name: str) -> None:
    step = STEPS[name]
    operation = step.plan()
    worker.sandbox.fault("drop_after", endpoint=step.endpoint)
    drained()
    worker.sandbox.clock(23.5 * 3600)
    worker.sandbox.fault("500_before", endpoint=step.endpoint, times=1000)
    book = drained(seconds=23.5 * 3600)
    assert row_of(operation.id).state == State.SUCCEEDED, "it was not sent, or it would fail"
    assert len(book.answers) == 1
    if step.seen:
        assert shows(worker.sandbox, operation.subject_id, step) == [step.seen[1]]


@pytest.mark.parametrize("name", [name for name in ACTING if name != "expire_session"])
def test_after_23_hours_what_was_not_done_waits_for_a_person_and_is_never_sent(
    worker: Worker, name: str
) -> None:
    step = STEPS[name]
    operation = step.plan()
    before = worker.sandbox.books(operation.subject_id)
    worker.sandbox.fault("drop_before", endpoint=step.endpoint)
    drained()
    worker.sandbox.clock(23.5 * 3600)
    assert drained(seconds=23.5 * 3600, times=3).answers == []
    row = row_of(operation.id)
    assert (row.state, row.due_at) == (State.MANUAL, None)
    assert (row.last_error or "").startswith("still_in_doubt")
    assert worker.sandbox.books(operation.subject_id) == before, "nothing was done there"


def test_before_23_hours_it_is_sent_again_by_itself(worker: Worker) -> None:
    charge = a_charge()
    worker.sandbox.fault("drop_before", endpoint="payment_intents.confirm")
    drained()
    drained(seconds=22.5 * 3600)
    assert row_of(charge.id).state == State.SUCCEEDED
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_a_page_whose_address_was_lost_is_found_and_never_opened_twice(worker: Worker) -> None:
    """The provider repeats its error for as long as it knows the key; the page is there."""
    operation = planned(PAGE)
    worker.sandbox.fault("500_after", endpoint="checkout.sessions.create")
    book = drained(seconds=30, times=4)
    assert row_of(operation.id).state == State.SUCCEEDED
    [(answered, outcome)] = book.answers
    assert answered == operation.id
    assert isinstance(outcome, Outcome)
    assert outcome.result is Result.SESSION_OPEN
    assert (outcome.next_url or "").startswith("http"), "the shopper can be led there"
    assert worker.sandbox.pages(operation.id) == 1
