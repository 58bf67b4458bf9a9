"""Reads of the ledger; under the web role they show only what belongs to its merchant or user."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, text, tuple_

from webapp.kernel import db
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.ledger.accounts import PAYABLE, PLATFORM_ID, WALLET, AccountRef
from webapp.ledger.entries import Line
from webapp.ledger.models import Account, Balance, Entry, Transfer

_LONGEST_POSITION = 5
_BALANCE = text(
    """
    SELECT coalesce(b.amount_minor, coalesce(c.amount_minor, 0) + coalesce((
      SELECT sum(e.amount_minor) FROM entry e
       WHERE e.account_id = a.id AND e.xid >= coalesce(c.horizon, '0')), 0))::bigint
    FROM ledger_account a
    LEFT JOIN balance b ON b.account_id = a.id
    LEFT JOIN balance_checkpoint c ON c.account_id = a.id
    WHERE a.name = :name COLLATE "C"
    """
)


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry with what its transfer says; `amount` is negative on a source."""

    transfer_id: str
    reference: str
    kind: str
    because: str
    at: dt.datetime
    position: int
    account_kind: str
    merchant_id: str
    livemode: bool
    user_id: str | None
    amount: Money


@dataclass(frozen=True, slots=True)
class TransferLine:
    """One transfer in a list."""

    id: str
    reference: str
    kind: str
    because: str
    at: dt.datetime


_ENTRY_COLUMNS = (
    Entry.transfer_id,
    Transfer.reference,
    Transfer.kind,
    Transfer.because,
    Transfer.at,
    Entry.position,
    Entry.account_kind,
    Entry.merchant_id,
    Entry.livemode,
    Entry.user_id,
    Entry.amount_minor,
    Entry.currency,
)


def balance(account: AccountRef) -> Money:
    """Return what an account holds: its balance row, or its checkpoint plus newer entries."""
    held = db.session.scalar(_BALANCE, {"name": account.name})
    return Money(held or 0, account.currency)


def wallet_balances(user_id: str, livemode: bool) -> list[Money]:  # noqa: FBT001 - mode
    """Return what a person has stored, one amount per currency that was ever used, by currency."""
    rows = db.session.execute(
        select(Balance.amount_minor, Account.currency)
        .join(Account, Account.id == Balance.account_id)
        .where(Account.user_id == user_id, Account.livemode == livemode)
        .order_by(Account.currency)
    )
    return [Money(row.amount_minor, row.currency) for row in rows]


def transfer_by_reference(reference: str) -> TransferLine | None:
    """Return the transfer that books a business fact, or None."""
    row = db.session.execute(
        select(Transfer.id, Transfer.reference, Transfer.kind, Transfer.because, Transfer.at).where(
            Transfer.reference == reference
        )
    ).one_or_none()
    return TransferLine(*row) if row else None


def transfers_of(
    merchant_id: str,
    livemode: bool,  # noqa: FBT001 - mode
    asked: PageRequest,
) -> Page[TransferLine]:
    """Return a page of a merchant's transfers, newest first."""
    wanted = select(
        Transfer.id, Transfer.reference, Transfer.kind, Transfer.because, Transfer.at
    ).where(Transfer.merchant_id == merchant_id, Transfer.livemode == livemode)
    rows = db.session.execute(one_page(wanted, Transfer.id, asked)).all()
    return page_of([TransferLine(*row) for row in rows], asked, lambda line: line.id)


def entries_for(
    subject_id: str,
    *,
    merchant_id: str,
    livemode: bool,
) -> list[EntryLine]:
    """Return the entries of every transfer that is about `subject_id`, oldest first.

    References are `<fact>:<subject id>` or `<fact>:<subject id>:<number>`; for breakdowns.
    """
    return _entries(
        func.split_part(Transfer.reference, ":", 2) == subject_id,
        Transfer.merchant_id == merchant_id,
        Transfer.livemode == livemode,
    )


def entries_of(transfer_id: str) -> list[EntryLine]:
    """Return a transfer's entries in their order."""
    return _entries(Entry.transfer_id == transfer_id)


def wallet_entries(
    user_id: str,
    livemode: bool,  # noqa: FBT001 - mode
    asked: PageRequest,
    *,
    currency: str | None = None,
) -> Page[EntryLine]:
    """Return a page of what moved in a person's wallets, or in one of them, newest first."""
    wanted = (
        select(*_ENTRY_COLUMNS)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .where(Entry.user_id == user_id, Entry.livemode == livemode)
    )
    if currency is not None:
        wanted = wanted.where(Entry.currency == currency)
    key = tuple_(Entry.transfer_id, Entry.position)
    if asked.after:
        wanted = wanted.where(key > _position(asked.after))
        wanted = wanted.order_by(Entry.transfer_id, Entry.position)
    else:
        wanted = wanted.order_by(Entry.transfer_id.desc(), Entry.position.desc())
    if asked.before:
        wanted = wanted.where(key < _position(asked.before))
    rows = db.session.execute(wanted.limit(asked.limit + 1)).all()
    lines = [_line(row) for row in rows]
    return page_of(lines, asked, lambda line: f"{line.transfer_id}_{line.position}")


def entry_of(transfer_id: str, position: int, *, user_id: str) -> Entry | None:
    """Return one entry of a person's wallets by its place in its transfer, or None."""
    found = db.session.get(Entry, (transfer_id, position))
    return found if found is not None and found.user_id == user_id else None


def lines_of(entries: Sequence[EntryLine]) -> list[Line]:
    """Return the lines that became `entries`: each line is a source and then its target."""
    pairs = zip(entries[::2], entries[1::2], strict=True)
    return [Line(_ref(source), _ref(target), target.amount) for source, target in pairs]


def _ref(entry: EntryLine) -> AccountRef:
    owner = entry.merchant_id if entry.account_kind == PAYABLE else PLATFORM_ID
    user_id = entry.user_id if entry.account_kind == WALLET else None
    return AccountRef(owner, entry.livemode, entry.account_kind, entry.amount.currency, user_id)


def _entries(*conditions: ColumnElement[bool]) -> list[EntryLine]:
    rows = db.session.execute(
        select(*_ENTRY_COLUMNS)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .where(*conditions)
        .order_by(Entry.transfer_id, Entry.position)
    )
    return [_line(row) for row in rows]


def _line(row: Row[*tuple[Any, ...]]) -> EntryLine:
    return EntryLine(
        transfer_id=row.transfer_id,
        reference=row.reference,
        kind=row.kind,
        because=row.because,
        at=row.at,
        position=row.position,
        account_kind=row.account_kind,
        merchant_id=row.merchant_id,
        livemode=row.livemode,
        user_id=row.user_id,
        amount=Money(row.amount_minor, row.currency),
    )


def _position(cursor: str) -> tuple[str, int]:
    transfer_id, _, position = cursor.rpartition("_")
    if not (position.isdecimal() and len(position) < _LONGEST_POSITION):
        raise Invalid("That page address is not one of ours.")
    return transfer_id, int(position)
