"""What a chart says: its title, a sentence computed from the figures, and each row in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from webapp.analytics.queries import PERCENT, Daily, DayFigures, WeekGrid
from webapp.kernel.money import Money

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Words:
    """How the door writes money, and the address of the rows behind one day's bar."""

    money: Callable[[Money], str]
    day_link: Callable[[dt.date], str]


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure differs from the one before; `direction` is up, down or same."""

    direction: str
    text: str


def change(now: int, before: int) -> Change | None:
    """Return the change from `before` to `now` in percent, or None where `before` is nothing."""
    if before == 0:
        return None
    percent = (abs(now - before) * PERCENT * 2 + before) // (2 * before)
    if percent == 0:
        return Change("same", "about the same")
    direction = "up" if now > before else "down"
    return Change(direction, f"{direction} {percent:,} %")


def points(now: int | None, before: int | None) -> Change | None:
    """Return the change between two percentages in points, or None where either is missing."""
    if now is None or before is None:
        return None
    if now == before:
        return Change("same", "about the same")
    direction = "up" if now > before else "down"
    size = abs(now - before)
    return Change(direction, f"{direction} {size} {'point' if size == 1 else 'points'}")


def payments_counted(count: int) -> str:
    """Return the number of payments in words, such as `1 payment` or `1,204 payments`."""
    return f"{count:,} {'payment' if count == 1 else 'payments'}"


def day_name(day: dt.date) -> str:
    """Return a day as `Thu 12 Nov`."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {day:%b}"


def volume_title(daily: Daily, words: Words) -> str:
    """Return which day was the best and what it brought, or that nothing was captured."""
    known = [(figures.totals.volume, figures.day) for figures in daily.days if figures.totals]
    best = max(known, key=lambda pair: (pair[0].minor, pair[1]), default=None)
    if best is None or not best[0]:
        return f"No {daily.currency} payment was captured in the last {len(daily.days)} days"
    volume, day = best
    return f"{WEEKDAYS[day.weekday()]} {day.day} {day:%B} was the best day: {words.money(volume)}"


def volume_note(daily: Daily, words: Words) -> str:
    """Return the total of the days shown, and how it compares with the days before."""
    total = volume_total(daily.days, daily.currency)
    before = volume_total(daily.previous, daily.currency)
    sentence = f"{words.money(total)} captured in {len(daily.days)} days"
    changed = change(total.minor, before.minor)
    if changed is None or any(figures.totals is None for figures in daily.previous):
        return f"{sentence}; there are no {len(daily.previous)} whole days before to compare with."
    if changed.direction == "same":
        return f"{sentence}, about the same as in the {len(daily.previous)} days before."
    return f"{sentence}, {changed.text} on the {len(daily.previous)} days before."


def refunded_note(daily: Daily, words: Words) -> str:
    """Return what went back in the days shown, as the narrow bars show it."""
    total = Money(0, daily.currency)
    for figures in daily.days:
        if figures.totals:
            total += figures.totals.refunded
    if not total:
        return "Nothing was refunded in them."
    return f"{words.money(total)} went back in them (narrow bars)."


def volume_total(days: tuple[DayFigures, ...], currency: str) -> Money:
    """Return what the known days brought together."""
    total = Money(0, currency)
    for figures in days:
        if figures.totals:
            total += figures.totals.volume
    return total


def day_sentence(figures: DayFigures, words: Words) -> str:
    """Return one bar in words, for its tooltip and its accessible name."""
    if figures.totals is None:
        return f"{day_name(figures.day)}: before the first payment"
    totals = figures.totals
    said = f"{words.money(totals.volume)}, {payments_counted(totals.captured)}"
    back = f"; {words.money(totals.refunded)} refunded" if totals.refunded else ""
    return f"{day_name(figures.day)}: {said}{back}"


def busiest(grid: WeekGrid) -> tuple[int, int] | None:
    """Return the weekday (0 is Monday) and hour with most payments, the earliest of equals."""
    if not grid.total:
        return None
    cells = [(weekday, hour) for weekday in range(7) for hour in range(24)]
    return max(cells, key=lambda cell: (grid.counts[cell[0]][cell[1]], -cell[0], -cell[1]))


def hours_title(grid: WeekGrid) -> str:
    """Return when most payments are captured, or that none was."""
    peak = busiest(grid)
    if peak is None:
        return f"No {grid.currency} payment was captured in the last four weeks"
    weekday, hour = peak
    counted = payments_counted(grid.counts[weekday][hour])
    return f"{WEEKDAYS[weekday]}s from {hour_span(hour)} are busiest: {counted} in four weeks"


def hour_span(hour: int) -> str:
    """Return an hour of the day as `19:00 to 20:00`."""
    return f"{hour:02}:00 to {(hour + 1) % 24:02}:00"


def cell_sentence(weekday: int, hour: int, count: int) -> str:
    """Return one cell of the grid in words."""
    return f"{WEEKDAYS[weekday]} {hour_span(hour)}: {payments_counted(count)}"
