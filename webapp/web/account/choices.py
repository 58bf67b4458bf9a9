"""What the lists on the forms offer: currencies and time zones."""

from __future__ import annotations

import zoneinfo

from babel.core import get_global
from wtforms.fields.choices import SelectChoice

from webapp.kernel import clock
from webapp.kernel.money import EXPONENTS

CURRENCIES = [SelectChoice(code, code) for code in EXPONENTS]
DEFAULT_CURRENCY = "INR"
DEFAULT_ZONE = "Asia/Kolkata"
DEFAULT_COUNTRY = "IN"
SECONDS_A_MINUTE, MINUTES_AN_HOUR = 60, 60


def zones() -> list[SelectChoice]:
    """Return the time zones in which somebody lives, as `Region/City (UTC+05:30)`."""
    lived_in = get_global("zone_territories")
    now = clock.now()
    rows = []
    for name in sorted(zoneinfo.available_timezones() & lived_in.keys() | {DEFAULT_ZONE, "UTC"}):
        offset = now.astimezone(zoneinfo.ZoneInfo(name)).utcoffset()
        minutes = int(offset.total_seconds()) // SECONDS_A_MINUTE if offset else 0
        hours, rest = divmod(abs(minutes), MINUTES_AN_HOUR)
        sign = "-" if minutes < 0 else "+"
        words = f"{name.replace('_', ' ')} (UTC{sign}{hours:02}:{rest:02})"
        rows.append(SelectChoice(name, words))
    return rows


def country_of(zone: str) -> str:
    """Return the country in which a time zone lies, as two letters."""
    found: str = get_global("zone_territories").get(zone, DEFAULT_COUNTRY)
    return found if found.isalpha() else DEFAULT_COUNTRY
