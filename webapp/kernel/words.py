"""Amounts and moments in words, the same on pages, in mails and in sentences of history."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from webapp.kernel.currencies import symbol_of, written
from webapp.kernel.money import Money

# Unicode's explicit embeddings, overrides and isolates (UAX 9): they show a text in another order.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class MoneyParts:
    """An amount cut up for typography; `text` is the whole, for screen readers and titles."""

    sign: str
    symbol: str
    whole: str
    separator: str
    minor: str
    code: str
    text: str


def turns_text(text: str) -> bool:
    """Whether `text` holds a mark that makes it read otherwise than it was written."""
    return not TURNING.isdisjoint(text)


def money_parts(money: Money) -> MoneyParts:
    """Cut an amount into sign, symbol, whole units and minor units, grouped as its country does."""
    amount = money_text(Money(abs(money.minor), money.currency))
    symbol = symbol_of(money.currency)
    digits = amount.removeprefix(symbol).strip()
    whole, separator, minor = digits, "", ""
    if money.exponent:
        whole, separator, minor = digits.rpartition(".")
    sign = "−" if money.minor < 0 else ""
    return MoneyParts(sign, symbol, whole, separator, minor, money.currency, sign + amount)


def money_text(money: Money) -> str:
    """Return such as `₹1,000.00`, `¥1,000` or `KWD 1.250`."""
    return written(money.decimal(), money.currency)


def money_short(money: Money) -> str:
    """Return an amount for a sentence: `₹1,000` where there are no minor units, else `₹500.50`."""
    text = money_text(money)
    zeros = "." + "0" * money.exponent
    return text.removesuffix(zeros) if money.exponent else text


def zone(name: str | None) -> ZoneInfo:
    """Return the time zone of that name, or UTC where there is none such."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment_text(moment: dt.datetime, zone_name: str | None) -> str:
    """Return such as `21 Nov 2026, 14:05 IST`."""
    local = moment.astimezone(zone(zone_name))
    return f"{local.day} {local:%b %Y, %H:%M} {_zone_label(local)}"


def second_text(moment: dt.datetime, zone_name: str | None) -> str:
    """Return such as `21 Nov 2026, 14:05:09 IST`."""
    local = moment.astimezone(zone(zone_name))
    return f"{local.day} {local:%b %Y, %H:%M:%S} {_zone_label(local)}"


def day_text(day: dt.date) -> str:
    """Return such as `21 Nov 2026`."""
    return f"{day.day} {day:%b %Y}"


def relative_text(moment: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago or ahead, such as `5 minutes ago` or `in 2 days`."""
    seconds = int((now - moment).total_seconds())
    distance = abs(seconds)
    if distance < 5:  # noqa: PLR2004 - this is what people call now
        return "just now"
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if distance >= size:
            count = distance // size
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"{words} ago" if seconds >= 0 else f"in {words}"
    return "just now"


def _zone_label(local: dt.datetime) -> str:
    label = local.strftime("%Z")
    return label if label.isalpha() else f"UTC{label}"
