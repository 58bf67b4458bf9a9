"""The provider's messages: kept by inbound, applied here by payments."""

from __future__ import annotations

from sqlalchemy import exists, select, text

from jobs import context
from webapp import gateway, payments
from webapp.gateway import Event, Outcome, ProviderEvent
from webapp.kernel import db, wake

AT_MOST = 100
SECONDS = 20.0


class StrayEvent(LookupError):
    """An event reached payments without a subject: gateway keeps those to itself."""


def drain() -> int:
    """Apply the messages that are due, up to 100 or for 20 s; returns how many."""
    with context.working():
        done = gateway.inbox.drain(
            apply, limit=AT_MOST, seconds=SECONDS, context=context.DrainContext()
        )
        if done and is_due():
            wake.ping(gateway.inbox.WAKE)
        return done


def is_due() -> bool:
    """Whether a message waits to be applied now."""
    due = exists().where(ProviderEvent.due_at <= text("clock_now()"))
    found = bool(db.session.scalar(select(due)))
    db.end_reads()
    return found


def apply(event: Event, outcome: Outcome) -> None:
    """Hand a message's news to the payment that it is about (a step of the drain)."""
    if event.subject_id is None:
        raise StrayEvent(event.id)
    payments.apply(event.subject_id, outcome)
