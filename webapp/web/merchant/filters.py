"""Filters of the payments list as they stand in the address: read once, shown as chips; pure.

Days are days of the merchant's zone. `on` says which moment they bound: when a payment was
created, or when it ended (captured, failed, …), which is what the dashboard's numbers count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from webapp import analytics
from webapp.kernel.errors import Invalid
from webapp.kernel.money import EXPONENTS, parse_money
from webapp.payments import LIVE, PaymentFilter

MAX_TEXT = 254
#: Days beyond these have no midnight in every zone, and no payment either.
YEARS = range(2000, 2101)
#: Any currency with two decimals, by whose rules an amount without a currency is read.
TWO_DECIMALS = "INR"
_SIGNS = (("₹", "INR"), ("$", "USD"), ("€", "EUR"), ("£", "GBP"), ("¥", "JPY"))
_MARKS = (*_SIGNS, *((code, code) for code in EXPONENTS))
#: Tab name in the address: its label, and the states that it shows.
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("All", ()),
    "paid": ("Paid", ("captured",)),
    "open": ("In progress", tuple(LIVE)),
    "failed": ("Failed", ("failed",)),
    "expired": ("Expired", ("expired",)),
    "cancelled": ("Cancelled", ("cancelled",)),
    "decided": ("Paid or failed", ("captured", "failed")),
    "held": ("Held", ("authorised",)),
}
#: Tabs that only a link leads to.
HIDDEN = frozenset({"decided", "held"})
METHODS = {"card": "Card", "wallet": "Wallet", "hosted": "Provider’s page"}
MOMENTS = {"created": "Created", "ended": "Ended"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they stand in the address, each checked or empty."""

    status: str = ""
    currency: str = ""
    method: str = ""
    q: str = ""
    since: str = ""
    until: str = ""
    on: str = "created"

    def kept(self) -> dict[str, str]:
        """Return the filters in force as address parameters."""
        found = {
            "status": self.status,
            "currency": self.currency,
            "method": self.method,
            "q": self.q,
            "since": self.since,
            "until": self.until,
            "on": self.on if (self.since or self.until) and self.on != "created" else "",
        }
        return {name: value for name, value in found.items() if value}


def read(args: Mapping[str, str]) -> Asked:
    """Read the filters of an address; what is not known is as if it were not there.

    Raises Invalid for a day that is none, since ignoring it would show the wrong rows.
    """
    return Asked(
        status=known(args, "status", TABS),
        currency=known(args, "currency", EXPONENTS),
        method=known(args, "method", METHODS),
        q=args.get("q", "").strip()[:MAX_TEXT],
        since=day_of(args, "since"),
        until=day_of(args, "until"),
        on=known(args, "on", MOMENTS) or "created",
    )


def selection(asked: Asked, zone: str) -> PaymentFilter:
    """Return what the filters mean for the payments room."""
    since, until = bounds(asked.since, asked.until, zone)
    ended = asked.on == "ended"
    money = typed_amount(asked.q, asked.currency)
    return PaymentFilter(
        statuses=TABS[asked.status][1],
        currency=asked.currency or (money[1] if money else None),
        method=asked.method or None,
        text=asked.q if asked.q and money is None else None,
        minor=money[0] if money else None,
        since=None if ended else since,
        until=None if ended else until,
        ended_since=since if ended else None,
        ended_until=until if ended else None,
    )


def bounds(since: str, until: str, zone: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the moments between which two days of a zone lie, the last day included."""
    first = analytics.midnight(dt.date.fromisoformat(since), zone) if since else None
    after = dt.date.fromisoformat(until) + dt.timedelta(days=1) if until else None
    return first, analytics.midnight(after, zone) if after else None


def typed_amount(typed: str, currency: str) -> tuple[int, str | None] | None:
    """Return the minor units, and the currency if it is known, of a search that means an amount.

    An amount has a separator, a currency's sign or its code: `1,000.00`, `₹1000`, `JPY 500`. Bare
    digits are an order number or the last four of a card.
    """
    text = typed.strip()
    code = currency or None
    for mark, its_currency in _MARKS:
        if text.upper().startswith(mark):
            code, text = its_currency, text[len(mark) :].strip()
            break
    else:
        if not any(mark in text for mark in ".,"):
            return None
    try:
        money = parse_money(text, code or TWO_DECIMALS)
    except Invalid:
        return None
    return money.minor, code


def known(args: Mapping[str, str], name: str, choices: Mapping[str, object]) -> str:
    """Return a filter's value where it is one of the choices, otherwise nothing."""
    value = args.get(name, "")
    return value if value in choices else ""


def day_of(args: Mapping[str, str], name: str) -> str:
    """Return a filter's day, or nothing; raises Invalid for a day that is none."""
    value = args.get(name, "").strip()
    if not value:
        return ""
    try:
        day = dt.date.fromisoformat(value)
    except ValueError as wrong:
        raise Invalid("Write a day as 2026-11-21.", param=name) from wrong
    if day.year not in YEARS:
        raise Invalid(f"Choose a day from {YEARS[0]} to {YEARS[-1]}.", param=name)
    return day.isoformat()
