"""Reads of what the checks found: the wall for admins, and bare counts for the metrics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from webapp.invariants.models import Reach, Result
from webapp.invariants.wall import INVARIANTS, Invariant
from webapp.kernel import clock, db
from webapp.kernel.proof import Finding

#: A check that is made every minute and was not for so long has stopped.
STALE = dt.timedelta(minutes=10)
STALE_NIGHT = dt.timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Look:
    """When a check looked last over one reach, and how many things it found wrong."""

    name: str
    reach: str
    ran_at: dt.datetime | None
    milliseconds: int | None
    found: int | None
    red_since: dt.datetime | None

    @property
    def is_red(self) -> bool:
        """Whether it found anything."""
        return bool(self.found)

    @property
    def is_late(self) -> bool:
        """Whether it has not looked for too long, or never."""
        patience = STALE if self.reach == Reach.HOUR else STALE_NIGHT
        return self.ran_at is None or self.ran_at < clock.now() - patience


@dataclass(frozen=True, slots=True)
class Brick:
    """One check on the wall: the sentence, its looks, and the rows behind a red one."""

    invariant: Invariant
    hour: Look | None
    everything: Look | None
    rows: Sequence[Finding]

    @property
    def looks(self) -> list[Look]:
        """Its looks, those of the last hour first."""
        return [look for look in (self.hour, self.everything) if look is not None]

    @property
    def is_red(self) -> bool:
        """Whether any look found something wrong."""
        return any(look.is_red for look in self.looks)

    @property
    def is_late(self) -> bool:
        """Whether it is not known to be true just now: a look is missing or too old."""
        return not self.looks or any(look.is_late for look in self.looks)

    @property
    def found(self) -> int:
        """How many things are wrong."""
        return max((look.found or 0 for look in self.looks), default=0)

    @property
    def red_since(self) -> dt.datetime | None:
        """Since when something is wrong."""
        return min((look.red_since for look in self.looks if look.red_since), default=None)


def wall() -> list[Brick]:
    """Return every check with its last looks, in the wall's order, for admins."""
    rows = {(row.name, row.reach): row for row in db.session.scalars(select(Result))}
    db.session.expire_all()
    return [_brick(invariant, rows) for invariant in INVARIANTS]


def counts() -> list[Look]:
    """Return every last look without the rows behind it; any role may ask."""
    columns = (
        Result.name,
        Result.reach,
        Result.ran_at,
        Result.milliseconds,
        Result.found,
        Result.red_since,
    )
    return [Look(*row) for row in db.session.execute(select(*columns).order_by(*columns[:2])).all()]


def red_count() -> int:
    """Return how many checks found something wrong."""
    return len({look.name for look in counts() if look.is_red})


def _brick(invariant: Invariant, rows: dict[tuple[str, str], Result]) -> Brick:
    hour = rows.get((invariant.name, Reach.HOUR.value))
    night = rows.get((invariant.name, Reach.ALL.value))
    behind = {
        Finding(one["subject"], one["says"]): None
        for row in (hour, night)
        if row is not None
        for one in row.rows
    }
    return Brick(
        invariant,
        _look(hour) if hour and invariant.is_quick else None,
        _look(night) if night else None,
        list(behind),
    )


def _look(row: Result) -> Look:
    return Look(row.name, row.reach, row.ran_at, row.milliseconds, row.found, row.red_since)
