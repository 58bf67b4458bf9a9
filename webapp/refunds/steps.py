"""Steps that several verbs share; each expects the transaction that its verb has opened."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from webapp import audit, gateway, orders, payments
from webapp.kernel import clock, db
from webapp.orders import Order
from webapp.outbox import SYSTEM, Actor
from webapp.payments import Payment
from webapp.refunds import books
from webapp.refunds.errors import RefundNotFound
from webapp.refunds.models import Refund
from webapp.refunds.origin import origin_of
from webapp.refunds.policy import Limits
from webapp.refunds.states import Status

#: The purpose of the one operation that gives the money back, and of the questions about it.
PURPOSE = "refund"
LOOK_UP = "look_up"
SUBJECT = "refund"
#: People and a merchant's own programs, whose deeds go on the audit trail.
PEOPLE = frozenset({"user", "merchant_user", "admin", "api_key"})

_limits: list[Limits] = [Limits()]


def use(limits: Limits) -> None:
    """Set how long refunds can be undone and which need two people; called once at start."""
    _limits[:] = [limits]


def limits() -> Limits:
    """Return what `use` set."""
    return _limits[0]


def locked(refund_id: str) -> tuple[Payment, Refund]:
    """Return a refund and its payment, the payment's row locked first.

    Raises RefundNotFound, also to who may read it, as its shopper may, and not change it.
    """
    db.assert_transaction()
    payment_id = db.session.scalar(select(Refund.payment_id).where(Refund.id == refund_id))
    if payment_id is None:
        raise RefundNotFound
    payment = payments.locked(payment_id)
    wanted = select(Refund).where(Refund.id == refund_id).with_for_update()
    refund = db.session.scalar(wanted.execution_options(populate_existing=True))
    if refund is None:
        raise RefundNotFound
    return payment, refund


def order_of(payment: Payment) -> Order:
    """Return a payment's order, not locked: its number never changes."""
    found = orders.orders_with_ids([payment.order_id])
    return found[payment.order_id]


def cancel(refund: Refund, *, because: str, by: Actor) -> None:
    """Call a refund off of which nothing has left; set-aside money waits for a decision again."""
    _end(refund)
    refund.move_to(Status.CANCELLED, because=because, by=by)
    reopen_anomaly(refund, because="The refund was called off.")


def fail(refund: Refund, code: str, *, because: str, by: Actor) -> None:
    """End a refund that did not arrive, and book back what had left."""
    books.undo(refund)
    _end(refund)
    refund.failure_code = code[:100]
    refund.move_to(Status.FAILED, because=because, by=by)
    reopen_anomaly(refund, because="The refund failed.")


def succeed(refund: Refund, *, because: str, by: Actor) -> None:
    """End a refund that has gone back; set-aside money is then where it belongs."""
    _end(refund)
    refund.sent_at = refund.sent_at or refund.finished_at
    lives_again(refund)
    refund.move_to(Status.SUCCEEDED, because=because, by=by)
    if refund.anomaly_id is not None:
        payments.end_return(payments.locked_anomaly(refund.anomaly_id), by=by)


def lives_again(refund: Refund) -> None:
    """Forget that a refund failed, and that somebody saw to it, before it moves on after all."""
    refund.failure_code = refund.dealt_with_at = refund.dealt_with_by = None


def reopen_anomaly(refund: Refund, *, because: str) -> None:
    """Have set-aside money wait for a decision again, when its refund came to nothing."""
    if refund.anomaly_id is None:
        return
    anomaly = payments.locked_anomaly(refund.anomaly_id)
    if anomaly.status in {"refunding", "refunded"}:
        payments.reopen_anomaly(anomaly, because=because, by=SYSTEM)


def plan_look_up(refund: Refund, payment: Payment) -> None:
    """Plan to ask the provider where a refund stands; one question at a time."""
    intent_id = origin_of(payment).provider_intent_id
    if intent_id is None:
        return
    db.session.flush()
    gateway.plan(
        gateway.Kind.LOOK_UP_REFUND,
        subject_kind=SUBJECT,
        subject_id=refund.id,
        purpose=LOOK_UP,
        merchant_id=refund.merchant_id or "",
        livemode=bool(refund.livemode),
        request=gateway.LookUpRefund(
            intent_id=intent_id,
            refund_id=refund.id,
            provider_refund_id=refund.provider_refund_id,
        ),
    )


def note(action: str, refund: Refund, *, by: Actor, **told: Any) -> None:
    """Put a person's or a key's deed on the audit trail; the portal's own has its moves."""
    if by.kind in PEOPLE:
        audit.record(
            action,
            SUBJECT,
            refund.id,
            by=by,
            data={"payment": refund.payment_id, "amount": refund.amount_minor, **told},
            merchant_id=refund.merchant_id,
            livemode=refund.livemode,
        )


def wait_until(refund: Refund, *, check: dt.timedelta, deadline: dt.timedelta) -> None:
    """Set when we look again and when that has lasted too long."""
    now = clock.now()
    refund.check_at, refund.deadline_at = now + check, now + deadline


def _end(refund: Refund) -> None:
    refund.finished_at = clock.now()
    refund.check_at = refund.deadline_at = None
