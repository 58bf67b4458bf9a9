"""Reads for the admins' desk: the provider's messages by page, and everything that is not done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, tuple_

from webapp.gateway import decisions, providers
from webapp.gateway.calls import Kind
from webapp.gateway.decisions import Proposal
from webapp.gateway.errors import EventNotFound
from webapp.gateway.models import (
    OPEN_STATES,
    ProviderEvent,
    ProviderOperation,
    RefusedEvent,
    Standing,
    State,
)
from webapp.gateway.policy import KEY_LASTS
from webapp.kernel import db
from webapp.kernel.errors import Invalid
from webapp.kernel.flow import Owner
from webapp.kernel.paging import Page, PageRequest, page_of

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_IS_APPLIED = ProviderEvent.processed_at.is_not(None)
#: Where a message stands, as conditions.
STANDS: dict[Standing, ColumnElement[bool]] = {
    Standing.WAITING: ~_IS_APPLIED & ProviderEvent.due_at.is_not(None),
    Standing.ERROR: ~_IS_APPLIED & ProviderEvent.due_at.is_(None),
    Standing.PROCESSED: _IS_APPLIED & ProviderEvent.error.is_(None),
    Standing.CLOSED: _IS_APPLIED & ProviderEvent.error.is_not(None),
}


@dataclass(frozen=True, slots=True)
class Waits:
    """Whom an operation in some state waits for, what that state means, and what comes at last."""

    owner: Owner
    says: str
    at_last: str


_PERSON_AT_LAST = "23 hours after it was first sent we only look, and then a person decides."
#: The same for every state that is not an end.
WAITS: dict[State, Waits] = {
    State.PENDING: Waits(Owner.US, "It was surely not sent yet.", _PERSON_AT_LAST),
    State.IN_FLIGHT: Waits(
        Owner.PROVIDER,
        "It is being sent. If its worker dies, another takes it over.",
        _PERSON_AT_LAST,
    ),
    State.UNKNOWN: Waits(
        Owner.PROVIDER,
        "It may or may not have been done. The same key is sent again, which has one effect.",
        _PERSON_AT_LAST,
    ),
    State.MANUAL: Waits(
        Owner.ADMIN, "Nobody can answer it any more. It is never sent again blindly.", ""
    ),
}


def unfinished_operations(limit: int) -> tuple[Sequence[ProviderOperation], int]:
    """Return the operations without a final answer; how many there are.

    At most `limit` that wait for a person, the oldest first, and then as many that are worked on
    by themselves, what is due longest first: neither hides the other.
    """
    by_hand = ProviderOperation.state == State.MANUAL.value
    by_itself = ProviderOperation.state.in_([state.value for state in OPEN_STATES])
    rows: list[ProviderOperation] = []
    for condition, order in (
        (by_hand, ProviderOperation.id),
        (by_itself, ProviderOperation.due_at),
    ):
        wanted = select(ProviderOperation).where(condition).order_by(order)
        rows += db.session.scalars(wanted.limit(limit))
    return rows, _count(by_hand) + _count(by_itself)


def deadline_of(operation: ProviderOperation) -> dt.datetime | None:
    """Return until when an operation may be sent again, or None where it was never sent."""
    sent = operation.first_sent_at
    return sent + KEY_LASTS if sent is not None and operation.state != State.MANUAL else None


def unfinished_events(limit: int) -> tuple[Sequence[ProviderEvent], int]:
    """Return the messages that are not applied; how many there are.

    At most `limit` that were set aside, the oldest first, and then as many that wait, what is due
    longest first: neither hides the other.
    """
    aside, waiting = STANDS[Standing.ERROR], STANDS[Standing.WAITING]
    rows: list[ProviderEvent] = []
    for condition, order in ((aside, ProviderEvent.received_at), (waiting, ProviderEvent.due_at)):
        wanted = select(ProviderEvent).where(condition).order_by(order)
        rows += db.session.scalars(wanted.limit(limit))
    return rows, _count(~_IS_APPLIED)


def events_page(
    asked: PageRequest, *, standing: Standing | None = None, text: str | None = None
) -> Page[ProviderEvent]:
    """Return a page of the provider's messages, newest first.

    `text` is the exact id of a message, of the provider's object or of our payment or refund.
    """
    wanted = select(ProviderEvent)
    if standing is not None:
        wanted = wanted.where(STANDS[standing])
    if text:
        wanted = wanted.where(
            (ProviderEvent.event_id == text)
            | (ProviderEvent.object_id == text)
            | (ProviderEvent.subject_id == text)
        )
    key = tuple_(ProviderEvent.received_at, ProviderEvent.event_id)
    if asked.after:
        wanted = wanted.where(key > tuple_(*_position(asked.after)))
    if asked.before:
        wanted = wanted.where(key < tuple_(*_position(asked.before)))
    newest, oldest = ProviderEvent.received_at.desc(), ProviderEvent.received_at
    if asked.after:
        wanted = wanted.order_by(oldest, ProviderEvent.event_id)
    else:
        wanted = wanted.order_by(newest, ProviderEvent.event_id.desc())
    rows = db.session.scalars(wanted.limit(asked.limit + 1)).all()
    return page_of(rows, asked, _key_of)


def event_counts() -> dict[Standing, int]:
    """Return how many messages wait and how many are set aside: the two that change."""
    return {name: _count(STANDS[name]) for name in (Standing.WAITING, Standing.ERROR)}


def event_of(event_id: str, *, provider: str = providers.DEFAULT) -> ProviderEvent:
    """Return one message of the provider; raises EventNotFound."""
    row = db.session.get(ProviderEvent, (provider, event_id), populate_existing=True)
    if row is None:
        raise EventNotFound
    return row


def operation_row(operation_id: str) -> ProviderOperation | None:
    """Return one operation as it stands, or None."""
    return db.session.get(ProviderOperation, operation_id, populate_existing=True)


def proposal_of(operation_id: str) -> Proposal | None:
    """Return the decision about an operation that waits for a second admin, or None."""
    row = operation_row(operation_id)
    if row is None or row.state != State.MANUAL:
        return None
    return decisions.proposal_in(Kind(row.kind), row.decision)


def refused_events(limit: int = 50) -> Sequence[RefusedEvent]:
    """Return the messages that were signed and are yet not ours, newest first."""
    wanted = select(RefusedEvent).order_by(RefusedEvent.received_at.desc()).limit(limit)
    return db.session.scalars(wanted).all()


def _count(condition: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).where(condition)) or 0


def _key_of(event: ProviderEvent) -> str:
    return f"{(event.received_at - _EPOCH) // _MICROSECOND}_{event.event_id}"


def _position(key: str) -> tuple[dt.datetime, str]:
    micros, _, event_id = key.partition("_")
    if not micros.isdecimal() or len(micros) > 18 or not event_id:  # noqa: PLR2004 - until 33658
        raise Invalid("That page address is not one of ours.", param="older")
    try:
        return _EPOCH + int(micros) * _MICROSECOND, event_id
    except OverflowError as wrong:
        raise Invalid("That page address is not one of ours.", param="older") from wrong
