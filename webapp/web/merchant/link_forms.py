"""What people type to make a payment link, read strictly; every refusal names its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from webapp.kernel import words
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money
from webapp.web.merchant.forms import noting, read_amount, read_description

MOST = 10_000


@dataclass(frozen=True, slots=True)
class LinkForm:
    """The form: what was typed, what it means where it is right, and what is wrong.

    `ends_at` is the midnight after the last day, in the merchant's zone.
    """

    typed: Mapping[str, str]
    errors: Mapping[str, str]
    amount: Money | None = None
    description: str = ""
    max_payments: int | None = None
    ends_at: dt.datetime | None = None


def read_link_form(typed: Mapping[str, str], zone: str) -> LinkForm:
    """Read the form of a new link; `errors` holds one sentence for each field that is wrong."""
    errors: dict[str, str] = {}
    return LinkForm(
        description=noting(errors, _description, typed) or "",
        amount=noting(errors, read_amount, typed),
        max_payments=noting(errors, _max_payments, typed),
        ends_at=noting(errors, lambda sent: _ends_at(sent, zone), typed),
        typed=typed,
        errors=errors,
    )


def _description(typed: Mapping[str, str]) -> str:
    text = read_description(typed)
    if not text:
        raise Invalid("Say what the payment is for: it is all that is seen.", param="description")
    return text


def _max_payments(typed: Mapping[str, str]) -> int | None:
    text = typed.get("max_payments", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= MOST:
        raise Invalid(f"Enter a number from 1 to {MOST:,}, or nothing.", param="max_payments")
    return int(text)


def _ends_at(typed: Mapping[str, str], zone: str) -> dt.datetime | None:
    text = typed.get("last_day", "").strip()
    if not text:
        return None
    try:
        after = dt.date.fromisoformat(text) + dt.timedelta(days=1)
    except (ValueError, OverflowError) as wrong:
        raise Invalid("Enter a day such as 2026-12-01, or nothing.", param="last_day") from wrong
    return dt.datetime.combine(after, dt.time(), words.zone(zone))
