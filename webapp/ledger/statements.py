"""What moved on a merchant's account, line by line, and what is on it by currency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select, text

from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.ledger.accounts import PAYABLE
from webapp.ledger.models import Entry, Transfer

_HELD = text(
    """
    SELECT a.currency, (coalesce(c.amount_minor, 0) + coalesce((
      SELECT sum(e.amount_minor) FROM entry e
       WHERE e.account_id = a.id AND e.xid >= coalesce(c.horizon, '0')), 0))::bigint AS held
    FROM ledger_account a
    LEFT JOIN balance_checkpoint c ON c.account_id = a.id
    WHERE a.merchant_id = :merchant AND a.livemode = :livemode AND a.kind = 'payable'
    ORDER BY a.currency
    """
)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One transfer as a merchant’s account met it; `gross` less `fee` is `net`, of either sign.

    `subject_id` is what its reference names, such as the payment that was taken.
    """

    id: str
    at: dt.datetime
    kind: str
    because: str
    subject_id: str
    gross: Money
    fee: Money

    @property
    def net(self) -> Money:
        """By how much the account moved."""
        return self.gross - self.fee


def payables_of(merchant_id: str, *, livemode: bool) -> list[Money]:
    """Return what is on a merchant's account, one amount for each currency that was ever used."""
    rows = db.session.execute(_HELD, {"merchant": merchant_id, "livemode": livemode})
    return [Money(row.held, row.currency) for row in rows]


def statement_of(merchant_id: str, *, livemode: bool, asked: PageRequest) -> Page[StatementLine]:
    """Return a page of the transfers that moved a merchant's account, newest first."""
    touches = exists().where(Entry.transfer_id == Transfer.id, Entry.account_kind == PAYABLE)
    wanted = select(Transfer).where(
        Transfer.merchant_id == merchant_id, Transfer.livemode == livemode, touches
    )
    found = db.session.scalars(one_page(wanted, Transfer.id, asked)).all()
    moved = _moved([one.id for one in found])
    return page_of([_line(one, moved[one.id]) for one in found], asked, lambda line: line.id)


def is_on_statement(merchant_id: str, transfer_id: str) -> bool:
    """Whether a transfer is one of the merchant's."""
    wanted = select(Transfer.id).where(
        Transfer.merchant_id == merchant_id, Transfer.id == transfer_id
    )
    return db.session.scalar(wanted) is not None


def _moved(transfer_ids: Sequence[str]) -> dict[str, list[Money]]:
    rows = db.session.execute(
        select(Entry.transfer_id, Entry.amount_minor, Entry.currency)
        .where(Entry.transfer_id.in_(transfer_ids), Entry.account_kind == PAYABLE)
        .order_by(Entry.transfer_id, Entry.position)
    )
    moved: dict[str, list[Money]] = {}
    for row in rows:
        moved.setdefault(row.transfer_id, []).append(Money(row.amount_minor, row.currency))
    return moved


def _line(transfer: Transfer, moved: Sequence[Money]) -> StatementLine:
    """Return what came or went first as gross, and what went the other way after it as the fee."""
    fee = sum((-one.minor for one in moved[1:]), start=0)
    reference = transfer.reference.split(":")
    return StatementLine(
        id=transfer.id,
        at=transfer.at,
        kind=transfer.kind,
        because=transfer.because,
        subject_id=reference[1] if len(reference) > 1 else "",
        gross=moved[0],
        fee=Money(fee, moved[0].currency),
    )
