"""Streams of events in Valkey or Redis: always there, of a length that is a setting.

They are for those who listen now: what was published is not published again when Valkey loses it,
and the facts themselves stay in the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobs.bus import topics
from jobs.bus.envelopes import message_of
from webapp.config import BusSettings
from webapp.kernel import wake
from webapp.outbox import Fact

PREFIX = "paydeck:bus:"


def stream(topic: str) -> str:
    """Return the key of a topic's stream."""
    return f"{PREFIX}{topic}"


def publish(facts: Sequence[Fact], settings: BusSettings) -> None:
    """Add facts to their streams, in their order; raises RedisError while Valkey is away.

    A stream that is not there, or was erased, is made. One is cut to its length roughly: somewhat
    more than the setting may be kept, never less.
    """
    called = topics.names(settings)
    with wake.client().pipeline(transaction=False) as sending:
        for fact in facts:
            message = message_of(fact, called)
            fields: Any = {**message.headers, "key": message.key, "event": message.body}
            for topic in message.topics:
                sending.xadd(stream(topic), fields, maxlen=settings.stream_length, approximate=True)
        sending.execute()
