"""Double entry: balanced transfers between named accounts, posted once, corrected by reversal.

An account's balance is the sum of its entries; the source of a line is debited (its entry is
negative), the target credited. What we hold for others (payable, wallet, suspense) and our fees
are positive; clearing is negative by what the provider still has for us.
"""

from webapp.ledger.accounts import (
    PLATFORM_ID,
    AccountRef,
    account_named,
    clearing,
    fees,
    payable,
    refunds_in_transit,
    store_credit,
    suspense,
    wallet,
)
from webapp.ledger.books import BooksReport, BooksUnreadable, Total, check_books, totals
from webapp.ledger.checks import CHECKS
from webapp.ledger.entries import LARGEST_MINOR, Line
from webapp.ledger.errors import InsufficientBalance, ReferenceReused, TransferNotFound
from webapp.ledger.queries import (
    EntryLine,
    TransferLine,
    balance,
    entries_for,
    entries_of,
    entry_of,
    transfer_by_reference,
    transfers_of,
    wallet_balances,
    wallet_entries,
)
from webapp.ledger.service import fold_checkpoints, post, reverse
from webapp.ledger.statements import (
    StatementLine,
    is_on_statement,
    payables_of,
    statement_of,
)
from webapp.ledger.transfers import (
    TransferDetail,
    transfer,
    transfers_everywhere,
)

__all__ = [
    "CHECKS",
    "LARGEST_MINOR",
    "PLATFORM_ID",
    "AccountRef",
    "BooksReport",
    "BooksUnreadable",
    "EntryLine",
    "InsufficientBalance",
    "Line",
    "ReferenceReused",
    "StatementLine",
    "Total",
    "TransferDetail",
    "TransferLine",
    "TransferNotFound",
    "account_named",
    "balance",
    "check_books",
    "clearing",
    "entries_for",
    "entries_of",
    "entry_of",
    "fees",
    "fold_checkpoints",
    "is_on_statement",
    "payable",
    "payables_of",
    "post",
    "refunds_in_transit",
    "reverse",
    "statement_of",
    "store_credit",
    "suspense",
    "totals",
    "transfer",
    "transfer_by_reference",
    "transfers_everywhere",
    "transfers_of",
    "wallet",
    "wallet_balances",
    "wallet_entries",
]
