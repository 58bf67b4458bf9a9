"""A display cache in Valkey: what is read from it may be missing, and never decides anything.

Personal data is put here sealed, as in the tables. A Valkey that is away is asked again only after
a rest, so that pages stay quick without it.
"""

from __future__ import annotations

import datetime as dt

import redis
import structlog

from webapp.kernel import clock, db, wake

PREFIX = "paydeck:cache:"
REST = dt.timedelta(seconds=5)
_log = structlog.get_logger(__name__)
_away_since: list[dt.datetime] = []


def get(key: str) -> str | None:
    """Return what was put under `key`, or None when it is not there or Valkey is away."""
    if _is_resting():
        return None
    try:
        found = wake.client().get(PREFIX + key)
    except (redis.RedisError, IndexError) as gone:
        _went_away(gone)
        return None
    return found.decode() if isinstance(found, bytes) else None


def put(key: str, value: str, *, seconds: int) -> None:
    """Keep `value` under `key` for at most `seconds`; does nothing while Valkey is away."""
    if _is_resting():
        return
    try:
        wake.client().set(PREFIX + key, value, ex=seconds)
    except (redis.RedisError, IndexError) as gone:
        _went_away(gone)


def count(key: str, *, seconds: int) -> int | None:
    """Add one to what is counted under `key` for at least `seconds`, and return how many it is.

    None while Valkey is away: the caller counts for itself.
    """
    if _is_resting():
        return None
    try:
        both = wake.client().pipeline(transaction=False)
        both.incr(PREFIX + key)
        both.expire(PREFIX + key, seconds, nx=True)
        return int(both.execute()[0])
    except (redis.RedisError, IndexError) as gone:
        _went_away(gone)
        return None


def forget_after_commit(*keys: str) -> None:
    """Drop `keys` once the transaction has committed, so that nobody reads what was."""
    db.after_commit(lambda: _forget(keys))


def _forget(keys: tuple[str, ...]) -> None:
    try:
        wake.client().delete(*(PREFIX + key for key in keys))
    except (redis.RedisError, IndexError) as gone:
        _went_away(gone)


def _is_resting() -> bool:
    return bool(_away_since) and clock.now() - _away_since[0] < REST


def _went_away(gone: Exception) -> None:
    _away_since[:] = [clock.now()]
    _log.warning("cache_away", error=type(gone).__name__)
