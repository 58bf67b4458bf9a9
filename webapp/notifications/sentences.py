"""The words of messages, pure: the fact first, amounts as people write them."""

from __future__ import annotations

import datetime as dt

from webapp.kernel import words
from webapp.kernel.money import Money


def paid(amount: Money, order_number: str) -> str:
    """Return `Your payment of ₹500 for Order #123 is successful.`, the sentence of S3-10."""
    return f"Your payment of {words.money_short(amount)} for Order #{order_number} is successful."


def topped_up(amount: Money) -> str:
    """Return such as `₹500 is in your wallet.`: who tops up has placed no order that they know."""
    return f"{words.money_short(amount)} is in your wallet."


def moment(when: dt.datetime, zone_name: str) -> str:
    """Return such as `21 Nov 2026, 14:05 IST`."""
    return words.moment_text(when, zone_name)
