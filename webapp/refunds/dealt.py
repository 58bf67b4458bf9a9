"""Failed refunds that somebody has seen to: they need nobody any more, until somebody says so."""

from __future__ import annotations

from webapp.kernel import clock, db
from webapp.outbox import Actor
from webapp.refunds import steps
from webapp.refunds.errors import RefundNotPossible
from webapp.refunds.models import Refund
from webapp.refunds.states import Status


def deal_with(refund_id: str, *, by: Actor) -> Refund:
    """Note that a failed refund needs nobody any more; calling it again changes nothing.

    No money moves. Raises RefundNotFound, and RefundNotPossible for one that has not failed.
    """
    with db.transaction():
        refund = _failed(refund_id)
        if refund.dealt_with_at is None:
            refund.dealt_with_at, refund.dealt_with_by = clock.now(), by.id or by.kind
            steps.note("refund.dealt_with", refund, by=by)
        return refund


def take_up(refund_id: str, *, by: Actor) -> Refund:
    """Have a failed refund wait for somebody again; calling it again changes nothing.

    Raises RefundNotFound, and RefundNotPossible for one that has not failed.
    """
    with db.transaction():
        refund = _failed(refund_id)
        if refund.dealt_with_at is not None:
            refund.dealt_with_at = refund.dealt_with_by = None
            steps.note("refund.taken_up", refund, by=by)
        return refund


def _failed(refund_id: str) -> Refund:
    _payment, refund = steps.locked(refund_id)
    if refund.status != Status.FAILED:
        raise RefundNotPossible("Only a refund that failed can be marked so.")
    return refund
