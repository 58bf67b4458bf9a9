"""The places where the simulation stands in for the world, each a name that the product looks up.

Nothing in the product knows of this: the stand-ins are put there for one schedule and taken away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any
from unittest.mock import patch

from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

import jobs.context
import jobs.inbox
import jobs.operations
import jobs.sender
import webapp.realtime
import webapp.realtime.knocks
from jobs.subscriptions import CONSUMERS
from tests import portal
from tests.simulation.chance import SeededSecrets
from tests.simulation.forgetful import Forgetful
from tests.simulation.provider import SimProvider
from tests.simulation.wire import BOARD
from tests.simulation.world import World
from webapp import gateway
from webapp.accounts import passwords
from webapp.gateway import claims
from webapp.gateway.claims import Claim
from webapp.kernel import db, ids, wake
from webapp.outbox import Fact

_TRANSACTION = text("SELECT pg_current_xact_id()::text")
_NO_PASSWORD = "$argon2id$v=19$m=8,t=1,p=1$c2ltdWxhdGVk$c2ltdWxhdGVk"
Consumer = Callable[[Sequence[Fact]], None]


class SimContext:
    """What drains need: hooks are the scheduler's, the stopwatch stands, the beat is a chance."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._beat: Callable[[], bool] | None = None

    def heartbeat(self, beat: Callable[[], bool]) -> AbstractContextManager[None]:
        """Beat now and then at the hooks inside the block, as the thread beside it would."""
        self._beat = beat
        return nullcontext()

    def hook(self, name: str) -> None:
        """Stand at a named point; between two of them the lease may have been prolonged."""
        if name == "operation.completed" and self._world.current is not None:
            self._world.current.let_go()
        self._world.hook(name)
        if name == "operation.before_send" and self._beat and self._world.chance.random() < 0.1:
            self._beat()
        if name == "operation.after_send":
            self._beat = None

    def clock(self) -> float:
        """Return seconds that never pass: drains end by their number."""
        return 0.0


class SenderLog:
    """What the sender says to its log, where it does not raise what it meets."""

    def __init__(self, world: World) -> None:
        self._world = world

    def warning(self, event: str, **_told: object) -> None:
        """Note what passes."""
        self._world.note(f"sender {event}")

    def error(self, event: str, *, error: str, **_told: object) -> None:
        """Note as wrong what the database never lets it write."""
        self._world.wrong(f"the sender says {event}: {error}")


class Ear:
    """Who was told what, whatever the tellers remember of it.

    A telling whose transaction came to nothing is none: what the consumer wrote is not there.
    """

    def __init__(self) -> None:
        #: By consumer, each fact that it was told with the transactions in which it was.
        self.heard: dict[str, dict[str, list[str]]] = {name: {} for name in CONSUMERS}
        #: Each answer and message that was applied, by its call's or its own id, likewise.
        self.applied: dict[str, list[str]] = {}

    def consumers(self) -> dict[str, Consumer]:
        """Return the product's consumers, each with an ear at it."""
        return {name: partial(self._tell, name, consumer) for name, consumer in CONSUMERS.items()}

    def _tell(self, name: str, consumer: Consumer, facts: Sequence[Fact]) -> None:
        consumer(facts)
        transaction = _transaction()
        for fact in facts:
            self.heard[name].setdefault(fact.id, []).append(transaction)

    def applies(self, apply: Callable[..., None]) -> Callable[..., None]:
        """Return what applies an answer or a message, with an ear at it."""

        def heard(about: Any, answer: Any) -> None:
            apply(about, answer)
            self.applied.setdefault(about.id, []).append(_transaction())

        return heard


def _noting(world: World, take: Callable[[], Claim | None]) -> Claim | None:
    """Claim a call, and note who holds it; while they wait in there its lease may run out."""
    began, claim = world.now, take()
    if claim is not None and world.current is not None:
        world.current.holds = claim.operation.id
        if world.now != began:
            world.give_up(world.current)
    return claim


def _transaction() -> str:
    """Return the number of the transaction that is under way."""
    return str(db.session.execute(_TRANSACTION).scalar_one())


@contextmanager
def stand_ins(world: World, provider: SimProvider, valkey: Forgetful, ear: Ear) -> Iterator[None]:
    """Put the simulated world in place of the real one for one schedule."""
    BOARD.world = world
    world.bury = BOARD.bury
    gateway.put(provider)
    with ExitStack() as stack:
        for target, name, stand_in in (
            (ids, "secrets", SeededSecrets(world.chance)),
            (wake, "ping", valkey.wake),
            (wake, "client", lambda: valkey),
            (webapp.realtime, "send", valkey.send),
            (webapp.realtime, "send_softly", valkey.send_softly),
            (passwords, "hash_password", lambda _password: _NO_PASSWORD),
            (jobs.context, "DrainContext", lambda: SimContext(world)),
            (claims, "take", partial(_noting, world, claims.take)),
            (jobs.sender, "_log", SenderLog(world)),
            (jobs.operations, "apply", ear.applies(jobs.operations.apply)),
            (jobs.inbox, "apply", ear.applies(jobs.inbox.apply)),
        ):
            stack.enter_context(patch.object(target, name, stand_in))
        yield
    BOARD.world = None


def as_worker_process(app: Flask, settings: object) -> None:
    """Make this process one in which jobs may work, and tell time by the wires alone."""
    process = jobs.context.Process("sim", settings, app, 0.0, threading.Event())  # type: ignore[arg-type]
    jobs.context.put(process)
    if event.contains(Session, "after_begin", portal._same_moment):  # noqa: SLF001 - its twin
        event.remove(Session, "after_begin", portal._same_moment)  # noqa: SLF001 - its twin
