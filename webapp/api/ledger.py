"""The merchant's account in the books: what is on it, by currency."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from webapp import ledger, payments, refunds
from webapp.api.caller import caller, needs
from webapp.api.routing import get
from webapp.kernel.money import Money

TAG = "Ledger"


class Sum(BaseModel):
    """An amount in one currency; currencies are never added."""

    amount: int = Field(description="Whole minor units; may be below zero.")
    currency: str


class Balance(BaseModel):
    """What a merchant is owed now, and what is on its way in and out."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "balance",
        "livemode": False,
        "available": [{"amount": 147000, "currency": "INR"}],
        "held": [{"amount": 50000, "currency": "INR"}],
        "leaving": [{"amount": 3000, "currency": "INR"}],
        "booked": [{"amount": 150000, "currency": "INR"}],
    }

    object: Literal["balance"]
    livemode: bool
    available: list[Sum] = Field(description="What is booked less what is leaving.")
    held: list[Sum] = Field(description="What banks hold of payments that can still be captured.")
    leaving: list[Sum] = Field(description="Refunds asked for or approved that have not left.")
    booked: list[Sum] = Field(description="What is on the account in the books.")


@get("/ledger/balance", tag=TAG, gives=Balance)
@needs(scope="ledger:read")
def get_balance() -> dict[str, Any]:
    """Get the balance.

    What the merchant is owed, by currency, from the books themselves: payments less fees and
    refunds.
    """
    who = caller()
    booked = ledger.payables_of(who.merchant, livemode=who.livemode)
    leaving = refunds.leaving_of(who.merchant, livemode=who.livemode)
    going = {money.currency: money for money in leaving}
    nothing = {money.currency: Money(0, money.currency) for money in booked}
    left = nothing | going
    return {
        "object": "balance",
        "livemode": who.livemode,
        "available": _sums(money - left[money.currency] for money in booked),
        "held": _sums(payments.held_of(who.merchant, livemode=who.livemode)),
        "leaving": _sums(leaving),
        "booked": _sums(booked),
    }


def _sums(amounts: Iterable[Money]) -> list[dict[str, Any]]:
    return [{"amount": money.minor, "currency": money.currency} for money in amounts]
