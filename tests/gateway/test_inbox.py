"""The inbox: kept once, applied once, in any order, and never lost."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from sqlalchemy import text

from tests.gateway.conftest import Worker
from tests.gateway.signing import an_event, raw, signature
from tests.gateway.working import Stopping
from webapp.gateway import BadSignature, Event, Outcome, ProviderEvent, Result, events_of, inbox
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


def received(kind: str = "payment_intent.succeeded", **changes: Any) -> str:
    body = raw(an_event(kind, **changes))
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
    body = raw(an_event())
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


def test_a_message_that_ends_its_worker_is_counted_and_lets_the_others_pass() -> None:
    bad = received()

    class Died(BaseException):
        """A worker's sudden end."""

    def die() -> None:
        raise Died

    for turn in range(8):
        moment = clock.now() + dt.timedelta(seconds=11 * turn)
        with clock.standing_at(moment), pytest.raises(Died):
            inbox.drain(Journal().apply, context=Stopping("inbox.applied", die))
    good = received()
    assert drained(seconds=200).news == [(good, Result.SUCCEEDED)]
    row = row_of(bad)
    assert (row.due_at, row.processed_at) == (None, None)
    assert row.error == "ended its worker each time"


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
