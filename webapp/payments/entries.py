"""From what happened to ledger lines; pure."""

from __future__ import annotations

from dataclasses import dataclass

from webapp import ledger
from webapp.kernel.money import Money
from webapp.ledger import AccountRef, Line


@dataclass(frozen=True, slots=True)
class Capture:
    """A payment that was taken: from where, for whom, how much, and what the platform keeps."""

    source: AccountRef
    merchant_id: str
    livemode: bool
    amount: Money
    fee: Money


def captured(capture: Capture) -> list[Line]:
    """Return a captured payment's lines: all of it to the merchant, then the fee from there."""
    payable = ledger.payable(capture.merchant_id, capture.livemode, capture.amount.currency)
    lines = [Line(source=capture.source, target=payable, amount=capture.amount)]
    if capture.fee:
        fees = ledger.fees(capture.livemode, capture.amount.currency)
        lines.append(Line(source=payable, target=fees, amount=capture.fee))
    return lines


def set_aside(*, livemode: bool, amount: Money) -> list[Line]:
    """Return the lines of money that came and fits no order: it waits in suspense."""
    return [
        Line(
            source=ledger.clearing(livemode, amount.currency),
            target=ledger.suspense(livemode, amount.currency),
            amount=amount,
        )
    ]
