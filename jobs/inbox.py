"""The provider's messages: kept by inbound, applied here by the room that each is about."""

from __future__ import annotations

from sqlalchemy import exists, select, text

from jobs import context
from webapp import gateway, payments, refunds
from webapp.gateway import Event, Outcome, ProviderEvent
from webapp.kernel import db, ids, wake

AT_MOST = 100
SECONDS = 20.0


class StrayEvent(LookupError):
    """An event reached us without a subject: gateway keeps those to itself."""


def drain() -> int:
    """Apply the messages that are due, up to 100 or for 20 s; returns how many."""
    done = 0
    with context.draining(gateway.inbox.WAKE):
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
    """Hand a message's news to the payment or refund that it is about (a step of the drain)."""
    if event.subject_id is None:
        _stray(event, outcome)
        return
    is_refund = event.subject_id.startswith(f"{ids.PREFIXES['refund']}_")
    (refunds.apply if is_refund else payments.apply)(event.subject_id, outcome)


def _stray(event: Event, outcome: Outcome) -> None:
    """Pass over a refund that nobody here asked for, unless it is of a payment of ours."""
    if outcome.refund_id is None:
        raise StrayEvent(event.id)
    if outcome.intent_id is not None and payments.has_intent(outcome.intent_id):
        raise gateway.RefundMadeElsewhere
