"""Reads of the audit trail, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from webapp.audit.models import Entry, Seal
from webapp.audit.verify import Head
from webapp.kernel import db
from webapp.kernel.paging import Page, PageRequest, one_page, page_of

ABOUT_AT_MOST = 200


def entries_about(subject_kind: str, subject_id: str) -> Sequence[Entry]:
    """Return what was done to one object, newest first, at most 200 rows."""
    wanted = select(Entry).where(Entry.subject_kind == subject_kind, Entry.subject_id == subject_id)
    return db.session.scalars(wanted.order_by(Entry.id.desc()).limit(ABOUT_AT_MOST)).all()


def entry_of(entry_id: str) -> Entry | None:
    """Return one row of the trail, or None."""
    return db.session.get(Entry, entry_id)


def recent(
    asked: PageRequest, *, action: str | None = None, merchant_id: str | None = None
) -> Page[Entry]:
    """Return a page of the trail, newest first, of one action or one merchant where given."""
    wanted = select(Entry)
    if action:
        wanted = wanted.where(Entry.action == action)
    if merchant_id:
        wanted = wanted.where(Entry.merchant_id == merchant_id)
    rows = db.session.scalars(one_page(wanted, Entry.id, asked)).all()
    return page_of(rows, asked, lambda entry: entry.id)


def head() -> Head:
    """Return the newest seal, to be kept outside the database once a day."""
    last = db.session.execute(
        select(Seal.seq, Seal.hash).order_by(Seal.seq.desc()).limit(1)
    ).one_or_none()
    return Head(seq=last.seq, hash=last.hash) if last else Head(seq=0, hash="")
