"""Publishing to a broker what is due to it, without holding the database meanwhile.

Facts are taken for half a minute and let go of, then published, then marked: so a fact is
published at least once. What a broker did not take in time stays taken until the half minute ends.
Of each object only the first fact that is still due is taken, whatever became of it, so that none
overtakes another; what dies between publishing and marking publishes the same event again, under
the same id.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from jobs.bus import topics
from jobs.bus.envelopes import Message, message_of
from jobs.bus.sinks import Sink, SinkAway
from jobs.faults import FAULTS, describe
from jobs.telling import Away, give_up_or_put_off
from webapp import outbox
from webapp.config import BusSettings
from webapp.kernel import clock, db
from webapp.outbox import Fact

HOLD = dt.timedelta(seconds=30)
LONGEST_REST_SECONDS = 60.0


class Publisher:
    """What publishes to one sink; `name` is the sink's as a consumer of facts."""

    def __init__(self, name: str, sink: Sink, settings: BusSettings) -> None:
        self.name = name
        self._sink = sink
        self._called = topics.names(settings)

    def publish_due(self) -> int:
        """Publish what is due; returns how many facts were published or put off.

        Raises Away when the broker or the database is away: all are then as they were.
        """
        return self._publish(self._take(at_most=self._sink.at_most))

    def publish_carefully(self) -> int:
        """Publish what is due one by one, each counted before, as a relay does that just started.

        One that has ended the relay three times over is set aside.
        """
        done = 0
        while done < self._sink.at_most:
            with _or_away(), db.transaction(db.WORKER):
                fact_id = outbox.claim_one(self.name, in_order=True)
            if fact_id is None:
                break
            try:
                done += self._publish(self._take(at_most=1, only=fact_id))
            except Away:
                with _or_away(), db.transaction(db.WORKER):
                    outbox.forgive(self.name, fact_id)
                raise
        return done

    def _take(self, *, at_most: int, only: str | None = None) -> list[Fact]:
        with _or_away(), db.transaction(db.WORKER):
            facts = outbox.take_due(self.name, at_most=at_most, only=only, in_order=True)
            if facts:
                outbox.hold(self.name, facts, until=clock.now() + HOLD)
            return facts

    def _publish(self, facts: Sequence[Fact]) -> int:
        if not facts:
            return 0
        messages, refused = self._written(facts)
        db.assert_no_transaction()
        try:
            left = {**refused, **self._sink.publish(messages)}
        except SinkAway as away:
            with _or_away(), db.transaction(db.WORKER):
                outbox.give_back(self.name, facts, error=str(away))
            raise Away(str(away)) from away
        with _or_away(), db.transaction(db.WORKER):
            outbox.told(self.name, [fact for fact in facts if fact.id not in left])
        for fact in facts:
            if (why := left.get(fact.id)) is not None:
                with _or_away():
                    give_up_or_put_off(self.name, fact, why)
        return len(facts)

    def _written(self, facts: Sequence[Fact]) -> tuple[list[Message], dict[str, str]]:
        messages, refused = [], {}
        for fact in facts:
            try:
                messages.append(message_of(fact, self._called))
            except FAULTS as fault:
                refused[fact.id] = describe(fault)
        return messages, refused


class Rests:
    """How long to leave a broker alone that is away: a second, then longer, at most a minute."""

    def __init__(self) -> None:
        self._failures = 0

    def seconds(self) -> float:
        """Count one more failure and return for how long to wait."""
        self._failures += 1
        return min(2.0 ** (self._failures - 1), LONGEST_REST_SECONDS)

    def end(self) -> None:
        """It answered."""
        self._failures = 0


@contextmanager
def _or_away() -> Iterator[None]:
    """Turn whatever goes wrong with the database in the block into Away."""
    try:
        yield
    except FAULTS as fault:
        raise Away(describe(fault)) from fault
