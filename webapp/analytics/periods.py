"""Days and ranges in a merchant's own time zone, as the moments in UTC that bound them; pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from webapp.analytics.models import quarter_of

DAYS_SHOWN = 30
WEEKS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` up to but not including `end`, both timezone-aware."""

    start: dt.datetime
    end: dt.datetime


def midnight(day: dt.date, zone: str) -> dt.datetime:
    """Return the moment at which `day` begins in `zone`."""
    return dt.datetime.combine(day, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)


def day_in(moment: dt.datetime, zone: str) -> dt.date:
    """Return the day that `moment` falls on in `zone`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def day_range(day: dt.date, zone: str) -> Range:
    """Return the whole of `day` in `zone`: 23, 24 or 25 hours."""
    return Range(midnight(day, zone), midnight(day + dt.timedelta(days=1), zone))


def today_so_far(moment: dt.datetime, zone: str) -> Range:
    """Return from the midnight before `moment` in `zone` to the end of the day."""
    return day_range(day_in(moment, zone), zone)


def yesterday_until_then(moment: dt.datetime, zone: str) -> Range:
    """Return yesterday up to the same time on the clock, to the quarter hour begun before it."""
    here = moment.astimezone(ZoneInfo(zone))
    before = here.date() - dt.timedelta(days=1)
    same_time = dt.datetime.combine(before, here.time(), ZoneInfo(zone)).astimezone(dt.UTC)
    start = midnight(before, zone)
    return Range(start, max(start, quarter_of(same_time)))


def last_days(moment: dt.datetime, zone: str, days: int = DAYS_SHOWN) -> list[dt.date]:
    """Return the `days` days in `zone` that end with the present one, oldest first."""
    last = day_in(moment, zone)
    return [last - dt.timedelta(days=back) for back in range(days - 1, -1, -1)]


def is_weekend(day: dt.date) -> bool:
    """Whether `day` is a Saturday or a Sunday."""
    return day.isoweekday() > 5  # noqa: PLR2004 - Friday is the fifth
