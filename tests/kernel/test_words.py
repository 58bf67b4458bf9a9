"""Amounts and moments in words: each currency and each zone as people there write them."""

from __future__ import annotations

import datetime as dt

import pytest

from webapp.kernel import words
from webapp.kernel.money import EXPONENTS, Money

NOW = dt.datetime(2026, 11, 21, 8, 35, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("minor", "currency", "text", "short"),
    [
        (1_000_00, "INR", "₹1,000.00", "₹1,000"),
        (500_50, "INR", "₹500.50", "₹500.50"),
        (500_05, "INR", "₹500.05", "₹500.05"),
        (1, "INR", "₹0.01", "₹0.01"),
        (0, "INR", "₹0.00", "₹0"),
        (99_999_00, "INR", "₹99,999.00", "₹99,999"),
        (1_00_000_00, "INR", "₹1,00,000.00", "₹1,00,000"),
        (12_34_567_89, "INR", "₹12,34,567.89", "₹12,34,567.89"),
        (99_999_999_999, "INR", "₹99,99,99,999.99", "₹99,99,99,999.99"),
        (1_234_567_89, "USD", "$1,234,567.89", "$1,234,567.89"),
        (1_000_00, "EUR", "€1,000.00", "€1,000"),
        (1_000_00, "GBP", "£1,000.00", "£1,000"),
        (1_000, "JPY", "¥1,000", "¥1,000"),
        (100, "JPY", "¥100", "¥100"),
        (1_250, "KWD", "KWD 1.250", "KWD 1.250"),
        (1_000, "KWD", "KWD 1.000", "KWD 1"),
        (-1_000_00, "INR", "−₹1,000.00", "−₹1,000"),
        (-1_250, "KWD", "−KWD 1.250", "−KWD 1.250"),
    ],
)
def test_amounts_are_grouped_and_rounded_as_their_country_does(
    minor: int, currency: str, text: str, short: str
) -> None:
    assert words.money_text(Money(minor, currency)) == text
    assert words.money_short(Money(minor, currency)) == short


@pytest.mark.parametrize("currency", EXPONENTS)
def test_every_currency_is_cut_into_parts_that_make_the_whole(currency: str) -> None:
    for minor in (0, 1, 7, 1_000, 123_456_789, -123_456_780):
        money = Money(minor, currency)
        parts = words.money_parts(money)
        digits = f"{parts.whole}{parts.separator}{parts.minor}"
        assert digits.replace(",", "") == Money(abs(minor), currency).plain()
        assert len(parts.minor) == money.exponent
        assert parts.text.replace(" ", "") == f"{parts.sign}{parts.symbol}{digits}"
        assert parts.code == currency
        assert "\u00a0" not in parts.text
        assert parts.text == words.money_text(money)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "21 Nov 2026, 08:35 UTC"),
        ("Asia/Kolkata", "21 Nov 2026, 14:05 IST"),
        ("America/New_York", "21 Nov 2026, 03:35 EST"),
        ("Asia/Tokyo", "21 Nov 2026, 17:35 JST"),
        ("Asia/Dubai", "21 Nov 2026, 12:35 UTC+04"),
        ("Pacific/Kiritimati", "21 Nov 2026, 22:35 UTC+14"),
        (None, "21 Nov 2026, 08:35 UTC"),
        ("", "21 Nov 2026, 08:35 UTC"),
        ("Nowhere/Else", "21 Nov 2026, 08:35 UTC"),
        ("../etc/passwd", "21 Nov 2026, 08:35 UTC"),
        ("a\x00b", "21 Nov 2026, 08:35 UTC"),
    ],
)
def test_moments_name_their_zone(zone: str | None, text: str) -> None:
    assert words.moment_text(NOW, zone) == text
    to_the_second = words.second_text(NOW + dt.timedelta(seconds=7), zone)
    assert to_the_second == text.replace(":35 ", ":35:07 ").replace(":05 ", ":05:07 ")


def test_days_have_no_leading_zero() -> None:
    assert words.day_text(dt.date(2026, 11, 1)) == "1 Nov 2026"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"), (4, "just now"), (-4, "just now"), (5, "5 seconds ago"),
        (59, "59 seconds ago"), (60, "1 minute ago"), (119, "1 minute ago"),
        (120, "2 minutes ago"), (3_599, "59 minutes ago"), (3_600, "1 hour ago"),
        (86_399, "23 hours ago"), (86_400, "1 day ago"), (172_800, "2 days ago"),
        (-5, "in 5 seconds"), (-60, "in 1 minute"), (-900, "in 15 minutes"),
        (-172_800, "in 2 days"),
    ],
)  # fmt: skip
def test_how_long_ago_is_said_in_the_largest_unit(seconds: int, text: str) -> None:
    moment = NOW - dt.timedelta(seconds=seconds)
    assert words.relative_text(moment, NOW) == text
