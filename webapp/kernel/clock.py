"""The one Python clock; its SQL twin is `clock_now()`, made by the migrations.

Leases and due times in the database are compared with `clock_now()` only. Tests and the simulator
set both clocks together; production reads the machine's clock and no setting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

UTC = dt.UTC
_frozen: list[dt.datetime] = []


def now() -> dt.datetime:
    """Return the present moment, timezone-aware, in UTC."""
    if _frozen:
        return _frozen[-1]
    return dt.datetime.now(UTC)


def today() -> dt.date:
    """Return the present day in UTC."""
    return now().date()


def is_held() -> bool:
    """Whether a test or a seed holds the clock."""
    return bool(_frozen)


@contextmanager
def standing_at(moment: dt.datetime) -> Iterator[None]:
    """Hold the Python clock at `moment` (timezone-aware) inside the block, for tests and seeds."""
    if moment.tzinfo is None:
        message = "a moment needs a time zone"
        raise ValueError(message)
    _frozen.append(moment.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.pop()
