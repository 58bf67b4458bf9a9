"""What is done again and again, in one table: its name, how often, and what.

Every chore may be run twice at once and at any time; the schedule only makes it timely.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from jobs import context
from jobs.faults import FAULTS, describe
from webapp import (
    accounts,
    api_log,
    audit,
    corrections,
    idempotency,
    ledger,
    orders,
    payments,
    refunds,
    webhooks,
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so many seconds; it opens its own transactions."""

    name: str
    every_seconds: float
    do: Callable[[], object]


#: Done by the relay: they follow facts closely. Two relays share them by locks inside.
RELAY: Sequence[Chore] = (
    Chore("seal the audit trail", 1, audit.seal_pending),
    Chore("fold the books' checkpoints", 10, ledger.fold_checkpoints),
)

#: Done by the sweeper that leads.
SWEEPER: Sequence[Chore] = (
    Chore("expire checkout links", 2, payments.expire_due),
    Chore("end payment links", 5, orders.end_due_payment_links),
    Chore("ask about payments that are late", 5, payments.look_again),
    Chore("let refunds leave", 1, refunds.release_due),
    Chore("ask about refunds that are late", 5, refunds.look_again),
    Chore("withdraw corrections that nobody decided on", 3600, corrections.lapse_due),
    Chore("forget old idempotency keys", 60, idempotency.sweep),
    Chore("forget old requests to the API", 60, api_log.sweep),
    Chore("forget ended sessions and old tries", 60, accounts.sweep),
    Chore("forget what the demo's receivers got", 3600, webhooks.forget_old),
    Chore("forget what receivers answered long ago", 3600, webhooks.forget_answers),
    Chore("let be what removed endpoints were to be sent", 60, webhooks.let_removed_be),
)


class Rounds:
    """A table of chores, each done when its time has come; one that fails is tried next time."""

    def __init__(
        self, chores: Sequence[Chore], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._chores = chores
        self._now = now
        self._next: dict[str, float] = {}

    def go(self) -> list[str]:
        """Do what is due; returns the names of those that were done without a fault."""
        done = []
        for chore in self._chores:
            now = self._now()
            if now < self._next.get(chore.name, now):
                continue
            self._next[chore.name] = now + chore.every_seconds
            if _do(chore):
                done.append(chore.name)
        return done


def _do(chore: Chore) -> bool:
    with context.working():
        try:
            chore.do()
        except FAULTS as fault:
            _log.warning("chore_failed", chore=chore.name, error=describe(fault))
            return False
    return True
