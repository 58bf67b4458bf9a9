"""Telling one consumer its facts: many at once, and one by one where a fact makes it fail.

The rows taken are deleted in the transaction in which the consumer was called, so that a fact is
told at least once, and exactly once in what the consumer writes to the database itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import structlog

from jobs.faults import FAULTS, describe, is_passing
from jobs.subscriptions import IN_ORDER
from webapp import outbox
from webapp.kernel import clock, db
from webapp.outbox import Fact

AT_MOST = 500
GIVE_UP_AFTER = 8
LONGEST_PAUSE_SECONDS = 600
Consumer = Callable[[Sequence[Fact]], None]
_log = structlog.get_logger(__name__)


class Away(Exception):
    """A store is away or busy; nothing was told and nothing is to blame."""


def tell(name: str, consumer: Consumer, *, at_most: int = AT_MOST) -> int:
    """Tell `consumer` its oldest due facts; returns how many rows were told or put off.

    Raises Away when a store does not answer: all rows are then as they were.
    """
    try:
        return _tell_together(name, consumer, at_most)
    except FAULTS as fault:
        if is_passing(fault):
            raise Away(describe(fault)) from fault
        _log.warning("consumer_failed", consumer=name, error=describe(fault))
    done = 0
    while done < at_most and _tell_one(name, consumer):
        done += 1
    return done


class Batch:
    """How many facts a consumer is told at once: fewer where telling them takes too long.

    A store that is away twice running may be one batch that is too much for it, so each time after
    that half as many are taken; with success twice as many again.
    """

    def __init__(self) -> None:
        self.at_most = AT_MOST
        self._failures = 0

    def tell(self, name: str, consumer: Consumer) -> int:
        """Tell `consumer` its oldest due facts, as `tell` does."""
        try:
            told = tell(name, consumer, at_most=self.at_most)
        except Away:
            self._failures += 1
            if self._failures > 1:
                self.at_most = max(1, self.at_most // 2)
            raise
        self._failures = 0
        self.at_most = min(AT_MOST, self.at_most * 2)
        return told


def tell_carefully(name: str, consumer: Consumer, *, at_most: int = AT_MOST) -> int:
    """Tell `consumer` its oldest due facts one by one, each counted before it is told.

    So tells a relay that has just started: a fact whose telling ended the one before it, three
    times over, is set aside and lets the others pass. Returns how many; raises Away as `tell` does.
    """
    done = 0
    while done < at_most:
        try:
            with db.transaction(db.WORKER):
                fact_id = outbox.claim_one(name, in_order=name in IN_ORDER)
        except FAULTS as fault:
            raise Away(describe(fault)) from fault
        if fact_id is None:
            return done
        try:
            _tell_one(name, consumer, only=fact_id)
        except Away:
            _forgive(name, fact_id)
            raise
        done += 1
    return done


def _forgive(name: str, fact_id: str) -> None:
    try:
        with db.transaction(db.WORKER):
            outbox.forgive(name, fact_id)
    except FAULTS as fault:
        _log.warning("fact_not_forgiven", consumer=name, fact_id=fact_id, error=describe(fault))


def _tell_together(name: str, consumer: Consumer, at_most: int) -> int:
    with db.transaction(db.WORKER):
        facts = outbox.take_due(name, at_most=at_most, in_order=name in IN_ORDER)
        if facts:
            consumer(facts)
            outbox.told(name, facts)
        return len(facts)


def _tell_one(name: str, consumer: Consumer, *, only: str | None = None) -> bool:
    taken: list[Fact] = []
    try:
        with db.transaction(db.WORKER):
            taken += outbox.take_due(name, at_most=1, only=only, in_order=name in IN_ORDER)
            if taken:
                consumer(taken)
                outbox.told(name, taken)
    except FAULTS as fault:
        if is_passing(fault) or not taken:
            raise Away(describe(fault)) from fault
        give_up_or_put_off(name, taken[0], describe(fault))
    return bool(taken)


def give_up_or_put_off(name: str, fact: Fact, error: str) -> None:
    """Note that a fact could not be told: it is told again later, or set aside the eighth time."""
    with db.transaction(db.WORKER) as session:
        due = session.get(outbox.Due, (fact.id, name), populate_existing=True)
        if due is None:
            return
        tries = due.tries + 1
        pause = dt.timedelta(seconds=min(2**tries, LONGEST_PAUSE_SECONDS))
        until = outbox.NEVER if tries >= GIVE_UP_AFTER else clock.now() + pause
        outbox.put_off(name, fact.id, until=until, error=error)
    if tries >= GIVE_UP_AFTER:
        _log.error(
            "fact_given_up", consumer=name, fact_id=fact.id, event_name=fact.name, error=error
        )
    else:
        _log.warning("fact_put_off", consumer=name, fact_id=fact.id, tries=tries, error=error)
