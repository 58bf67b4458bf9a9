"""Wake-ups through Valkey after a commit: a hint that never raises, and the connection itself.

Erasing Valkey, or its absence, costs seconds: every process that waits for a wake-up also polls.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from webapp.kernel import clock, db

CHANNEL = "paydeck:wake"
LOOK = "look"
REGISTRY = "paydeck:processes"
TIMEOUT_SECONDS = 2
REST_SECONDS = 5.0
FORGOTTEN_AFTER_SECONDS = 600
_log = structlog.get_logger(__name__)
_client: list[redis.Redis] = []
_quiet_until: list[float] = [0.0]


def use(url: str) -> None:
    """Set the process's Valkey by URL (`redis://…` or `unix://…`); connects on first use."""
    _client[:] = [connect(url)]
    _quiet_until[0] = 0.0


def connect(url: str) -> redis.Redis:
    """Return a client with time-outs short enough that no request waits for a dead Valkey.

    One retry, at once, mends a connection that a restarted Valkey has dropped.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 1),
    )


def client() -> redis.Redis:
    """Return the process's Valkey client; raises IndexError before `use()`."""
    return _client[0]


def answers() -> bool:
    """Whether Valkey answers right now."""
    try:
        return bool(client().ping())
    except redis.RedisError:
        return False


def soon(kind: str) -> None:
    """After this transaction commits, tell whoever waits for `kind` (once per transaction)."""
    kinds: set[str] = db.session().info.setdefault("wakes", set())
    if not kinds:
        db.after_commit(_ping_all)
    kinds.add(kind)


@dataclass(frozen=True, slots=True)
class Look:
    """Rows of `noun` changed in one mode of a merchant: pages that show them are to look again."""

    noun: str
    merchant_id: str
    livemode: bool


def look(noun: str, merchant_id: str, *, livemode: bool) -> None:
    """After this transaction commits, have open pages look again at a merchant's rows of `noun`.

    For what has no facts of its own, such as tries and logs; a hint like any other.
    """
    soon(f"{LOOK}:{noun}:{merchant_id}:{'live' if livemode else 'test'}")


def read_look(kind: str) -> Look | None:
    """Return what a wake-up of `look` says, or None for any other kind."""
    parts = kind.split(":")
    if len(parts) != 4 or parts[0] != LOOK:  # noqa: PLR2004 - as `look` writes it
        return None
    return Look(parts[1], parts[2], parts[3] == "live")


def ping(kind: str) -> None:
    """Tell whoever waits for `kind` now; a Valkey that is away is logged and otherwise ignored.

    After a failure it is left alone for some seconds, and then asked by one thread first: so a
    frozen Valkey slows one request in that time and no other.
    """
    now = time.monotonic()
    if not _client or now < _quiet_until[0]:
        return
    if _quiet_until[0]:
        _quiet_until[0] = now + REST_SECONDS
    try:
        _client[0].publish(CHANNEL, kind)
    except redis.RedisError as gone:
        _quiet_until[0] = time.monotonic() + REST_SECONDS
        _log.warning("wake_lost", kind=kind, error=type(gone).__name__)
    else:
        _quiet_until[0] = 0.0


def listen(*, poll_seconds: float) -> Iterator[str | None]:
    """Yield each wake-up's kind as it comes, and None whenever `poll_seconds` pass without one.

    Never ends and never raises for a Valkey that is away: it then only polls.
    """
    while True:
        try:
            with client().pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
                channel.subscribe(CHANNEL)
                while True:
                    yield _kind(channel.get_message(timeout=poll_seconds))
        except redis.RedisError as gone:
            _log.warning("wake_channel_lost", error=type(gone).__name__)
            yield None
            time.sleep(poll_seconds)


@dataclass(frozen=True, slots=True)
class Beat:
    """One process as it last reported itself: moments are Unix seconds."""

    name: str
    host: str
    pid: int
    started_at: float
    seen_at: float
    detail: dict[str, Any]


def beat(name: str, *, started_at: float, detail: dict[str, Any] | None = None) -> None:
    """Report this process as alive; a hint for the health page, lost with Valkey, never raised."""
    if not _client or time.monotonic() < _quiet_until[0]:
        return
    host, pid, now = socket.gethostname(), os.getpid(), clock.now().timestamp()
    facts = {"name": name, "host": host, "pid": pid, "started_at": started_at, "seen_at": now}
    line = json.dumps(facts | {"detail": detail or {}})
    try:
        _client[0].hset(REGISTRY, f"{name}:{host}:{pid}", line)
    except redis.RedisError as gone:
        _log.warning("beat_lost", process=name, error=type(gone).__name__)


def leave(name: str) -> None:
    """Take this process off the list as it stops in good order; never raises."""
    if not _client:
        return
    try:
        _client[0].hdel(REGISTRY, f"{name}:{socket.gethostname()}:{os.getpid()}")
    except redis.RedisError as gone:
        _log.warning("leave_lost", process=name, error=type(gone).__name__)


def processes() -> list[Beat]:
    """Return who reported itself in the last ten minutes, by name; empty while Valkey is away.

    A process that was not `seen_at` for 15 s is late; one that stopped in good order is not listed.
    """
    try:
        lines: dict[bytes, bytes] = client().hgetall(REGISTRY)  # type: ignore[assignment]
        beats = {field: Beat(**json.loads(line)) for field, line in lines.items()}
        horizon = clock.now().timestamp() - FORGOTTEN_AFTER_SECONDS
        if old := [field for field, seen in beats.items() if seen.seen_at < horizon]:
            client().hdel(REGISTRY, *old)
    except (redis.RedisError, IndexError):
        return []
    alive = [seen for seen in beats.values() if seen.seen_at >= horizon]
    return sorted(alive, key=lambda seen: (seen.name, seen.started_at))


def _kind(message: dict[str, Any] | None) -> str | None:
    return message["data"].decode() if message else None


def _ping_all() -> None:
    kinds: set[str] = db.session().info.pop("wakes", set())
    for kind in sorted(kinds):
        ping(kind)
