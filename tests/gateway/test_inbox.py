"""The inbox: kept once, applied once, in any order, and never lost."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from sqlalchemy import text

from tests.gateway.conftest import Worker
from tests.gateway.signing import an_event, raw, signature
from tests.gateway.working import INTENT, Stopping, planned
from webapp.gateway import (
    BadEvent,
    BadSignature,
    Event,
    Outcome,
    ProviderEvent,
    RefundMadeElsewhere,
    Result,
    Standing,
    events_of,
    inbox,
    refused_events,
)
from webapp.kernel import clock, db, ids
from webapp.kernel.errors import NotFound

pytestmark = pytest.mark.usefixtures("worker")


class Journal:
    """What was applied, in order."""

    def __init__(self) -> None:
        self.news: list[tuple[str, Result]] = []

    def apply(self, event: Event, outcome: Outcome) -> None:
        """Write the news down."""
        self.news.append((event.id, outcome.result))


def ours(kind: str = "payment_intent.succeeded", **changes: Any) -> dict[str, Any]:
    """Return an event about what a call of ours made, where it names a payment."""
    event = an_event(kind, **changes)
    metadata = event["data"]["object"].get("metadata") or {}
    if "subject" in metadata:
        metadata["operation"] = planned(INTENT, subject_id=metadata["subject"]).id
    return event


def received(kind: str = "payment_intent.succeeded", **changes: Any) -> str:
    return taken_in(ours(kind, **changes))


def taken_in(event: dict[str, Any]) -> str:
    body = raw(event)
    return inbox.receive(body, signature(body)).event_id


def row_of(event_id: str) -> ProviderEvent:
    with db.transaction(db.WORKER):
        row = db.session.get(ProviderEvent, ("stripe", event_id), populate_existing=True)
        assert row is not None
        return row


def drained(*, seconds: float = 0.0) -> Journal:
    journal = Journal()
    with clock.standing_at(clock.now() + dt.timedelta(seconds=seconds)):
        inbox.drain(journal.apply)
    return journal


@pytest.mark.requirement("S0-12")
def test_a_message_is_kept_and_then_applied_once() -> None:
    subject = ids.new("payment")
    event_id = received(subject=subject)
    row = row_of(event_id)
    assert (row.processed_at, row.subject_id) == (None, subject)
    assert row.kind == "payment_intent.succeeded"
    assert drained().news == [(event_id, Result.SUCCEEDED)]
    assert drained().news == []
    assert row_of(event_id).processed_at is not None
    with db.transaction(db.WORKER):
        assert [event.event_id for event in events_of(subject)] == [event_id]


def test_however_often_it_comes_it_is_one_row_and_one_effect() -> None:
    body = raw(ours())
    answers = [inbox.receive(body, signature(body)).is_new for _ in range(5)]
    assert answers == [True, False, False, False, False]
    assert len(drained().news) == 1
    assert not inbox.receive(body, signature(body)).is_new, "days later, too"
    assert drained().news == []


def test_who_the_shopper_is_and_what_opens_something_is_not_kept() -> None:
    event_id = received(object={"billing_details": {"name": "Ada Lovelace", "phone": "+44 20"}})
    with db.transaction(db.WORKER):
        stored = str(db.session.execute(text("SELECT payload FROM provider_event")).scalar_one())
    for secret in ("ada@example.com", "Ada Lovelace", "+44 20", "pi_1_secret_abc"):
        assert secret not in stored
    assert drained().news == [(event_id, Result.SUCCEEDED)], "what matters was kept"


@pytest.mark.parametrize(
    ("kind", "changes", "word"),
    [
        ("payment_intent.created", {}, "ignored"),
        ("customer.created", {"object": {"metadata": {}}}, "ignored"),
        ("payment_intent.succeeded", {"object": {"metadata": {}}}, "not_ours"),
    ],
)
def test_a_message_without_news_for_us_is_kept_and_closed(
    kind: str, changes: dict[str, Any], word: str
) -> None:
    event_id = received(kind, **changes)
    assert drained().news == []
    row = row_of(event_id)
    assert (row.error, row.due_at) == (word, None)
    assert row.processed_at is not None


def test_a_message_about_something_not_there_yet_waits_and_is_set_aside_at_last() -> None:
    event_id = received()

    def unknown(_event: Event, _outcome: Outcome) -> None:
        raise NotFound

    for turn in range(8):
        with clock.standing_at(clock.now() + dt.timedelta(minutes=5 * turn)):
            inbox.drain(unknown)
            row = row_of(event_id)
            assert (row.tries, row.processed_at) == (turn + 1, None)
            assert (row.error or "").startswith("not_found")
    assert row_of(event_id).due_at is None
    assert drained(seconds=86_400).news == []
    with db.transaction(db.WORKER):
        inbox.retry(event_id)
    assert drained().news == [(event_id, Result.SUCCEEDED)]


def test_a_message_that_fails_lets_the_others_pass() -> None:
    bad, good = received(), received()
    applied: list[str] = []

    def picky(event: Event, _outcome: Outcome) -> None:
        if event.id == bad:
            raise NotFound
        applied.append(event.id)

    inbox.drain(picky)
    assert applied == [good]


def test_a_message_that_ends_its_worker_three_times_is_set_aside_and_lets_the_others_pass() -> None:
    bad = received()

    class Died(BaseException):
        """A worker's sudden end."""

    def die() -> None:
        raise Died

    for turn in range(3):
        moment = clock.now() + dt.timedelta(seconds=11 * turn)
        with clock.standing_at(moment), pytest.raises(Died):
            inbox.drain(Journal().apply, context=Stopping("inbox.applied", die))
        assert row_of(bad).claims == turn + 1
    good = received()
    assert drained(seconds=60).news == [(good, Result.SUCCEEDED)]
    row = row_of(bad)
    assert (row.due_at, row.processed_at) == (None, None)
    assert row.error == "ended its worker each time"
    assert drained(seconds=86_400).news == [], "nothing but a person takes it up again"
    with db.transaction(db.WORKER):
        assert inbox.retry(bad)
    assert drained().news == [(bad, Result.SUCCEEDED)], "and then it counts from the start"


def test_a_refusal_is_an_outcome_and_not_a_death() -> None:
    event_id = received()

    def refuse(_event: Event, _outcome: Outcome) -> None:
        raise NotFound

    for turn in range(5):
        with clock.standing_at(clock.now() + dt.timedelta(minutes=5 * turn)):
            inbox.drain(refuse)
    row = row_of(event_id)
    assert (row.tries, row.claims) == (5, 0)
    assert row.due_at is not None


def test_events_are_applied_whatever_their_order() -> None:
    kinds = ["succeeded", "processing", "payment_failed", "requires_action"]
    for kind in kinds:
        received(f"payment_intent.{kind}")
    assert len(drained().news) == len(kinds)


def test_what_is_not_signed_is_not_kept() -> None:
    body = raw(an_event())
    with pytest.raises(BadSignature):
        inbox.receive(body, signature(body, secret="whsec_other"))
    with db.transaction(db.WORKER):
        assert db.session.execute(text("SELECT count(*) FROM provider_event")).scalar_one() == 0


@pytest.mark.races
def test_drains_beside_each_other_apply_each_message_once(worker: Worker) -> None:
    events = sorted(received() for _ in range(12))
    journals = [Journal() for _ in range(4)]

    def drain_into(journal: Journal) -> None:
        with worker.app.app_context():
            inbox.drain(journal.apply)
            db.session.remove()

    threads = [threading.Thread(target=drain_into, args=(journal,)) for journal in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(event_id for journal in journals for event_id, _ in journal.news) == events


def test_what_opens_a_checkout_is_not_kept() -> None:
    back = "http://localhost:8000/checkout/secret-token/return"
    redirect = {"redirect_to_url": {"return_url": back, "url": "http://127.0.0.1:8002/challenge"}}
    action = {"status": "requires_action", "next_action": redirect, "amount_received": 0}
    hosted = {"object": "checkout.session", "success_url": back, "cancel_url": back}
    for event_id in (
        received("payment_intent.requires_action", object=action),
        received("checkout.session.async_payment_failed", object=hosted),
    ):
        payload = str(row_of(event_id).payload)
        assert "secret-token" not in payload
        assert "checkout" in payload or "challenge" in payload


def test_a_message_whose_object_belongs_to_another_payment_is_applied_to_none() -> None:
    """Whoever can make objects in our account could name anybody's payment in them."""
    victim = ids.new("payment")
    planned(INTENT, subject_id=victim)
    forged = ours(subject=ids.new("payment"))
    forged["data"]["object"]["metadata"]["subject"] = victim
    without_call = an_event(subject=victim, object={"metadata": {"subject": victim}})
    for event in (forged, without_call):
        event_id = taken_in(event)
        assert drained().news == []
        row = row_of(event_id)
        assert (row.due_at, row.processed_at, row.tries) == (None, None, 1)
        assert (row.error or "").startswith("foreign_object")


@pytest.mark.parametrize("is_of_ours", [True, False])
def test_a_refund_that_nobody_here_asked_for_is_asked_about_before_it_is_closed(
    *, is_of_ours: bool
) -> None:
    refund = {"id": "re_dashboard", "payment_intent": "pi_1", "metadata": {}}
    event_id = taken_in(an_event("refund.created", object=refund))
    asked: list[str | None] = []

    def apply(_event: Event, outcome: Outcome) -> None:
        asked.append(outcome.intent_id)
        if is_of_ours:
            raise RefundMadeElsewhere

    inbox.drain(apply)
    row = row_of(event_id)
    assert asked == ["pi_1"]
    assert (row.processed_at is None, row.due_at) == (is_of_ours, None)
    word = "refund_made_elsewhere" if is_of_ours else "not_ours"
    assert (row.error or "").startswith(word)


def test_a_message_about_a_call_that_was_never_made_here_waits_for_a_person() -> None:
    event_id = taken_in(an_event(subject=ids.new("payment")))
    for turn in range(8):
        assert drained(seconds=turn * 700.0).news == []
    row = row_of(event_id)
    assert (row.due_at, row.processed_at) == (None, None)
    assert (row.error or "").startswith("unknown_operation")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"livemode": True}, "other_mode"), ({"account": "acct_other"}, "other_account")],
)
def test_a_message_of_another_mode_or_account_is_refused_and_listed_once(
    changes: dict[str, Any], reason: str
) -> None:
    event = an_event(**changes)
    for _ in range(3):
        with pytest.raises(BadEvent):
            taken_in(event)
    with db.transaction(db.ADMIN):
        listed = [(one.event_id, one.reason) for one in refused_events()]
        assert listed == [(event["id"], reason)]
        assert db.session.execute(text("SELECT count(*) FROM provider_event")).scalar_one() == 0


def test_a_message_that_was_discarded_is_closed_with_its_reason_and_never_applied() -> None:
    event_id = taken_in(an_event(subject="pay_1", object={"metadata": {"subject": "pay_1"}}))
    with db.transaction(db.WORKER):
        assert not inbox.discard(event_id, because="Too early."), "it still waits for the workers"
    drained()
    with db.transaction(db.ADMIN):
        assert inbox.discard(event_id, because="A test of somebody else.")
        assert not inbox.discard(event_id, because="Twice.")
        assert not inbox.retry(event_id)
    row = row_of(event_id)
    assert row.error == "discarded: A test of somebody else."
    assert row.stands is Standing.CLOSED
    assert drained(seconds=86_400).news == []
