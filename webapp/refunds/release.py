"""What time brings: refunds that leave, that are asked about again, that nobody approved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import structlog
from sqlalchemy import select, text

from webapp import gateway, ledger, orders, payments
from webapp.kernel import clock, db
from webapp.kernel.errors import Refusal
from webapp.outbox import SYSTEM
from webapp.payments import Payment
from webapp.refunds import blockers, books, policy, steps, switch
from webapp.refunds.failures import advice_on
from webapp.refunds.models import Refund
from webapp.refunds.origin import origin_of
from webapp.refunds.states import (
    CHECK_SENT,
    CHECK_UNSENT,
    LONGEST_CHECK,
    STUCK_DEADLINE,
    TARGET_DEADLINE,
    UNDER_WAY,
    UNSENT_DEADLINE,
    Destination,
    Status,
)

AT_MOST = 100
TARGET_CLOSED = "target_order_closed"
TARGET_BUSY = "target_order_busy"
#: How long a refund that could not leave waits before it is tried again.
FIRST_PAUSE = dt.timedelta(seconds=5)
LONGEST_PAUSE = dt.timedelta(minutes=10)
_log = structlog.get_logger(__name__)


def release_due() -> int:
    """Let approved refunds leave that can no longer be undone; returns how many left.

    None leaves while refunds are frozen; the database refuses it too.
    """
    if switch.frozen() is not None:
        return 0
    due = select(Refund.id).where(
        Refund.status == Status.APPROVED, Refund.leaves_at <= text("clock_now()")
    )
    found = list(db.session.scalars(due.order_by(Refund.leaves_at, Refund.id).limit(AT_MOST)))
    return sum(_released(refund_id) for refund_id in found)


def look_again() -> int:
    """Ask the provider about refunds whose next check is due; returns how many were looked at.

    One that nobody approved in time is withdrawn.
    """
    due = select(Refund.id).where(Refund.check_at <= clock.now())
    found = list(db.session.scalars(due.order_by(Refund.check_at, Refund.id).limit(AT_MOST)))
    return sum(bool(_try(_look_again, refund_id)) for refund_id in found)


def check_now(refund_id: str) -> None:
    """Ask the provider about a refund that is under way; anything else is left as it is."""
    with db.transaction():
        payment, refund = steps.locked(refund_id)
        if refund.status in UNDER_WAY:
            steps.plan_look_up(refund, payment)


def _try(act: Callable[[str], bool], refund_id: str) -> bool | None:
    """Do it with one refund; None where that cannot be now, whatever the reason."""
    try:
        return act(refund_id)
    except Refusal as refusal:
        _log.warning("refund_waits", refund=refund_id, reason=refusal.code)
    except db.DatabaseError as wrong:
        report = _log.warning if db.is_passing(wrong) else _log.error
        report("refund_put_off", refund=refund_id, reason=str(wrong.orig))
    return None


def _released(refund_id: str) -> bool:
    """Let one refund leave; one that cannot now goes to the back, and holds up no other.

    One that met a freeze keeps its place: it leaves as soon as refunds may leave again.
    """
    left = _try(_release, refund_id)
    if left is None and switch.frozen() is None:
        _try(_put_off, refund_id)
    return bool(left)


def _put_off(refund_id: str) -> bool:
    """Try a refund again a while later; credit is given up when its order stays taken."""
    with db.transaction():
        _payment, refund = steps.locked(refund_id)
        now = clock.now()
        if refund.status != Status.APPROVED or refund.leaves_at is None or refund.leaves_at > now:
            return False
        patience = STUCK_DEADLINE if refund.target_order_id is None else TARGET_DEADLINE
        refund.deadline_at = refund.deadline_at or now + patience
        if refund.target_order_id is not None and refund.deadline_at <= now:
            steps.fail(refund, TARGET_BUSY, because=advice_on(TARGET_BUSY).says, by=SYSTEM)
            return True
        waited = now - (refund.deadline_at - patience)
        refund.leaves_at = now + max(FIRST_PAUSE, min(LONGEST_PAUSE, waited / 2))
        return True


def _release(refund_id: str) -> bool:
    with db.transaction():
        target_id = db.session.scalar(select(Refund.target_order_id).where(Refund.id == refund_id))
        target = orders.locked(target_id) if target_id else None
        payment, refund = steps.locked(refund_id)
        if refund.status != Status.APPROVED or switch.frozen() is not None:
            return False
        if refund.leaves_at is None or refund.leaves_at > clock.now():
            return False
        if reasons := blockers.blocked_because(payment):
            steps.cancel(refund, because=" ".join(reasons), by=SYSTEM)
            return False
        refund.expected_by = policy.expected_by(refund.destination, clock.now().date())
        if target is not None:
            return _pay_target(payment, refund, target)
        if refund.destination == Destination.WALLET:
            _leave(payment, refund)
            steps.succeed(refund, because="The money is in the wallet.", by=SYSTEM)
        else:
            _send(payment, refund)
        return True


def _leave(payment: Payment, refund: Refund) -> None:
    books.leave(refund, order_number=steps.order_of(payment).number)


def _send(payment: Payment, refund: Refund) -> None:
    steps.wait_until(refund, check=CHECK_UNSENT, deadline=UNSENT_DEADLINE)
    refund.move_to(Status.UNSENT, because="It can no longer be undone.", by=SYSTEM)
    _leave(payment, refund)
    gateway.plan(
        gateway.Kind.REFUND,
        subject_kind=steps.SUBJECT,
        subject_id=refund.id,
        purpose=steps.PURPOSE,
        merchant_id=refund.merchant_id or "",
        livemode=bool(refund.livemode),
        request=gateway.Refund(
            intent_id=origin_of(payment).provider_intent_id or "",
            amount_minor=refund.amount_minor,
            currency=refund.currency,
            refund_id=refund.id,
            reason=refund.reason,
        ),
    )


def _pay_target(payment: Payment, refund: Refund, target: orders.Order) -> bool:
    """Pay another order with it; raises PaymentUnderWay while that order is being paid."""
    fits = target.amount == refund.amount and payments.is_same_shopper(payment, target)
    if target.status != "pending" or not fits:
        because = "The order that it was to pay is no longer open."
        steps.fail(refund, TARGET_CLOSED, because=because, by=SYSTEM)
        return False
    _leave(payment, refund)
    source = ledger.store_credit(bool(refund.livemode), refund.currency)
    note = {"refund": refund.id, "payment": refund.payment_id}
    payments.pay_with_credit(
        target.id, refund.amount, source=source, with_fee=False, note=note, by=SYSTEM
    )
    steps.succeed(refund, because=f"It paid Order #{target.number}.", by=SYSTEM)
    return True


def _look_again(refund_id: str) -> bool:
    with db.transaction():
        payment, refund = steps.locked(refund_id)
        now = clock.now()
        if refund.check_at is None or refund.check_at > now:
            return False
        if refund.status == Status.REQUESTED:
            steps.cancel(refund, because="Nobody approved it in time.", by=SYSTEM)
            return True
        if refund.status not in UNDER_WAY:
            refund.check_at = None
            return False
        steps.plan_look_up(refund, payment)
        refund.check_at = now + _pause(refund, now)
        return True


def _pause(refund: Refund, now: dt.datetime) -> dt.timedelta:
    usual = CHECK_UNSENT if refund.status == Status.UNSENT else CHECK_SENT
    since = refund.sent_at or refund.leaves_at or refund.created_at
    return max(usual, min(LONGEST_CHECK, (now - since) / 4))
