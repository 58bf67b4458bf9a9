"""Wake-ups through Valkey after a commit: a hint that never raises, and the connection itself.

Erasing Valkey, or its absence, costs seconds: every process that waits for a wake-up also polls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import redis
import structlog

from webapp.kernel import db

CHANNEL = "paydeck:wake"
TIMEOUT_SECONDS = 2
_log = structlog.get_logger(__name__)
_client: list[redis.Redis] = []


def use(url: str) -> None:
    """Set the process's Valkey by URL (`redis://…` or `unix://…`); connects on first use."""
    _client[:] = [connect(url)]


def connect(url: str) -> redis.Redis:
    """Return a client with time-outs short enough that no request waits for a dead Valkey."""
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        health_check_interval=15,
    )


def client() -> redis.Redis:
    """Return the process's Valkey client; raises IndexError before `use()`."""
    return _client[0]


def soon(kind: str) -> None:
    """After this transaction commits, tell whoever waits for `kind` (once per transaction)."""
    kinds: set[str] = db.session().info.setdefault("wakes", set())
    if not kinds:
        db.after_commit(_ping_all)
    kinds.add(kind)


def ping(kind: str) -> None:
    """Tell whoever waits for `kind` now; a Valkey that is away is logged and otherwise ignored."""
    if not _client:
        return
    try:
        _client[0].publish(CHANNEL, kind)
    except redis.RedisError as gone:
        _log.warning("wake_lost", kind=kind, error=type(gone).__name__)


def listen(*, poll_seconds: float) -> Iterator[str | None]:
    """Yield each wake-up's kind as it comes, and None whenever `poll_seconds` pass without one.

    Never ends and never raises for a Valkey that is away: it then only polls.
    """
    import time  # noqa: PLC0415 - only this loop may sleep

    while True:
        try:
            with client().pubsub(ignore_subscribe_messages=True) as channel:
                channel.subscribe(CHANNEL)
                while True:
                    yield _kind(channel.get_message(timeout=poll_seconds))
        except redis.RedisError as gone:
            _log.warning("wake_channel_lost", error=type(gone).__name__)
            yield None
            time.sleep(poll_seconds)


def _kind(message: dict[str, Any] | None) -> str | None:
    return message["data"].decode() if message else None


def _ping_all() -> None:
    kinds: set[str] = db.session().info.pop("wakes", set())
    for kind in sorted(kinds):
        ping(kind)
