"""Web and worker on one database with a provider beside them, and a clock that runs forward."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask

from jobs import inbox as inbox_job
from jobs import operations as operations_job
from jobs import settling, telling
from jobs.subscriptions import SETTLE
from tests.payments.bank import Bank
from tests.stories import scalar
from webapp import gateway, payments, refunds
from webapp.gateway.context import Quiet
from webapp.kernel import clock, db


class Crash(Exception):
    """A worker's end at a named point; what it had not committed is gone."""


class Crashing(Quiet):
    """A drain's context in which the worker ends at one point, once."""

    def __init__(self) -> None:
        self.point: str | None = None

    def hook(self, name: str) -> None:
        """End the worker here if this is the point."""
        if name == self.point:
            self.point = None
            raise Crash(name)


@dataclass
class Stage:
    """Web and worker on one database, the provider, and a clock that only runs forward."""

    worker: Flask
    bank: Bank
    now: dt.datetime
    context: Crashing = field(default_factory=Crashing)
    seen: Counter[str] = field(default_factory=Counter)

    def work(self) -> None:
        """Let the workers work until nothing is due, lost answers and dead workers included."""
        for _round in range(8):
            with clock.standing_at(self.now), self.as_worker():
                self._drain()
                settled = telling.tell(SETTLE, settling.settle)
                left = refunds.release_due()
                waits = _open_operations()
            if not (waits or settled or left):
                return
            self.now += dt.timedelta(seconds=4)
        raise AssertionError("the workers do not come to an end")

    @contextmanager
    def as_worker(self) -> Iterator[None]:
        """Work as a worker's process."""
        with self.worker.app_context(), db.scoped(db.WORKER):
            try:
                yield
            finally:
                db.session.remove()

    def _drain(self) -> None:
        loses = self.bank.loses
        try:
            gateway.operations.drain(operations_job.apply, context=self.context)
        except Crash:
            self.seen["worker ended"] += 1
            db.session.remove()
        self.seen["answer lost"] += loses is not None and self.bank.loses is None
        told, self.bank.told = self.bank.told, []
        for body in [*told, *reversed(told)]:
            gateway.inbox.receive(body, "")
        gateway.inbox.drain(inbox_job.apply)

    def sweep(self) -> None:
        """Do what time brings, and the work that follows."""
        for chore in (payments.expire_due, payments.look_again, refunds.look_again):
            with clock.standing_at(self.now), self.as_worker():
                chore()
            self.work()


def _open_operations() -> int:
    return int(scalar("SELECT count(*) FROM provider_operation WHERE due_at IS NOT NULL"))
