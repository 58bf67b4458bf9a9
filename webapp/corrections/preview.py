"""What a correction would do to the books, line by line, before anybody asks for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from webapp import ledger
from webapp.corrections.errors import CorrectionNotPossible
from webapp.corrections.models import Correction, Kind
from webapp.kernel.money import Money
from webapp.ledger import AccountRef, Line, TransferDetail

MOST_LINES = 5
WALLET = "wallet"
#: Transfers that book what something else says of itself, by the beginning of their reference, and
#: how that is undone instead.
BOOKED_BY: dict[str, str] = {
    "payment.captured": "It books a payment that was taken. Refund that payment instead.",
    "refund.sent": "It books a refund, which books itself back if it fails. Book lines instead.",
}
BOOKED_BY["refund.settled"] = BOOKED_BY["refund.sent"]
#: Every amount in these is explained by money that waits or is under way; no line reaches it.
EXPLAINED = frozenset({"suspense", "refunds_in_transit"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """Which transfer is to be put right, how, and with which lines."""

    transfer_id: str
    kind: Kind
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Touched:
    """One account that a correction changes: what it holds now and would hold then."""

    account: AccountRef
    before: Money
    change: Money

    @property
    def after(self) -> Money:
        """What it would hold."""
        return self.before + self.change

    @property
    def is_overdrawn(self) -> bool:
        """Whether a wallet would go below zero, which the ledger refuses."""
        return self.account.kind == WALLET and self.after.minor < 0


def why_not_reverse(detail: TransferDetail) -> str | None:
    """Return why a correction does not undo a transfer, or None where it may."""
    if detail.is_reversed:
        return "This transfer was reversed before. That is done once."
    if detail.transfer.reverses:
        return "This transfer is itself a reversal. Correct it with lines of your own instead."
    return BOOKED_BY.get(detail.transfer.reference.partition(":")[0])


def reversal(detail: TransferDetail) -> Proposal:
    """Propose to undo a transfer; raises CorrectionNotPossible where it is not undone so."""
    if reason := why_not_reverse(detail):
        raise CorrectionNotPossible(reason)
    turned = [Line(line.target, line.source, line.amount) for line in detail.lines]
    return Proposal(detail.transfer.id, Kind.REVERSAL, turned)


def adjustment(detail: TransferDetail, lines: Sequence[tuple[str, str, Money]]) -> Proposal:
    """Propose lines (source's name, target's name, amount) beside a transfer.

    Raises CorrectionNotPossible, naming the field, for accounts that are not the transfer's to
    touch, for amounts that are no line, and for more than 5 lines or none.
    """
    known = {account.name: account for account in accounts_for(detail)}
    if not lines:
        raise CorrectionNotPossible("Say from where to where, and how much.", param="amount")
    if len(lines) > MOST_LINES:
        raise CorrectionNotPossible(f"A correction has {MOST_LINES} lines at most.", param="amount")
    built = []
    for source, target, amount in lines:
        if source not in known or target not in known:
            field = "source" if source not in known else "target"
            raise CorrectionNotPossible("Choose one of this transfer’s accounts.", param=field)
        built.append(_line(known[source], known[target], amount))
    return Proposal(detail.transfer.id, Kind.ADJUSTMENT, built)


def accounts_for(detail: TransferDetail) -> list[AccountRef]:
    """Return the accounts that a correction of a transfer may touch.

    Those that it touched, and in its currencies its merchant's payable, the platform's fees and
    clearing; never suspense, nor refunds under way.
    """
    transfer = detail.transfer
    touched = [ref for line in detail.lines for ref in (line.source, line.target)]
    for currency in sorted({ref.currency for ref in touched}):
        touched += [
            ledger.payable(transfer.merchant_id, transfer.livemode, currency),
            ledger.fees(transfer.livemode, currency),
            ledger.clearing(transfer.livemode, currency),
        ]
    return list(dict.fromkeys(ref for ref in touched if ref.kind not in EXPLAINED))


def preview(lines: Sequence[Line]) -> list[Touched]:
    """Return every account that lines touch, with what it holds now and would hold then."""
    change: defaultdict[AccountRef, int] = defaultdict(int)
    for line in lines:
        change[line.source] -= line.amount.minor
        change[line.target] += line.amount.minor
    return [
        Touched(account, ledger.balance(account), Money(minor, account.currency))
        for account, minor in sorted(change.items(), key=lambda one: one[0].name)
    ]


def proposal_of(correction: Correction) -> Proposal:
    """Return what a correction proposes."""
    return Proposal(correction.transfer_id, Kind(correction.kind), correction.lines)


def _line(source: AccountRef, target: AccountRef, amount: Money) -> Line:
    if source == target:
        raise CorrectionNotPossible("A line goes from one account to another.", param="target")
    if amount.currency not in {source.currency} & {target.currency}:
        raise CorrectionNotPossible("A line stays in one currency.", param="target")
    if not 0 < amount.minor < ledger.LARGEST_MINOR:
        raise CorrectionNotPossible("A line moves an amount above zero.", param="amount")
    return Line(source, target, amount)
