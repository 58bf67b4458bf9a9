"""Days belong to the merchant's zone, also where it is half an hour off or changes its clocks."""

from __future__ import annotations

import datetime as dt

import pytest

from webapp.analytics import periods
from webapp.analytics.models import quarter_of


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("day", "zone", "start", "hours"),
    [
        ("2026-11-21", "Asia/Kolkata", "2026-11-20T18:30", 24),
        ("2026-11-21", "Asia/Kathmandu", "2026-11-20T18:15", 24),
        ("2026-11-21", "Asia/Tokyo", "2026-11-20T15:00", 24),
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00", 23),
        ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00", 25),
    ],
)
def test_a_day_starts_at_its_own_midnight(day: str, zone: str, start: str, hours: int) -> None:
    bounds = periods.day_range(dt.date.fromisoformat(day), zone)
    assert bounds.start == utc(start)
    assert bounds.end - bounds.start == dt.timedelta(hours=hours)
    assert quarter_of(bounds.start) == bounds.start


def test_yesterday_is_compared_up_to_the_same_time_on_the_clock() -> None:
    then = periods.yesterday_until_then(utc("2026-11-21T08:50"), "Asia/Kolkata")
    assert then.start == utc("2026-11-19T18:30")
    assert then.end == utc("2026-11-20T08:45")


def test_just_after_midnight_there_is_nothing_of_yesterday_to_compare() -> None:
    then = periods.yesterday_until_then(utc("2026-11-20T18:34"), "Asia/Kolkata")
    assert then.start == then.end == utc("2026-11-19T18:30")


def test_the_last_days_end_with_today_in_the_zone() -> None:
    days = periods.last_days(utc("2026-11-20T19:00"), "Asia/Kolkata")
    assert (len(days), days[0], days[-1]) == (30, dt.date(2026, 10, 23), dt.date(2026, 11, 21))
