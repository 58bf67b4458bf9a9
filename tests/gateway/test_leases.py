"""Workers that die, freeze or race: one claim has one holder, and one charge has one effect."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.gateway.conftest import Worker
from tests.gateway.working import (
    INTENT,
    POINTS,
    Book,
    Stopping,
    a_charge,
    effects,
    planned,
    row_of,
    some_charges,
)
from tests.provider_process import HERE
from webapp.gateway import State, operations, policy
from webapp.gateway.context import Quiet
from webapp.kernel import clock, db

pytestmark = pytest.mark.races


def later(seconds: float) -> dt.datetime:
    return clock.now() + dt.timedelta(seconds=seconds)


def in_thread(worker: Worker, work: Callable[[], None]) -> threading.Thread:
    """Run `work` as another worker beside this one."""

    def run() -> None:
        with worker.app.app_context():
            work()
            db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_any_point_costs_its_lease_and_nothing_else(
    worker: Worker, point: str
) -> None:
    charge = a_charge()
    command = [sys.executable, "-m", "tests.gateway.working", point]
    ended = subprocess.run(command, cwd=HERE, env=worker.environment, check=False, timeout=60)
    assert ended.returncode == 9
    if point != "operation.completed":
        assert row_of(charge.id).state == State.IN_FLIGHT
        assert operations.drain(Book().apply) == 0, "the lease of the dead still holds"
    with clock.standing_at(later(11)):
        operations.drain(Book().apply)
    row = row_of(charge.id)
    assert (row.state, row.claims) == (State.SUCCEEDED, 0)
    assert effects(charge.id) == 1
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_an_operation_that_ends_its_worker_each_time_is_set_aside(worker: Worker) -> None:
    charge = a_charge()

    class Died(BaseException):
        """A worker's sudden end."""

    def die() -> None:
        raise Died

    for turn in range(policy.QUARANTINE_AFTER_CLAIMS):
        with clock.standing_at(later(11 * turn)), pytest.raises(Died):
            operations.drain(Book().apply, context=Stopping("operation.before_send", die))
    other = planned(INTENT)
    with clock.standing_at(later(40)):
        operations.drain(Book().apply)
    row = row_of(charge.id)
    assert (row.state, row.claims) == (State.MANUAL, 3)
    assert row_of(other.id).state == State.SUCCEEDED, "the ones behind it go on"
    assert worker.sandbox.charges(charge.subject_id) == 0


def test_a_worker_that_slept_through_its_lease_walks_away(worker: Worker) -> None:
    charge = a_charge()
    mine, others = Book(), Book()

    def take_over() -> None:
        with clock.standing_at(later(11)):
            in_thread(worker, lambda: _drain(others)).join()

    operations.drain(mine.apply, context=Stopping("operation.after_send", take_over))
    assert (len(mine.answers), len(others.answers)) == (0, 1)
    assert effects(charge.id) == 1
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_a_worker_that_lost_its_lease_while_applying_leaves_no_effect(worker: Worker) -> None:
    charge = a_charge()
    mine, others = Book(), Book()

    def take_over() -> None:
        with clock.standing_at(later(11)):
            in_thread(worker, lambda: _drain(others)).join()

    operations.drain(mine.apply, context=Stopping("operation.applied", take_over))
    assert (len(mine.answers), len(others.answers)) == (1, 1)
    assert effects(charge.id) == 1, "the effect of the one without a lease was rolled back"
    assert row_of(charge.id).state == State.SUCCEEDED


def test_a_failure_reported_after_the_lease_was_lost_changes_nothing(worker: Worker) -> None:
    charge = a_charge()
    worker.sandbox.fault("drop_after", endpoint="payment_intents.confirm")

    class TakenOver(Quiet):
        @contextmanager
        def heartbeat(self, beat: Callable[[], bool]) -> Iterator[None]:
            """Lose the lease once the call has failed."""
            try:
                yield
            finally:
                with clock.standing_at(later(11)):
                    in_thread(worker, lambda: _drain(Book())).join()
                assert not beat()

    operations.drain(Book().apply, context=TakenOver())
    assert row_of(charge.id).state == State.SUCCEEDED
    assert effects(charge.id) == 1


def test_a_heartbeat_keeps_the_lease_but_not_for_ever(worker: Worker) -> None:
    charge = a_charge()
    beats: list[bool] = []

    class Slow(Quiet):
        @contextmanager
        def heartbeat(self, beat: Callable[[], bool]) -> Iterator[None]:
            """Beat as during a call of 40 seconds."""
            now = clock.now()
            for turn in range(1, policy.MOST_BEATS + 2):
                with clock.standing_at(now + dt.timedelta(seconds=3 * turn)):
                    beats.append(beat())
            yield

        def hook(self, name: str) -> None:
            """See what the lease is when the answer is there."""
            if name == "operation.after_send":
                until = row_of(charge.id).lease_until
                assert until is not None
                assert until > later(30)

    operations.drain(Book().apply, context=Slow())
    assert beats == [True] * policy.MOST_BEATS + [False]
    assert effects(charge.id) == 1
    assert worker.sandbox.charges(charge.subject_id) == 1


def test_eight_workers_share_the_work_and_none_is_done_twice(worker: Worker) -> None:
    charges = some_charges(16)
    books = [Book() for _ in range(8)]

    def drain_into(book: Book) -> Callable[[], None]:
        return lambda: _drain(book)

    threads = [in_thread(worker, drain_into(book)) for book in books]
    for thread in threads:
        thread.join()
    applied = sorted(answered for book in books for answered, _ in book.answers)
    assert applied == sorted(charge.id for charge in charges)
    assert sum(bool(book.answers) for book in books) > 1, "the work was shared"
    for charge in charges:
        assert effects(charge.id) == 1
        assert worker.sandbox.charges(charge.subject_id) == 1


def _drain(book: Book) -> None:
    operations.drain(book.apply)
