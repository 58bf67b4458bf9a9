"""The dashboard's charts for a page: title, drawing, table twin; all from one set of figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, url_for
from markupsafe import Markup

from webapp import analytics
from webapp.analytics import DayFigures, Subject, Words
from webapp.kernel import words
from webapp.web.merchant.lists import address

ROWS = "merchant.payment_rows"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a chart's table twin."""

    label: str
    num: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that needs no script: its answer, its drawing in two widths, its numbers."""

    id: str
    title: str
    note: str
    wide: Markup
    narrow: Markup
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    figure_url: str


def subject(currency: str) -> Subject:
    """Return whose figures these pages ask for."""
    return Subject(g.merchant.id, g.merchant.livemode, currency, g.merchant.timezone)


def chart_words(currency: str) -> Words:
    """Return how charts write money, and where the bar of a day leads."""
    return Words(
        money=words.money_short, day_link=lambda day: rows_link(currency, day, day, status="paid")
    )


def rows_link(currency: str, since: dt.date, until: dt.date, *, status: str) -> str:
    """Return the address of the payments that ended so in these days: the rows behind a number."""
    days = {"since": since.isoformat(), "until": until.isoformat(), "on": "ended"}
    return address(ROWS, {"currency": currency, "status": status, **days})


def volume_chart(daily: analytics.Daily) -> Chart:
    """Return volume per day with the days before as a thin line."""
    wording = chart_words(daily.currency)
    pairs = zip(daily.days, daily.previous, strict=True)
    return Chart(
        id="volume",
        title=analytics.volume_title(daily, wording),
        note=" ".join(
            (
                analytics.volume_note(daily, wording),
                analytics.refunded_note(daily, wording),
                f"Days in {g.merchant.timezone}.",
            )
        ),
        wide=_drawn(analytics.volume_svg(daily, wording, analytics.WIDE)),
        narrow=_drawn(analytics.volume_svg(daily, wording, analytics.NARROW)),
        columns=(
            Column("Day"),
            Column("Captured", num=True),
            Column("Payments", num=True),
            Column("Failed", num=True),
            Column("Refunded", num=True),
            Column("30 days before", num=True),
        ),
        rows=[_day_row(day, before, wording) for day, before in pairs],
        figure_url=url_for("merchant.figure", name="volume", currency=daily.currency),
    )


def hours_chart(grid: analytics.WeekGrid) -> Chart:
    """Return captured payments by weekday and hour."""
    days = f"{words.day_text(grid.first)} to {words.day_text(grid.last)}"
    hours = [
        [analytics.hour_span(hour), *(f"{counts[hour]:,}" for counts in grid.counts)]
        for hour in range(24)
    ]
    return Chart(
        id="hours",
        title=analytics.hours_title(grid),
        note=f"Captured payments by hour, {days}, {g.merchant.timezone}. Fuller means more.",
        wide=_drawn(analytics.hours_svg(grid, analytics.GRID_WIDE)),
        narrow=_drawn(analytics.hours_svg(grid, analytics.GRID_NARROW)),
        columns=(Column("Hour"), *(Column(day[:3], num=True) for day in analytics.WEEKDAYS)),
        rows=hours,
        figure_url=url_for("merchant.figure", name="hours", currency=grid.currency),
    )


def _day_row(day: DayFigures, before: DayFigures, wording: Words) -> list[str]:
    name = Markup('<a href="{}">{}</a>').format(
        wording.day_link(day.day), analytics.day_name(day.day)
    )
    shown = day.totals
    return [
        name,
        wording.money(shown.volume) if shown else "–",
        f"{shown.captured:,}" if shown else "–",
        f"{shown.failed:,}" if shown else "–",
        wording.money(shown.refunded) if shown else "–",
        wording.money(before.totals.volume) if before.totals else "–",
    ]


def _drawn(svg: str) -> Markup:
    # made by the analytics room, which escapes every text and address it writes
    return Markup(svg)  # noqa: S704
