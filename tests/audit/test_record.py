"""Deeds are recorded with what they did, sealed soon after, and read newest first."""

from __future__ import annotations

import datetime as dt

import pytest
import structlog

from tests.audit.conftest import DEEDS, do_deeds
from tests.books import RIVAL, SHOP, rows_in
from tests.portal import Committed
from webapp import audit
from webapp.kernel import clock, db
from webapp.kernel.paging import PageRequest
from webapp.outbox import SYSTEM, Actor


@pytest.mark.requirement("S0-11", "S2-62")
def test_a_deed_says_who_did_what_to_which_object_when_and_in_which_request(
    held_trail: None,
) -> None:
    at = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    with (
        clock.standing_at(at),
        structlog.contextvars.bound_contextvars(request_id="req_1"),
        db.transaction(),
    ):
        audit.record(
            "user.suspended",
            "user",
            "usr_9",
            by=Actor("admin", "usr_1"),
            data={"because": "Fraud."},
        )
    [entry] = audit.entries_about("user", "usr_9")
    assert (entry.action, entry.actor_kind, entry.actor_id) == ("user.suspended", "admin", "usr_1")
    assert (entry.at, entry.request_id, entry.data) == (at, "req_1", {"because": "Fraud."})
    assert (entry.merchant_id, entry.livemode) == (None, None)


def test_a_deed_outside_a_transaction_is_refused(held_trail: None) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        audit.record("x", "y", "z", by=SYSTEM)
    assert rows_in("audit_entry") == DEEDS


def test_a_deed_that_is_rolled_back_was_never_done(held_trail: None) -> None:
    with pytest.raises(ZeroDivisionError):
        _record_and_fail()
    assert rows_in("audit_entry") == DEEDS
    assert rows_in("audit_unsealed") == 0


def _record_and_fail() -> None:
    with db.transaction():
        audit.record("x", "y", "z", by=SYSTEM)
        raise ZeroDivisionError


def test_the_trail_comes_in_pages_newest_first(held_trail: None) -> None:
    first = audit.recent(PageRequest(limit=5))
    assert [entry.subject_id for entry in first.rows] == [f"ord_{n}" for n in (11, 10, 9, 8, 7)]
    rest = audit.recent(PageRequest(limit=50, before=first.rows[-1].id), merchant_id=SHOP)
    assert len(rest.rows) == DEEDS - 5
    assert audit.recent(PageRequest(), merchant_id=RIVAL).rows == ()
    assert audit.recent(PageRequest(), action="order.created").rows == ()


def test_sealing_goes_on_where_it_stopped(held_trail: None) -> None:
    do_deeds(5)
    assert audit.seal_pending(at_most=3) == 3
    assert audit.seal_pending() == 2
    assert audit.seal_pending() == 0
    found = audit.verify()
    assert (found.ok, found.sealed, found.unsealed_older_than_10s) == (True, DEEDS + 5, 0)
    assert audit.head().seq == DEEDS + 5


def test_a_deed_that_nobody_sealed_for_ten_seconds_is_reported(held_trail: None) -> None:
    moment = clock.now()
    with clock.standing_at(moment):
        do_deeds(1)
        assert audit.verify().ok
    db.end_reads()
    with clock.standing_at(moment + dt.timedelta(seconds=11)):
        late = audit.verify()
    assert (late.ok, late.first_bad, late.unsealed_older_than_10s) == (False, None, 1)
    assert late.says == "1 audit row has been waiting for its seal for more than 10 seconds"


def test_only_one_seals_at_a_time(trail: Committed) -> None:
    do_deeds(2)
    with trail.connect("paydeck_worker") as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('paydeck audit seal', 0))")
        assert audit.seal_pending() == 0
    assert audit.seal_pending() == 2
