"""One sweeper leads; the schedule runs what is due; the net has everything done that is due."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import redis

from jobs import queues, schedule, sweeper
from jobs.schedule import Chore, Rounds
from jobs.sweeper import Leadership, Net
from tests.jobs.working import Ground, until
from webapp.kernel import db, wake


@pytest.mark.races
def test_of_two_sweepers_one_leads_and_the_other_takes_over(ground: Ground) -> None:
    first, second = Leadership(), Leadership()
    assert first.is_held()
    assert not second.is_held()
    assert first.is_held()
    first.give_up()
    until(second.is_held, seconds=3, what="the other leads")
    assert not first.is_held()
    second.give_up()


@pytest.mark.races
def test_when_the_leaders_connection_dies_the_other_leads_within_three_seconds(
    ground: Ground,
) -> None:
    first, second = Leadership(), Leadership()
    assert first.is_held()
    killed = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks"
        " WHERE locktype = 'advisory' AND objid = %(lock)s AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    assert ground.query(killed, lock=sweeper.LOCK) == [True]
    assert until(second.is_held, seconds=3, what="the other leads") < 3
    assert not first.is_held()
    first.give_up()
    second.give_up()


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_chore_is_done_as_often_as_the_table_says(ground: Ground) -> None:
    done: list[str] = []
    clock = Clock()
    rounds = Rounds(
        [
            Chore("often", 1, lambda: done.append("often")),
            Chore("seldom", 10, lambda: done.append("seldom")),
        ],
        now=clock,
    )
    for tick in range(21):
        clock.at = tick / 2
        rounds.go()
    assert done.count("often") == 11
    assert done.count("seldom") == 2


def test_a_chore_that_fails_stops_no_other_and_is_tried_again(ground: Ground) -> None:
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        raise KeyError("x")

    clock = Clock()
    rounds = Rounds([Chore("fails", 1, fail), Chore("works", 1, lambda: None)], now=clock)
    assert rounds.go() == ["works"]
    clock.at = 1.0
    assert rounds.go() == ["works"]
    assert len(tries) == 2


def test_every_chore_of_the_schedule_runs_on_an_empty_database(ground: Ground) -> None:
    """As the worker role, with its rights and its policies."""
    chores = [*schedule.RELAY, *schedule.SWEEPER]
    assert Rounds(chores).go() == [chore.name for chore in chores]


@dataclass
class AKind:
    """A kind of work that notes what is asked of it."""

    name: str = "operations"
    due: bool = True
    drained: list[str] = field(default_factory=list)

    def is_due(self) -> bool:
        return self.due

    def drain(self) -> int:
        self.drained.append(self.name)
        return 1


@pytest.fixture
def without_valkey(ground: Ground) -> Iterator[None]:
    """Point the process at a Valkey that is not there."""
    wake.use("redis://127.0.0.1:1")
    yield
    wake.use(ground.stores.redis_url)


def test_due_work_is_given_to_a_worker(ground: Ground) -> None:
    asked: list[str] = []
    kind, idle = AKind(), AKind("mail", due=False)

    def enqueue(name: str) -> bool:
        asked.append(name)
        return True

    net = Net([kind, idle], enqueue=enqueue)  # type: ignore[list-item]
    net.sweep()
    assert asked == ["operations"]
    assert kind.drained == idle.drained == []


@pytest.mark.usefixtures("without_valkey")
def test_after_two_seconds_without_valkey_the_sweeper_works_itself() -> None:
    clock, kind = Clock(), AKind()
    net = Net([kind], enqueue=lambda _name: False, now=clock)  # type: ignore[list-item]
    clock.at = 1.9
    net.sweep()
    assert kind.drained == []
    clock.at = 2.0
    net.sweep()
    assert kind.drained == ["operations"]


@pytest.mark.usefixtures("without_valkey")
def test_nothing_that_asks_valkey_raises_when_it_is_away() -> None:
    assert queues.enqueue("operations") is False
    wake.ping("facts")
    wake.beat("worker", started_at=0)
    wake.leave("worker")
    assert wake.processes() == []


def test_a_queued_job_is_plain_json_and_names_only_a_kind_of_work(ground: Ground) -> None:
    connection = redis.Redis.from_url(ground.stores.redis_url)
    connection.flushall()
    assert queues.enqueue("inbox")
    (job_id,) = queues.queue(connection).get_job_ids()
    body = connection.hget(f"rq:job:{job_id}", "data")
    connection.close()
    assert b"\x80" not in body, "no pickle"  # type: ignore[operator]
    assert json.loads(zlib.decompress(body)) == ["jobs.inbox.drain", None, [], {}]  # type: ignore[arg-type]


def test_every_kind_says_whether_it_is_due_as_the_worker_role(ground: Ground) -> None:
    with ground.app.app_context():
        db.use_scope(db.WORKER)
        due = {name: kind.is_due() for name, kind in queues.KINDS.items()}
        assert due.pop("proofs"), "the checks were never made"
        assert not any(due.values())
        db.session.remove()
