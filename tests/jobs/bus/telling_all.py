"""What the tests of the bus work with: stories of objects, publishers, and what came of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs import context, telling
from jobs.bus import streams
from jobs.bus.envelopes import Message
from jobs.bus.publishing import Publisher
from jobs.bus.sinks import KAFKA, Sink
from jobs.subscriptions import BUS, CONSUMERS
from tests.jobs.working import Ground
from tests.portal import superuser
from webapp.config import BusSettings
from webapp.kernel import ids, wake

SETTINGS = BusSettings(
    stream_length=1000,
    payments_topic="payment-events",
    webhooks_topic="webhooks.delivery",
    group="payments-service",
    kafka=None,
    aws=None,
)


@dataclass
class Notebook:
    """A sink that notes what it is given; `away` and `refuses` say what it does not take."""

    at_most: int = 500
    given: list[Message] = field(default_factory=list)
    away: bool = False
    refuses: set[str] = field(default_factory=set)
    on_publish: Callable[[Sequence[Message]], object] | None = None

    def publish(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Note messages."""
        from jobs.bus.sinks import SinkAway  # noqa: PLC0415 - beside its one use

        if self.on_publish:
            self.on_publish(messages)
        if self.away:
            raise SinkAway("nobody there")
        taken = [one for one in messages if one.fact_id not in self.refuses]
        self.given += taken
        return {one.fact_id: "refused" for one in messages if one.fact_id in self.refuses}

    def close(self) -> None:
        """Let go of nothing."""


@dataclass(frozen=True)
class Bus:
    """A database with facts for the bus, and the streams of a Valkey."""

    ground: Ground

    def story(
        self, versions: int, *consumers: str, noun: str = "payment", kind: str = "payment"
    ) -> list[str]:
        """Write the facts of one new object, due to consumers; returns their ids in order."""
        subject = ids.new(kind)
        written = sorted(ids.new("fact") for _ in range(versions))
        with superuser(self.ground.stores, self.ground.database) as connection:
            for version, fact_id in enumerate(written, start=1):
                connection.execute(
                    "INSERT INTO fact (id, name, subject_kind, subject_id, version, snapshot,"
                    " because, actor_kind, at) VALUES (%s, 'payment.captured', %s, %s, %s, '{}',"
                    " 'It did.', 'system', clock_now())",
                    (fact_id, noun, subject, version),
                )
                for consumer in consumers:
                    connection.execute(
                        "INSERT INTO outbox_due (fact_id, consumer, due_at)"
                        " VALUES (%s, %s, clock_now())",
                        (fact_id, consumer),
                    )
        return written

    def make_due(self) -> None:
        """Let everything that was put off be due now; what was set aside stays so."""
        self.ground.query(
            "UPDATE outbox_due SET due_at = clock_now() WHERE due_at < clock_now() + '1 year'"
        )

    def tell(self, *, consumer: telling.Consumer | None = None) -> int:
        """Have all that is due added to the streams, and return how many rounds had work."""
        rounds = 0
        with context.working():
            while telling.tell(BUS, consumer or CONSUMERS[BUS]):
                rounds += 1
        return rounds

    def publisher(self, sink: Sink, name: str = KAFKA) -> Publisher:
        """Return what publishes to a sink."""
        return Publisher(name, sink, SETTINGS)

    def publish(self, publisher: Publisher) -> int:
        """Publish all that is due, and return how many facts it was."""
        done = 0
        with context.working():
            while now := publisher.publish_due():
                done += now
        return done

    def published(self, topic: str = "payment-events") -> list[dict[str, Any]]:
        """Return the envelopes in a stream, oldest first."""
        entries: Any = wake.client().xrange(streams.stream(topic))
        return [json.loads(fields[b"event"]) for _id, fields in entries]

    def in_stream(self, topic: str = "payment-events") -> list[str]:
        """Return the facts in a stream by their ids, oldest first."""
        return [one["id"].replace("evt_", "fact_") for one in self.published(topic)]


def sequences(events: Sequence[dict[str, Any]]) -> dict[str, list[int]]:
    """Return by object in which order its events came."""
    found: dict[str, list[int]] = defaultdict(list)
    for one in events:
        found[one["subject"]].append(one["sequence"])
    return dict(found)
