"""Calls to the provider: planned by a room, made by gateway, answered to that room."""

from __future__ import annotations

from sqlalchemy import exists, select, text

from jobs import context
from webapp import gateway, payments, refunds
from webapp.gateway import Failure, Operation, Outcome, ProviderOperation
from webapp.kernel import db, wake

AT_MOST = 100
SECONDS = 20.0


def drain() -> int:
    """Make the calls that are due, up to 100 or for 20 s; returns how many."""
    done = 0
    with context.draining(gateway.operations.WAKE):
        done = gateway.operations.drain(
            apply, limit=AT_MOST, seconds=SECONDS, context=context.DrainContext()
        )
        if done and is_due():
            wake.ping(gateway.operations.WAKE)
    return done


def is_due() -> bool:
    """Whether a call waits to be made now, or its maker has let the lease run out."""
    due = exists().where(ProviderOperation.due_at <= text("clock_now()"))
    found = bool(db.session.scalar(select(due)))
    db.end_reads()
    return found


def apply(operation: Operation, answer: Outcome | Failure) -> None:
    """Hand an answer to the payment or refund that it is about (a step of the drain)."""
    hear = refunds.apply if operation.subject_kind == refunds.FLOW.noun else payments.apply
    hear(operation.subject_id, answer, purpose=operation.purpose)
