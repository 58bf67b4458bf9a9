"""A merchant’s figures: today, the last 30 days, and when people pay."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp import accounts, analytics
from webapp.analytics import Subject, Totals
from webapp.api.caller import caller, needs
from webapp.api.models import Currency, Query
from webapp.api.routing import get
from webapp.kernel import clock

TAG = "Analytics"
_TOTALS: dict[str, Any] = {
    "volume": 1_250_000,
    "fees": 36_250,
    "captured": 25,
    "failed": 2,
    "success_rate": 0.925_925_925_925_925_9,
}


class TotalsObject(BaseModel):
    """Sums of some time; amounts are whole minor units before fees."""

    model_config = ConfigDict(extra="forbid", title="Totals")

    volume: int
    fees: int
    captured: int = Field(description="Payments that were taken.")
    failed: int = Field(description="Payments that ended without.")
    success_rate: float | None = Field(
        description="Captured of captured and failed, 0 to 1; null where there was none."
    )


class TodayObject(BaseModel):
    """Today so far beside yesterday up to the same time, in the merchant’s zone."""

    model_config = ConfigDict(extra="forbid", title="Today")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "figures_of_today",
        "currency": "INR",
        "timezone": "Asia/Kolkata",
        "day": "2026-11-21",
        "today": _TOTALS,
        "yesterday": _TOTALS,
    }

    object: Literal["figures_of_today"]
    currency: str
    timezone: str
    day: str
    today: TotalsObject
    yesterday: TotalsObject


class DayObject(BaseModel):
    """One day’s sums; null before the merchant’s first payment."""

    model_config = ConfigDict(extra="forbid", title="Day")

    day: str
    totals: TotalsObject | None


class DailyObject(BaseModel):
    """The last 30 days, oldest first, and the 30 before them."""

    model_config = ConfigDict(extra="forbid", title="Daily")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "figures_by_day",
        "currency": "INR",
        "timezone": "Asia/Kolkata",
        "days": [{"day": "2026-11-21", "totals": _TOTALS}],
        "previous": [{"day": "2026-10-22", "totals": None}],
    }

    object: Literal["figures_by_day"]
    currency: str
    timezone: str
    days: list[DayObject]
    previous: list[DayObject]


class HoursObject(BaseModel):
    """Captured payments of the last four weeks by weekday (Monday first) and hour."""

    model_config = ConfigDict(extra="forbid", title="Hours")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "figures_by_hour",
        "currency": "INR",
        "timezone": "Asia/Kolkata",
        "first": "2026-10-25",
        "last": "2026-11-21",
        "counts": [[0] * 24] * 7,
        "volumes": [[0] * 24] * 7,
    }

    object: Literal["figures_by_hour"]
    currency: str
    timezone: str
    first: str
    last: str
    counts: list[list[int]]
    volumes: list[list[int]]


class CurrenciesObject(BaseModel):
    """In which currencies there are figures, the most used first."""

    model_config = ConfigDict(extra="forbid", title="Currencies")
    EXAMPLE: ClassVar[dict[str, Any]] = {"object": "currencies", "currencies": ["INR"]}

    object: Literal["currencies"]
    currencies: list[str]


class FigureQuery(Query):
    """In which currency; left out, the merchant’s own. Currencies are never added up."""

    currency: Currency | None = None


@get("/analytics/currencies", tag=TAG, gives=CurrenciesObject)
@needs(scope="analytics:read")
def get_analytics_currencies() -> dict[str, Any]:
    """List the currencies that have figures.

    The most used first.
    """
    who = caller()
    found = analytics.currencies(who.merchant, who.livemode)
    return {"object": "currencies", "currencies": found}


@get("/analytics/today", tag=TAG, gives=TodayObject)
@needs(scope="analytics:read")
def get_analytics_today(query: FigureQuery) -> dict[str, Any]:
    """Get today’s figures.

    Beside those of yesterday up to the same time, in the merchant’s zone.
    """
    subject = _subject(query)
    found = analytics.today(subject, clock.now())
    return {
        "object": "figures_of_today",
        **_whose(subject),
        "day": found.day.isoformat(),
        "today": totals(found.today),
        "yesterday": totals(found.yesterday),
    }


@get("/analytics/daily", tag=TAG, gives=DailyObject)
@needs(scope="analytics:read")
def get_analytics_daily(query: FigureQuery) -> dict[str, Any]:
    """Get figures by day.

    The last 30 days in the merchant’s zone, and the 30 before them.
    """
    subject = _subject(query)
    found = analytics.daily(subject, clock.now())
    return {
        "object": "figures_by_day",
        **_whose(subject),
        "days": [_day(one) for one in found.days],
        "previous": [_day(one) for one in found.previous],
    }


@get("/analytics/hours", tag=TAG, gives=HoursObject)
@needs(scope="analytics:read")
def get_analytics_hours(query: FigureQuery) -> dict[str, Any]:
    """Get figures by weekday and hour.

    Captured payments of the last four whole weeks; Monday is the first row.
    """
    subject = _subject(query)
    found = analytics.hour_by_weekday(subject, clock.now())
    return {
        "object": "figures_by_hour",
        **_whose(subject),
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "counts": [list(row) for row in found.counts],
        "volumes": [list(row) for row in found.volumes],
    }


def totals(sums: Totals) -> dict[str, Any]:
    """Return sums as the API shows them."""
    ended = sums.captured + sums.failed
    return {
        "volume": sums.volume.minor,
        "fees": sums.fees.minor,
        "captured": sums.captured,
        "failed": sums.failed,
        "success_rate": sums.captured / ended if ended else None,
    }


def _subject(query: FigureQuery) -> Subject:
    who = caller()
    merchant = accounts.merchant_of(who.merchant)
    currency = query.currency or merchant.default_currency
    return Subject(who.merchant, who.livemode, currency, merchant.timezone)


def _whose(subject: Subject) -> dict[str, Any]:
    return {"currency": subject.currency, "timezone": subject.zone}


def _day(one: analytics.DayFigures) -> dict[str, Any]:
    return {
        "day": one.day.isoformat(),
        "totals": totals(one.totals) if one.totals is not None else None,
    }
