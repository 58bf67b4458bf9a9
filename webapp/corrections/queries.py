"""Reads of corrections, for admins."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from webapp import outbox
from webapp.corrections.errors import CorrectionNotFound
from webapp.corrections.models import Correction, Status
from webapp.kernel import db
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.outbox import Move


def any_correction(correction_id: str) -> Correction:
    """Return a correction; raises CorrectionNotFound."""
    wanted = select(Correction).where(Correction.id == correction_id)
    found = db.session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise CorrectionNotFound
    return found


def corrections_page(page: PageRequest, *, status: str | None = None) -> Page[Correction]:
    """Return a page of all corrections, newest first."""
    wanted = select(Correction)
    if status:
        wanted = wanted.where(Correction.status == status)
    rows = db.session.scalars(one_page(wanted, Correction.id, page)).all()
    return page_of(rows, page, lambda one: one.id)


def corrections_of_transfer(transfer_id: str) -> Sequence[Correction]:
    """Return what was asked about a transfer, newest first."""
    wanted = select(Correction).where(Correction.transfer_id == transfer_id)
    return db.session.scalars(wanted.order_by(Correction.id.desc())).all()


def waiting_count() -> int:
    """Return how many corrections wait for a second admin."""
    waiting = select(func.count()).where(Correction.status == Status.REQUESTED)
    return db.session.scalar(waiting) or 0


def unfinished(limit: int) -> tuple[Sequence[Correction], int]:
    """Return corrections that wait for a second admin, the nearest deadline first, and how many."""
    wanted = select(Correction).where(Correction.status == Status.REQUESTED)
    nearest = wanted.order_by(Correction.deadline_at.asc().nulls_last(), Correction.id)
    return db.session.scalars(nearest.limit(limit)).all(), waiting_count()


def moves_of(correction_id: str) -> Sequence[Move]:
    """Return a correction's moves, oldest first."""
    return outbox.moves_of("correction", correction_id)
