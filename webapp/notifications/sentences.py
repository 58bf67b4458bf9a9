"""The words of messages, pure: the fact first, amounts as people write them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from webapp.kernel import words
from webapp.kernel.money import Money


def paid(amount: Money, order_number: str) -> str:
    """Return `Your payment of ₹500 for Order #123 is successful.`, the sentence of S3-10."""
    return f"Your payment of {words.money_short(amount)} for Order #{order_number} is successful."


def topped_up(amount: Money) -> str:
    """Return such as `₹500 is in your wallet.`: who tops up has placed no order that they know."""
    return f"{words.money_short(amount)} is in your wallet."


def money_sent(amount: Money, recipient: str) -> str:
    """Return such as `You sent ₹500 to Meera Nair.`."""
    return f"You sent {words.money_short(amount)} to {recipient}."


def money_received(amount: Money, sender: str, note: str) -> str:
    """Return such as `Asha Raman sent you ₹500: “for the tea”. It is in your wallet.`."""
    said = f": “{note}”" if note else ""
    return f"{sender} sent you {words.money_short(amount)}{said}. It is in your wallet."


def moment(when: dt.datetime, zone_name: str) -> str:
    """Return such as `21 Nov 2026, 14:05 IST`."""
    return words.moment_text(when, zone_name)


def day(when: dt.date) -> str:
    """Return such as `21 Nov 2026`."""
    return words.day_text(when)


@dataclass(frozen=True, slots=True)
class RefundWords:
    """What the sentences about a refund are made of; `target_number` is the order it pays."""

    amount: Money
    order_number: str
    destination: str = "original"
    target_number: str = ""
    expected_by: dt.date | None = None
    bank_reference: str = ""

    @property
    def what(self) -> str:
        """Such as `Your refund of ₹500 for Order #123`."""
        return f"Your refund of {words.money_short(self.amount)} for Order #{self.order_number}"

    @property
    def when(self) -> str:
        """Such as ` It usually arrives by 1 Dec 2026.`, where that is known."""
        return f" It usually arrives by {day(self.expected_by)}." if self.expected_by else ""


def refund_sent(said: RefundWords) -> str:
    """Return the sentence of a refund that the provider has and the bank does not yet."""
    return f"{said.what} is on its way.{said.when}"


def refund_succeeded(said: RefundWords) -> str:
    """Return the sentence of a refund that has gone back, with what to quote to the bank."""
    if said.destination == "wallet":
        return f"{said.what} is in your wallet."
    if said.destination == "order_credit":
        return f"{said.what} has paid Order #{said.target_number}."
    quote = f" Quote {said.bank_reference} to your bank." if said.bank_reference else ""
    return f"{said.what} has been sent to your bank.{said.when}{quote}"


def refund_failed(said: RefundWords, *, is_set_aside: bool) -> str:
    """Return the sentence of a refund that the bank gave back."""
    who = "We have" if is_set_aside else "The shop has"
    return f"{said.what} did not arrive. {who} the money and will find another way."


def refund_failed_for_clerk(said: RefundWords, why: str, do: str) -> str:
    """Return what the person reads who asked for a refund that failed: why, and what to do."""
    amount = words.money_short(said.amount)
    return f"The refund of {amount} for Order #{said.order_number} failed. {why} {do}"


def arrived(said: RefundWords) -> str:
    """Return the end of a title: where the refund has gone."""
    ends = {"wallet": "is in your wallet", "order_credit": "has paid another order"}
    return ends.get(said.destination, "was sent to your bank")


def refund_title(said: RefundWords, end: str) -> str:
    """Return such as `Your refund of ₹500 for Order #123 is on its way`."""
    return f"{said.what} {end}"
