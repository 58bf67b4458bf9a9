"""Reads for the admin pages, the health page and the rooms above."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from webapp.gateway.calls import Kind
from webapp.gateway.models import OPEN_STATES, ProviderEvent, ProviderOperation, State
from webapp.kernel import db
from webapp.kernel.paging import Page, PageRequest, one_page, page_of


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: open operations by state, those a person must look at, events due and aside."""

    operations: dict[str, int]
    events_due: int
    events_aside: int
    oldest_due_at: dt.datetime | None

    @property
    def needs_person(self) -> bool:
        """Whether something waits for a person."""
        return bool(self.operations.get(State.MANUAL.value) or self.events_aside)


def backlog() -> Backlog:
    """Return what waits, across all merchants; for workers and admins."""
    open_or_manual = [state.value for state in (*OPEN_STATES, State.MANUAL)]
    counts = db.session.execute(
        select(ProviderOperation.state, func.count())
        .where(ProviderOperation.state.in_(open_or_manual))
        .group_by(ProviderOperation.state)
    )
    waiting = ProviderEvent.processed_at.is_(None)
    due, aside, oldest_event = db.session.execute(
        select(
            func.count().filter(ProviderEvent.due_at.is_not(None)),
            func.count().filter(ProviderEvent.due_at.is_(None)),
            func.min(ProviderEvent.due_at),
        ).where(waiting)
    ).one()
    oldest_operation = db.session.scalar(select(func.min(ProviderOperation.due_at)))
    moments = [moment for moment in (oldest_event, oldest_operation) if moment is not None]
    return Backlog(
        operations={row[0]: row[1] for row in counts},
        events_due=due,
        events_aside=aside,
        oldest_due_at=min(moments, default=None),
    )


def operations_of(subject_id: str) -> Sequence[ProviderOperation]:
    """Return the operations about one payment, oldest first."""
    wanted = select(ProviderOperation).where(ProviderOperation.subject_id == subject_id)
    return db.session.scalars(wanted.order_by(ProviderOperation.id)).all()


def has_operation(subject_id: str, *, purpose: str, kind: Kind) -> bool:
    """Whether such an operation was ever planned, however it ended."""
    wanted = select(ProviderOperation.id).where(
        ProviderOperation.subject_id == subject_id,
        ProviderOperation.purpose == purpose,
        ProviderOperation.kind == kind.value,
    )
    return db.session.scalars(wanted).first() is not None


def events_of(subject_id: str) -> Sequence[ProviderEvent]:
    """Return the provider's messages about one payment, in the order in which they came."""
    wanted = select(ProviderEvent).where(ProviderEvent.subject_id == subject_id)
    return db.session.scalars(wanted.order_by(ProviderEvent.received_at)).all()


def waiting_for_person(asked: PageRequest) -> Page[ProviderOperation]:
    """Return operations that a person must decide about, newest first."""
    wanted = select(ProviderOperation).where(ProviderOperation.state == State.MANUAL.value)
    rows = db.session.scalars(one_page(wanted, ProviderOperation.id, asked)).all()
    return page_of(rows, asked, lambda row: row.id)


def events_aside(limit: int = 100) -> Sequence[ProviderEvent]:
    """Return events that could not be applied and wait for a person, newest first."""
    wanted = select(ProviderEvent).where(
        ProviderEvent.processed_at.is_(None), ProviderEvent.due_at.is_(None)
    )
    return db.session.scalars(wanted.order_by(ProviderEvent.received_at.desc()).limit(limit)).all()
