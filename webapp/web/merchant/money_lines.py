"""Where a payment's money went, from the ledger's own entries, so that the lines add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webapp import ledger
from webapp.kernel.money import Money
from webapp.ledger import EntryLine
from webapp.payments import Payment

PAYABLE = "payable"


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One line of the breakdown; `amount` is negative for what was taken off."""

    label: str
    amount: Money
    note: str = ""


@dataclass(frozen=True, slots=True)
class MoneyLines:
    """Lines that add up to `net`, what the merchant keeps; `reference` is the transfer's.

    What went back, or is on its way, is among them; `after` says how much could still go back.
    """

    lines: Sequence[MoneyLine]
    net: Money
    reference: str
    after: Sequence[MoneyLine] = ()

    @property
    def label(self) -> str:
        """What the merchant reads beside the total."""
        return "You keep" if self.after else "You receive"


def money_lines(payment: Payment, method: str) -> MoneyLines | None:
    """Return what the ledger booked for a payment, or None before any money moved."""
    reference = f"payment.captured:{payment.id}"
    transfer = ledger.transfer_by_reference(reference)
    if transfer is None:
        return None
    entries = ledger.entries_of(transfer.id)
    return breakdown(entries, payment, method, reference)


def breakdown(
    entries: Sequence[EntryLine], payment: Payment, method: str, reference: str
) -> MoneyLines:
    """Return the merchant's side of a transfer's entries, line by line."""
    lines = [
        MoneyLine(f"Paid by {method}", entry.amount)
        if entry.amount.minor > 0
        else MoneyLine("Platform fee", entry.amount, rate_text(payment.fee_bps))
        for entry in entries
        if entry.account_kind == PAYABLE
    ]
    lines += refund_lines(payment)
    net = Money(0, payment.currency)
    for line in lines:
        net += line.amount
    left = (
        [MoneyLine("Left to refund", payment.refundable)] if payment.refund_reserved_minor else []
    )
    return MoneyLines(lines, net, reference, left)


def refund_lines(payment: Payment) -> list[MoneyLine]:
    """Return what was refunded of a payment, and what is on its way."""
    if not payment.refund_reserved_minor:
        return []
    under_way = Money(payment.refund_reserved_minor - payment.refunded_minor, payment.currency)
    return [
        *([MoneyLine("Refunded", -payment.refunded)] if payment.refunded else []),
        *([MoneyLine("Refund under way", -under_way)] if under_way else []),
    ]


def rate_text(basis_points: int) -> str:
    """Return a rate such as `2 %` or `2.35 %`."""
    whole, rest = divmod(basis_points, 100)
    if not rest:
        return f"{whole} %"
    return f"{whole}.{rest:02}".rstrip("0") + " %"
