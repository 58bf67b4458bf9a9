"""Facts are told at least once, and once in what a consumer writes; nobody waits for a bad one."""

from __future__ import annotations

import datetime as dt
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Barrier, Thread

import pytest
from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from jobs import context, telling
from tests.jobs.working import Ground, note_told
from webapp import dead_letters, outbox
from webapp.kernel import clock, db
from webapp.kernel.errors import NotFound
from webapp.kernel.paging import PageRequest
from webapp.outbox import Fact


def tell(consumer: telling.Consumer, *, name: str = "note", at_most: int = telling.AT_MOST) -> int:
    with context.working():
        return telling.tell(name, consumer, at_most=at_most)


def test_what_was_told_is_no_longer_due(ground: Ground) -> None:
    ground.make_told_table()
    written = ground.facts(7, "note", "other")
    assert tell(note_told) == 7
    assert sorted(ground.query("SELECT fact_id FROM told")) == written
    assert ground.due("note") == []
    assert ground.due("other") == written
    assert tell(note_told) == 0


@pytest.mark.races
def test_four_relays_share_the_work_with_no_doubles(ground: Ground) -> None:
    ground.make_told_table()
    written = ground.facts(400, "note")
    start = Barrier(4)
    shares: list[int] = []

    def relay() -> None:
        start.wait()
        share = 0
        while told := tell(note_told, at_most=20):
            share += told
        shares.append(share)

    threads = [Thread(target=relay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert Counter(ground.query("SELECT fact_id FROM told")) == Counter(written)
    assert sum(shares) == 400
    assert ground.due("note") == []


def test_a_batch_that_is_too_much_for_the_database_gets_smaller_until_it_passes(
    ground: Ground,
) -> None:
    ground.make_told_table()
    written = ground.facts(40, "note")

    def choking(facts: Sequence[Fact]) -> None:
        if len(facts) > 7:
            raise OperationalError("", {}, QueryCanceled())
        note_told(facts)

    batch, tries = telling.Batch(), 0
    while ground.due("note"):
        tries += 1
        assert tries < 40, "it never got small enough"
        with context.working(), suppress(telling.Away):
            batch.tell("note", choking)
    assert sorted(ground.query("SELECT fact_id FROM told")) == written
    assert set(ground.query("SELECT count(*) FROM told")) == {40}


def test_a_batch_is_as_large_as_ever_once_its_store_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def tell_some(_name: str, _consumer: telling.Consumer, *, at_most: int) -> int:
        asked.append(at_most)
        if len(asked) <= 4:
            raise telling.Away
        return at_most

    monkeypatch.setattr(telling, "tell", tell_some)
    batch = telling.Batch()
    for _ in range(8):
        with suppress(telling.Away):
            batch.tell("note", note_told)
    assert asked == [500, 500, 250, 125, 62, 124, 248, 496]


@pytest.mark.requirement("S1-13")
def test_a_consumer_that_is_down_is_told_everything_once_it_is_back(ground: Ground) -> None:
    ground.make_told_table()
    written = ground.facts(5, "note", "other")

    def is_down(_facts: Sequence[Fact]) -> None:
        raise RuntimeError("down")

    tell(is_down)
    assert ground.due("note") == written, "nothing is lost while the consumer is down"
    assert tell(note_told, name="other") == 5, "and nobody else waits for it"
    ground.query("DELETE FROM told")
    ground.query("UPDATE outbox_due SET due_at = clock_now()")
    assert tell(note_told) == 5
    assert sorted(ground.query("SELECT fact_id FROM told")) == written


def test_one_bad_fact_delays_no_other_and_is_put_off_longer_each_time(ground: Ground) -> None:
    ground.make_told_table()
    written = ground.facts(30, "note")
    bad = written[11]

    def choke(facts: Sequence[Fact]) -> None:
        note_told(facts)
        if bad in [fact.id for fact in facts]:
            raise KeyError("snapshot")

    tell(choke)
    assert ground.due("note") == [bad]
    assert len(ground.query("SELECT fact_id FROM told")) == 29, "what the bad one wrote is undone"
    assert ground.query("SELECT tries FROM outbox_due") == [1]
    assert ground.query("SELECT last_error FROM outbox_due") == ["KeyError: 'snapshot'"]
    waits = []
    for _ in range(6):
        ground.query("UPDATE outbox_due SET due_at = clock_now()")
        tell(choke)
        waits += ground.query(
            "SELECT extract(epoch FROM due_at - clock_now())::float FROM outbox_due"
        )
    assert waits == sorted(waits)
    assert 3 < waits[0] < 5
    assert waits[-1] > 100


def test_after_eight_tries_a_bad_fact_is_set_aside_where_it_can_be_seen(ground: Ground) -> None:
    ground.facts(1, "note")

    def choke(_facts: Sequence[Fact]) -> None:
        raise ValueError("never")

    for _ in range(telling.GIVE_UP_AFTER):
        ground.query("UPDATE outbox_due SET due_at = clock_now()")
        tell(choke)
    assert ground.query("SELECT tries FROM outbox_due") == [8]
    assert ground.query("SELECT due_at > clock_now() + interval '1000 years' FROM outbox_due") == [
        True
    ]
    assert tell(choke) == 0
    with context.working():
        assert outbox.waiting_counts() == {}, "it waits for a person, not for the relay"
        with db.scoped(db.ADMIN):
            (aside,) = dead_letters.listed(page=PageRequest()).rows
        assert (aside.what, aside.error) == ("test.happened for note", "ValueError: never")
        fact_id = aside.id.removesuffix("_note")
        with db.transaction(db.WORKER):
            outbox.tell_again("note", fact_id)
        with db.scoped(db.ADMIN):
            assert dead_letters.listed(page=PageRequest()).rows == ()
        with pytest.raises(NotFound), db.transaction(db.WORKER):
            outbox.tell_again("note", fact_id)
    ground.make_told_table()
    assert tell(note_told) == 1


def test_a_passing_fault_of_the_database_is_nobodys_fault(ground: Ground) -> None:
    written = ground.facts(3, "note")

    def lock_out(_facts: Sequence[Fact]) -> None:
        db.session.execute(text("DO $$ BEGIN RAISE SQLSTATE '55P03'; END $$"))

    with pytest.raises(telling.Away):
        tell(lock_out)
    assert ground.due("note") == written
    assert set(ground.query("SELECT tries FROM outbox_due")) == {0}


def test_what_is_not_due_yet_is_not_told(ground: Ground) -> None:
    ground.make_told_table()
    ground.facts(2, "note")
    ground.query("UPDATE outbox_due SET due_at = clock_now() + interval '1 hour'")
    assert tell(note_told) == 0
    with clock.standing_at(clock.now() + dt.timedelta(hours=2)):
        assert tell(note_told) == 2


@pytest.mark.races
def test_a_relay_killed_between_telling_and_deleting_tells_again(
    ground: Ground, tmp_path: Path
) -> None:
    """By a real process, killed as the kernel would."""
    ground.make_told_table()
    written = ground.facts(3, "note")
    log = tmp_path / "log"
    with ground.running("-m", "tests.jobs.dying_teller", log=log) as process:
        assert process.wait(30) == -signal.SIGKILL, log.read_text()
    assert "consumed 3" in log.read_text()
    assert ground.query("SELECT fact_id FROM told") == [], "its transaction died with it"
    assert ground.due("note") == written
    assert tell(note_told) == 3
    assert sorted(ground.query("SELECT fact_id FROM told")) == written
