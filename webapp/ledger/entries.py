"""Lines of a transfer and the entries that they become; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from webapp.kernel.money import Money
from webapp.ledger.accounts import AccountRef

LARGEST_MINOR = 2**62


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` (above zero) goes from `source` to `target`, all three in one currency and mode."""

    source: AccountRef
    target: AccountRef
    amount: Money

    def __post_init__(self) -> None:
        if self.why_not() is not None:
            raise ValueError(self.why_not())

    def why_not(self) -> str | None:
        """Return what makes this no line of a ledger, or None."""
        if not 0 < self.amount.minor < LARGEST_MINOR:
            return "a line moves an amount above zero"
        if {self.source.currency, self.target.currency} != {self.amount.currency}:
            return "a line moves money between accounts of its own currency"
        if self.source.livemode != self.target.livemode:
            return "a line stays in one mode"
        if self.source == self.target:
            return "a line goes from one account to another"
        return None


def turned(lines: Sequence[Line]) -> list[Line]:
    """Return lines that undo `lines`: sources and targets swapped, in the same order."""
    return [Line(line.target, line.source, line.amount) for line in lines]


def payload(lines: Sequence[Line], new_id: Iterator[str]) -> list[dict[str, Any]]:
    """Return two signed entries per line, numbered from 1, as the database's function takes them.

    `new_id` gives ids for accounts that may turn out not to be open yet.
    """
    entries: list[dict[str, Any]] = []
    for line in lines:
        sides = ((line.source, -line.amount.minor), (line.target, line.amount.minor))
        for account, amount in sides:
            entries.append(_entry(len(entries) + 1, account, amount, next(new_id)))
    return entries


def _entry(position: int, account: AccountRef, amount: int, new_id: str) -> dict[str, Any]:
    return {
        "position": position,
        "account": account.name,
        "amount": amount,
        "id": new_id,
        "merchant": account.merchant_id,
        "kind": account.kind,
        "currency": account.currency,
        "owner": account.user_id,
    }
