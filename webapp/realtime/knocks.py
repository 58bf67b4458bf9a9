"""Knocks: numbered per topic through Valkey, published to every socket process.

A browser that sees a number missing, or numbers that begin again after Valkey was emptied, fetches
anew; so a lost knock is noticed at the next one, and at the latest when the numbers are repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import redis
import socketio
import structlog

from webapp.kernel import wake

CHANNEL = "paydeck:knocks"
EVENT = "knock"
NUMBER_SECONDS = 24 * 3600
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Knock:
    """On `topic`, the object `id` of `kind` (a noun) is now at `version`."""

    topic: str
    kind: str
    id: str
    version: int


class _Envelopes(socketio.RedisManager):  # type: ignore[misc] # the library has no types
    """Writes what socket processes read, and keeps it, so that a batch is one round trip."""

    def __init__(self) -> None:
        super().__init__("redis://", channel=CHANNEL, write_only=True)
        self.written: list[str] = []

    def _publish(self, data: dict[str, Any]) -> None:
        self.written.append(self.json.dumps(data))


def send(knocks: Sequence[Knock]) -> None:
    """Number and publish knocks, in order; raises RedisError while Valkey is away."""
    if not knocks:
        return
    counting = wake.client().pipeline(transaction=False)
    for knock in knocks:
        counting.incr(_key(knock.topic))
        counting.expire(_key(knock.topic), NUMBER_SECONDS)
    counted = cast("list[int]", counting.execute())[::2]
    envelopes = _Envelopes()
    for knock, number in zip(knocks, counted, strict=True):
        envelopes.emit(EVENT, asdict(knock) | {"n": number}, room=knock.topic)
    publishing = wake.client().pipeline(transaction=False)
    for envelope in envelopes.written:
        publishing.publish(CHANNEL, envelope)
    publishing.execute()


def send_softly(knocks: Sequence[Knock]) -> None:
    """Send knocks; while Valkey is away they are logged and lost, as a hint may be."""
    try:
        send(knocks)
    except (redis.RedisError, IndexError) as gone:
        _log.warning("knocks_lost", count=len(knocks), error=type(gone).__name__)


def numbers(topics: Iterable[str]) -> dict[str, int]:
    """Return each topic's last number, 0 where none was given; empty while Valkey is away."""
    wanted = sorted(topics)
    if not wanted:
        return {}
    try:
        found = cast("list[bytes | None]", wake.client().mget([_key(topic) for topic in wanted]))
    except (redis.RedisError, IndexError):
        return {}
    return {topic: int(number or 0) for topic, number in zip(wanted, found, strict=True)}


def _key(topic: str) -> str:
    return f"knock:{topic}"
