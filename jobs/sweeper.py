"""The sweeper: the net under every wake-up, and the holder of the schedule.

Several may run; one leads, by an advisory lock that its own connection holds for as long as it
lives. While Valkey is away for two seconds the leader does the workers' work itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

import redis
import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from jobs import context, queues, schedule
from jobs.faults import FAULTS, describe
from jobs.queues import Kind
from webapp.kernel import db, wake

LOCK = 7_401_002
TICK_SECONDS = 1.0
#: How long Valkey may be silent before the sweeper drains by itself.
PATIENCE_SECONDS = 2.0
_log = structlog.get_logger(__name__)


def main() -> int:
    """Run until asked to stop; returns the exit status."""
    process = context.start("sweeper")
    context.stop_on_signals(process)
    crew = context.Crew(process)
    crew.add_beat()
    leadership = Leadership()
    rounds = schedule.Rounds(schedule.SWEEPER)
    net = Net(queues.KINDS.values())
    while not process.stop.is_set():
        began = time.monotonic()
        if leadership.is_held():
            net.sweep()
            rounds.go()
        process.stop.wait(max(0.05, TICK_SECONDS - (time.monotonic() - began)))
    leadership.give_up()
    return crew.finish()


class Leadership:
    """The advisory lock, on a connection that does nothing else; gone with it, whatever happens."""

    def __init__(self, lock: int = LOCK) -> None:
        self._lock = lock
        self._connection: Connection | None = None

    def is_held(self) -> bool:
        """Whether this process leads, having tried to if it did not; False without a database."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            return self._try()
        except SQLAlchemyError as lost:
            _log.warning("leadership_lost", error=describe(lost))
            self.give_up()
            return False

    def give_up(self) -> None:
        """Let somebody else lead."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _try(self) -> bool:
        with context.here().app.app_context():
            engines = db.db.engines
            engine = engines.get(db.Role.WORKER.value) or engines[None]
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        taken = connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": self._lock})
        if not taken:
            connection.close()
            return False
        self._connection = connection
        _log.info("leading")
        return True


class Net:
    """Finds due work of every kind and has it done: by a worker, or here without Valkey."""

    def __init__(
        self,
        kinds: Iterable[Kind],
        *,
        enqueue: Callable[[str], bool] = queues.enqueue,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kinds = tuple(kinds)
        self._enqueue = enqueue
        self._now = now
        self._answered_at = now()

    def sweep(self) -> None:
        """Have all due work done that nobody was woken for."""
        if _valkey_answers():
            self._answered_at = self._now()
        is_alone = self._now() - self._answered_at >= PATIENCE_SECONDS
        for kind in self._kinds:
            self._sweep(kind, is_alone=is_alone)

    def _sweep(self, kind: Kind, *, is_alone: bool) -> None:
        try:
            with context.working():
                is_due = kind.is_due()
            if is_due and is_alone:
                _log.warning("draining_without_valkey", kind=kind.name)
                kind.drain()
            elif is_due:
                self._enqueue(kind.name)
        except FAULTS as fault:
            _log.warning("sweep_failed", kind=kind.name, error=describe(fault))


def _valkey_answers() -> bool:
    try:
        return bool(wake.client().ping())
    except redis.RedisError:
        return False


if __name__ == "__main__":
    sys.exit(main())
