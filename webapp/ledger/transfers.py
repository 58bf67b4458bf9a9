"""Reads of whole transfers: one with all its links, and lists over all merchants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from webapp.kernel import db
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.ledger.entries import Line
from webapp.ledger.errors import TransferNotFound
from webapp.ledger.models import Transfer
from webapp.ledger.queries import EntryLine, TransferLine, entries_of, lines_of

_LINE = (Transfer.id, Transfer.reference, Transfer.kind, Transfer.because, Transfer.at)


@dataclass(frozen=True, slots=True)
class TransferDetail:
    """One transfer with its entries, what it reverses or corrects, and what did so to it."""

    transfer: Transfer
    entries: Sequence[EntryLine]
    reverses: TransferLine | None
    corrects: TransferLine | None
    changed_by: Sequence[TransferLine]
    is_reversed: bool

    @property
    def lines(self) -> list[Line]:
        """The lines that became its entries."""
        return lines_of(self.entries)


def transfer(transfer_id: str) -> TransferDetail:
    """Return a transfer with all its links; raises TransferNotFound."""
    found = db.session.scalar(select(Transfer).where(Transfer.id == transfer_id))
    if found is None:
        raise TransferNotFound
    after = db.session.execute(
        select(*_LINE, Transfer.reverses)
        .where(or_(Transfer.reverses == transfer_id, Transfer.corrects == transfer_id))
        .order_by(Transfer.id)
    ).all()
    return TransferDetail(
        transfer=found,
        entries=entries_of(transfer_id),
        reverses=_line(found.reverses),
        corrects=_line(found.corrects),
        changed_by=[TransferLine(*row[:-1]) for row in after],
        is_reversed=any(row.reverses for row in after),
    )


def transfers_everywhere(page: PageRequest, *, about: str | None = None) -> Page[TransferLine]:
    """Return a page of all merchants' transfers, newest first, for admins.

    `about` is a transfer's id, its whole reference, or the id of what it is about.
    """
    wanted = select(*_LINE)
    if about:
        subject = func.split_part(Transfer.reference, ":", 2) == about
        wanted = wanted.where(or_(Transfer.id == about, Transfer.reference == about, subject))
    rows = db.session.execute(one_page(wanted, Transfer.id, page)).all()
    return page_of([TransferLine(*row) for row in rows], page, lambda line: line.id)


def _line(transfer_id: str | None) -> TransferLine | None:
    if transfer_id is None:
        return None
    row = db.session.execute(select(*_LINE).where(Transfer.id == transfer_id)).one()
    return TransferLine(*row)
