"""Above how much two people are needed, for refunds and for what becomes of set-aside money."""

from __future__ import annotations

from collections.abc import Mapping

from webapp.kernel.money import Money

#: Above how many minor units two people are needed: about ₹50,000 in each of these currencies.
APPROVAL: Mapping[str, int] = {
    "AED": 220_000,
    "AUD": 90_000,
    "CAD": 80_000,
    "CHF": 50_000,
    "EUR": 55_000,
    "GBP": 50_000,
    "INR": 5_000_000,
    "JPY": 90_000,
    "KWD": 180_000,
    "SGD": 80_000,
    "USD": 60_000,
}
#: The same for every other currency, in whole units: little, since some are worth much.
APPROVAL_ELSEWHERE = 100

_limits: list[Mapping[str, int]] = [APPROVAL]


def use_limits(approval: Mapping[str, int]) -> None:
    """Set the limits by currency, in minor units; called once at start."""
    _limits[:] = [approval]


def one_person_limit(currency: str) -> Money:
    """Return how much of a currency one person may decide about alone."""
    elsewhere = APPROVAL_ELSEWHERE * 10 ** Money(0, currency).exponent
    return Money(_limits[0].get(currency, elsewhere), currency)


def needs_second(amount: Money) -> bool:
    """Whether a second person has to approve what becomes of money set aside."""
    return amount > one_person_limit(amount.currency)
