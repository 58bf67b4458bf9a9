"""Questions to the rollup, each for one merchant, mode and currency: currencies are never added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, literal, select

from webapp.analytics.models import Outcome, RollupQuarter
from webapp.analytics.periods import (
    WEEKS_SHOWN,
    Range,
    day_in,
    is_weekend,
    last_days,
    midnight,
    today_so_far,
    yesterday_until_then,
)
from webapp.kernel import db
from webapp.kernel.money import Money

PERCENT = 100


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose figures, in which mode, currency and time zone."""

    merchant_id: str
    livemode: bool
    currency: str
    zone: str


@dataclass(frozen=True, slots=True)
class Totals:
    """What came of payments in a range of time: counts, captured money before fees, and refunds.

    `refunded` is what went back in that time, of payments of any time.
    """

    volume: Money
    fees: Money
    captured: int
    failed: int
    refunded: Money

    @property
    def success_percent(self) -> int | None:
        """Captured ÷ (captured + failed payments), in percent rounded half up; None without any."""
        decided = self.captured + self.failed
        if not decided:
            return None
        return (self.captured * PERCENT * 2 + decided) // (2 * decided)


@dataclass(frozen=True, slots=True)
class TodayFigures:
    """Today so far, yesterday up to the same time, and the moment which that comparison ends at."""

    day: dt.date
    today: Totals
    yesterday: Totals
    compared_until: dt.datetime


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day; `totals` is None before the merchant's first payment, which is a gap, not a zero."""

    day: dt.date
    totals: Totals | None

    @property
    def is_weekend(self) -> bool:
        """Whether the day is a Saturday or a Sunday."""
        return is_weekend(self.day)


@dataclass(frozen=True, slots=True)
class Daily:
    """Days oldest first, and as many days right before them, place by place."""

    currency: str
    days: tuple[DayFigures, ...]
    previous: tuple[DayFigures, ...]


@dataclass(frozen=True, slots=True)
class WeekGrid:
    """Captured payments by weekday (Monday first) and hour of the day, over whole weeks.

    `counts[weekday][hour]`; `volumes` alike, in minor units of `currency`.
    """

    currency: str
    first: dt.date
    last: dt.date
    counts: tuple[tuple[int, ...], ...]
    volumes: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        """How many payments the grid holds in all."""
        return sum(map(sum, self.counts))


def currencies(merchant_id: str, livemode: bool) -> list[str]:  # noqa: FBT001 - a column's value
    """Return the currencies in which the merchant has had payments, the most used first."""
    wanted = (
        select(RollupQuarter.currency)
        .where(RollupQuarter.merchant_id == merchant_id, RollupQuarter.livemode == livemode)
        .group_by(RollupQuarter.currency)
        .order_by(func.sum(RollupQuarter.count).desc(), RollupQuarter.currency)
    )
    return list(db.session.scalars(wanted))


def today(subject: Subject, moment: dt.datetime) -> TodayFigures:
    """Return today's totals in the merchant's zone beside yesterday's up to the same time."""
    now, then = today_so_far(moment, subject.zone), yesterday_until_then(moment, subject.zone)
    label = case((RollupQuarter.quarter >= now.start, literal("today")), else_=literal("yesterday"))
    within = and_(
        RollupQuarter.quarter >= then.start,
        RollupQuarter.quarter < now.end,
        ~RollupQuarter.quarter.between(then.end, now.start - dt.timedelta(microseconds=1)),
    )
    wanted = (
        select(label, RollupQuarter.outcome, *_SUMS)
        .where(_about(subject), within)
        .group_by(label, RollupQuarter.outcome)
    )
    rows = db.session.execute(wanted).all()
    return TodayFigures(
        day=day_in(moment, subject.zone),
        today=_totals([tuple(row)[1:] for row in rows if row[0] == "today"], subject.currency),
        yesterday=_totals(
            [tuple(row)[1:] for row in rows if row[0] == "yesterday"], subject.currency
        ),
        compared_until=then.end,
    )


def daily(subject: Subject, moment: dt.datetime) -> Daily:
    """Return the last 30 days in the merchant's zone, and the 30 before them."""
    days = last_days(moment, subject.zone)
    earlier = last_days(moment, subject.zone, 2 * len(days))[: len(days)]
    found = _by_day(
        subject, Range(midnight(earlier[0], subject.zone), today_so_far(moment, subject.zone).end)
    )
    first = _first_day(subject)

    def figures(day: dt.date) -> DayFigures:
        known = first is not None and day >= first
        return DayFigures(day, _totals(found.get(day, ()), subject.currency) if known else None)

    return Daily(
        currency=subject.currency,
        days=tuple(map(figures, days)),
        previous=tuple(map(figures, earlier)),
    )


def hour_by_weekday(subject: Subject, moment: dt.datetime) -> WeekGrid:
    """Return captured payments of the last four whole weeks (today included) as a grid."""
    days = last_days(moment, subject.zone, WEEKS_SHOWN * 7)
    here = func.timezone(subject.zone, RollupQuarter.quarter)
    weekday, hour = func.extract("isodow", here), func.extract("hour", here)
    wanted = (
        select(weekday, hour, func.sum(RollupQuarter.count), func.sum(RollupQuarter.amount_minor))
        .where(
            _about(subject),
            RollupQuarter.outcome == Outcome.CAPTURED,
            RollupQuarter.quarter >= midnight(days[0], subject.zone),
            RollupQuarter.quarter < today_so_far(moment, subject.zone).end,
        )
        .group_by(weekday, hour)
    )
    counts = [[0] * 24 for _ in range(7)]
    volumes = [[0] * 24 for _ in range(7)]
    for at_weekday, at_hour, count, minor in db.session.execute(wanted):
        counts[int(at_weekday) - 1][int(at_hour)] = int(count)
        volumes[int(at_weekday) - 1][int(at_hour)] = int(minor)
    return WeekGrid(
        currency=subject.currency,
        first=days[0],
        last=days[-1],
        counts=tuple(map(tuple, counts)),
        volumes=tuple(map(tuple, volumes)),
    )


def freshness(merchant_id: str, livemode: bool) -> str:  # noqa: FBT001 - a column's value
    """Return a text that changes whenever the merchant's rollup does."""
    wanted = select(
        func.coalesce(func.sum(RollupQuarter.count), 0), func.max(RollupQuarter.quarter)
    ).where(RollupQuarter.merchant_id == merchant_id, RollupQuarter.livemode == livemode)
    count, newest = db.session.execute(wanted).one()
    return f"{count}@{newest.isoformat() if newest else '-'}"


_SUMS = (
    func.sum(RollupQuarter.count),
    func.sum(RollupQuarter.amount_minor),
    func.sum(RollupQuarter.fee_minor),
)


def _about(subject: Subject) -> ColumnElement[bool]:
    return and_(
        RollupQuarter.merchant_id == subject.merchant_id,
        RollupQuarter.livemode == subject.livemode,
        RollupQuarter.currency == subject.currency,
    )


def _by_day(subject: Subject, within: Range) -> dict[dt.date, list[tuple[Any, ...]]]:
    day = func.date(func.timezone(subject.zone, RollupQuarter.quarter))
    wanted = (
        select(day, RollupQuarter.outcome, *_SUMS)
        .where(
            _about(subject),
            RollupQuarter.quarter >= within.start,
            RollupQuarter.quarter < within.end,
        )
        .group_by(day, RollupQuarter.outcome)
    )
    found: dict[dt.date, list[tuple[Any, ...]]] = {}
    for row in db.session.execute(wanted):
        found.setdefault(row[0], []).append(tuple(row)[1:])
    return found


def _first_day(subject: Subject) -> dt.date | None:
    first = db.session.scalar(select(func.min(RollupQuarter.quarter)).where(_about(subject)))
    return first.astimezone(ZoneInfo(subject.zone)).date() if first else None


def _totals(rows: Iterable[tuple[Any, ...]], currency: str) -> Totals:
    sums = {outcome: (int(count), int(minor), int(fee)) for outcome, count, minor, fee in rows}
    captured, volume, fees = sums.get(Outcome.CAPTURED, (0, 0, 0))
    return Totals(
        volume=Money(volume, currency),
        fees=Money(fees, currency),
        captured=captured,
        failed=sums.get(Outcome.FAILED, (0, 0, 0))[0],
        refunded=Money(sums.get(Outcome.REFUNDED, (0, 0, 0))[1], currency),
    )
