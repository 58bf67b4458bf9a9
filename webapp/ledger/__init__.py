"""Double entry: balanced transfers between named accounts, posted once, corrected by reversal.

An account's balance is the sum of its entries; the source of a line is debited (its entry is
negative), the target credited. What we hold for others (payable, wallet, suspense) and our fees
are positive; clearing is negative by what the provider still has for us.
"""

from webapp.ledger.accounts import (
    PLATFORM_ID,
    AccountRef,
    clearing,
    fees,
    payable,
    suspense,
    wallet,
)
from webapp.ledger.books import BooksReport, BooksUnreadable, Total, check_books
from webapp.ledger.entries import Line
from webapp.ledger.errors import InsufficientBalance, ReferenceReused
from webapp.ledger.queries import (
    EntryLine,
    TransferLine,
    balance,
    entries_for,
    entries_of,
    transfer_by_reference,
    transfers_of,
    wallet_balances,
    wallet_entries,
)
from webapp.ledger.service import fold_checkpoints, post, reverse

__all__ = [
    "PLATFORM_ID",
    "AccountRef",
    "BooksReport",
    "BooksUnreadable",
    "EntryLine",
    "InsufficientBalance",
    "Line",
    "ReferenceReused",
    "Total",
    "TransferLine",
    "balance",
    "check_books",
    "clearing",
    "entries_for",
    "entries_of",
    "fees",
    "fold_checkpoints",
    "payable",
    "post",
    "reverse",
    "suspense",
    "transfer_by_reference",
    "transfers_of",
    "wallet",
    "wallet_balances",
    "wallet_entries",
]
