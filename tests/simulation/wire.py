"""Connections to the real Postgres whose every COMMIT and lock is a place where the end may come.

The one-millisecond `lock_timeout` keeps the one thread from ever waiting for another actor; who
meets a lock stands at a hook first, so that its holder may go on before the code tries again.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from tests.simulation.world import Actor, World
from webapp.kernel import db

OPTIONS = (
    "-c lock_timeout=1 -c timezone=UTC -c synchronous_commit=off -c jit=off"
    " -c plan_cache_mode=force_generic_plan"
)
_LOCKING = ("FOR UPDATE", "advisory", "ledger_post(", "INSERT INTO balance")
_SET_CLOCK = "SELECT set_config('app.fake_now', %s, false)"
#: How a transaction of the product's begins, and what is asked in the same breath.
_SCOPE = "SELECT set_config('app.merchant', %(merchant)s, true)"
_AND_CLOCK = ", set_config('app.fake_now', %(fake_now)s, false)"
#: The share of an actor's COMMITs whose connection is cut, half of them before, half after.
CUT_SHARE = 0.02
_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
_LOOKS, _BETWEEN_LOOKS = 100_000, 0.0002


class Switchboard:
    """Which world the connections of this process belong to now, and their superuser."""

    def __init__(self) -> None:
        self.world: World | None = None
        self.database = ""
        self.superuser: psycopg.Connection[Any] | None = None
        self._is_locking: dict[str, bool] = {}

    def ask(self, statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Ask the database as its superuser, beside everything."""
        if self.superuser is None:
            raise RuntimeError("no database is connected")
        cursor = self.superuser.execute(statement, params)
        return cursor.fetchall() if cursor.description else []

    def bury(self, wire: Wire) -> None:
        """Close a socket as the kernel does for the dead, and wait until its backend has gone."""
        if wire.backend:
            pid, wire.backend = wire.backend, 0
            wire.pgconn.finish()
            self.ask("SELECT pg_terminate_backend(%s)", (pid,))
            _see_off(pid)

    def takes_lock(self, statement: str) -> bool:
        """Whether a statement locks rows or names."""
        known = self._is_locking.get(statement)
        if known is None:
            known = any(word in statement for word in _LOCKING)
            self._is_locking[statement] = known
        return known


BOARD = Switchboard()


def _see_off(pid: int) -> None:
    """Wait until a process has gone; Postgres itself would look only every tenth of a second."""
    for _ in range(_LOOKS):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass
        time.sleep(_BETWEEN_LOOKS)
    raise RuntimeError(f"the database process {pid} does not end")


class WireCursor(psycopg.Cursor[Any]):
    """Tells the database the time before each statement, and stands still after each lock."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> Self:
        """Run one statement."""
        wire, world = self.connection, BOARD.world
        if world is None or not isinstance(wire, Wire) or wire.actor is None:
            if isinstance(wire, Wire) and world is not None:
                wire.tell_time(world.now)
            return super().execute(query, params, **more)
        query, params = wire.with_time(query, params, world.now)
        try:
            super().execute(query, params, **more)
        except psycopg.errors.LockNotAvailable:
            world.blocked[wire.actor.holds] += 1
            world.hook("lock.busy")
            raise
        if isinstance(query, str) and BOARD.takes_lock(query):
            world.hook("lock.taken")
        return self


class Wire(psycopg.Connection[Any]):
    """A connection that knows who holds it; `actor` is None for the harness and in the pool."""

    actor: Actor | None = None
    backend: int = 0
    _told: dt.datetime | None = None

    def tell_time(self, now: dt.datetime) -> None:
        """Set the database's clock for this session where it has gone on since."""
        if self._told != now:
            psycopg.Cursor(self).execute(_SET_CLOCK, [now.isoformat()])
            self._told = now

    def with_time(self, query: Any, params: Any, now: dt.datetime) -> tuple[Any, Any]:
        """Tell the time ahead of a statement, or in it where it begins a transaction."""
        if self._told == now:
            return query, params
        if not isinstance(query, str) or not query.startswith(_SCOPE):
            self.tell_time(now)
            return query, params
        self._told = now
        return query + _AND_CLOCK, {**params, "fake_now": now.isoformat()}

    def commit(self) -> None:
        """Commit; the world may stop or cut us on either side of it."""
        world = BOARD.world
        if world is None or self.actor is None or not db.in_transaction():
            super().commit()
            return
        world.hook("commit.before")
        cut = None
        if not world.is_calm and world.chance.random() < CUT_SHARE:
            cut = world.chance.choice(("before", "after"))
        if cut != "before":
            super().commit()
        if cut is not None:
            world.coverage.answers[f"commit cut {cut}"] += 1
            world.note(f"{self.actor.name} COMMIT CUT {cut}")
            world.unfinished[self.actor.holds] += 1
            BOARD.bury(self)
            raise psycopg.OperationalError("the connection was lost during COMMIT")
        world.hook("commit.after")

    def rollback(self) -> None:
        """Roll back, which also takes back the time that was told in it.

        It is sent past psycopg, which would forget its prepared statements with every rollback.
        """
        status = self.info.transaction_status
        if status is not TransactionStatus.IDLE:
            self._told = None
        if status in _OPEN:
            self.pgconn.exec_(b"ROLLBACK")
        else:
            super().rollback()


def engine(dsn_of: Callable[[str], str]) -> Engine:
    """Return an engine for one role, on whichever database the board is at when it connects.

    Its pool never waits and is never emptied by one fault.
    """

    def connect() -> Wire:
        wire = Wire.connect(
            dsn_of(BOARD.database), options=OPTIONS, cursor_factory=WireCursor, prepare_threshold=2
        )
        wire.prepared_max = None
        wire.backend = wire.info.backend_pid
        return wire

    made = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=24,
        max_overflow=-1,
        pool_use_lifo=True,
        hide_parameters=True,
    )
    event.listen(made, "checkout", _take)
    event.listen(made, "checkin", _give_back)
    event.listen(made, "handle_error", _keep_pool)
    return made


def _take(wire: Any, _record: Any, _proxy: Any) -> None:
    actor = BOARD.world.current if BOARD.world else None
    wire.actor = actor
    if actor is not None:
        actor.wires.add(wire)


def _give_back(wire: Any, _record: Any) -> None:
    if wire is not None and wire.actor is not None:
        wire.actor.wires.discard(wire)
        wire.actor = None


def _keep_pool(context: Any) -> None:
    context.invalidate_pool_on_disconnect = False
