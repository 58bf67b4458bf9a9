"""What time brings: looking again, giving up, and the end of a checkout link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import structlog
from sqlalchemy import exists, select

from webapp import orders
from webapp.kernel import clock, db
from webapp.kernel.errors import Refusal
from webapp.orders import CheckoutSession
from webapp.outbox import SYSTEM, Actor
from webapp.payments import holds, start, steps
from webapp.payments.errors import PaymentUnderWay
from webapp.payments.models import Payment
from webapp.payments.states import (
    CHECK_ACTION,
    CHECK_AUTHORISED,
    CHECK_PROCESSING,
    UNDER_WAY,
    Status,
)

AT_MOST = 100
_log = structlog.get_logger(__name__)


def look_again() -> int:
    """Ask the provider about payments whose next check is due; returns how many were asked about.

    One that waits for the shopper past its deadline is cancelled at the provider; money that is
    held past its deadline is let go. One that cannot be looked at now goes to the back.
    """
    due = select(Payment.id).where(Payment.check_at <= clock.now())
    found = list(db.session.scalars(due.order_by(Payment.check_at, Payment.id).limit(AT_MOST)))
    for payment_id in found:
        if _tried(_look_again, payment_id) is None:
            _tried(_put_off, payment_id)
    return len(found)


def expire_due() -> int:
    """End checkout links whose time is over, except where a payment is under way; returns how many.

    A payment that was declined counts as failed then; one never tried counts as expired.
    """
    under_way = exists().where(
        Payment.order_id == CheckoutSession.order_id, Payment.status.in_(UNDER_WAY)
    )
    due = select(CheckoutSession.id, CheckoutSession.order_id).where(
        CheckoutSession.status == "open", CheckoutSession.expires_at <= clock.now(), ~under_way
    )
    ended, oldest_first = 0, (CheckoutSession.expires_at, CheckoutSession.id)
    for session_id, order_id in db.session.execute(
        due.order_by(*oldest_first).limit(AT_MOST)
    ).all():
        ended += _tried(_expire, session_id, order_id) or 0
    return ended


def check_now(payment_id: str) -> None:
    """Ask the provider about a payment that is under way; anything else is left as it is."""
    with db.transaction():
        _order, payment = steps.locked_with_order(payment_id)
        if payment.status in UNDER_WAY:
            start.plan_look_up(payment)


def give_up(
    payment_id: str, *, by: Actor, because: str = "The shopper gave this payment up."
) -> None:
    """Ask the provider to cancel a payment that waits for the shopper; the answer moves it.

    Raises PaymentUnderWay while the bank is being asked: that cannot be taken back.
    """
    with db.transaction():
        _order, payment = steps.locked_with_order(payment_id)
        if payment.status == Status.REQUIRES_ACTION:
            start.plan_cancel(payment)
        elif payment.status in UNDER_WAY:
            raise PaymentUnderWay
        elif payment.status in (Status.CREATED, Status.AWAITING_METHOD):
            start.plan_cancel(payment)
            steps.finish(payment, Status.CANCELLED, because=because, by=by)


def cancel_order(order_id: str, *, by: Actor) -> None:
    """Cancel an order together with its waiting payment; raises PaymentUnderWay otherwise."""
    with db.transaction():
        orders.locked(order_id)
        payment = steps.live_payment(order_id)
        if payment is not None:
            if payment.status == Status.AUTHORISED:
                raise PaymentUnderWay("The bank holds money for this order. Let it go first.")
            if payment.status in UNDER_WAY:
                raise PaymentUnderWay("A payment of this order is under way. Wait for its end.")
            start.plan_cancel(payment)
            steps.finish(payment, Status.CANCELLED, because="The order was cancelled.", by=by)
        orders.cancel(order_id, by=by)


def fresh_link(order_id: str, *, by: Actor = SYSTEM) -> orders.Opened:
    """Open a fresh link for an order unless a payment is under way; raises PaymentUnderWay.

    Raises PaymentLinkEnded where the order came by a payment link that takes no more payments.
    """
    with db.transaction():
        orders.check_link(orders.locked(order_id))
        payment = steps.live_payment(order_id)
        if payment is not None and payment.status in UNDER_WAY:
            raise PaymentUnderWay
        return orders.open_checkout(order_id, by=by)


def expire_link(session_id: str, *, by: Actor) -> orders.CheckoutSession:
    """End a checkout link before its time; one that has ended is left as it is.

    A payment that waits for a method through it ends with it. Raises CheckoutNotFound, and
    PaymentUnderWay while a payment is being confirmed.
    """
    with db.transaction():
        order = orders.locked(orders.checkout_of(session_id).order_id)
        payment = steps.live_payment(order.id)
        session = orders.locked_checkout(session_id)
        if session.status != "open":
            return session
        if payment is not None:
            if payment.status in UNDER_WAY:
                raise PaymentUnderWay
            _end_unpaid(payment)
        orders.close_open_checkout(order.id, "expired", because="It was ended early.", by=by)
        return session


def _tried(act: Callable[..., int], *ids: str) -> int | None:
    """Do it with one payment or link; None where that cannot be now: the others go on."""
    try:
        return act(*ids)
    except Refusal as refusal:
        _log.warning("sweep_waits", about=ids[0], reason=refusal.code)
    except db.DatabaseError as wrong:
        report = _log.warning if db.is_passing(wrong) else _log.error
        report("sweep_put_off", about=ids[0], reason=str(wrong.orig))
    return None


def _put_off(payment_id: str) -> int:
    with db.transaction():
        _order, payment = steps.locked_with_order(payment_id)
        payment.check_at = _next_check(payment, clock.now())
        return 1


def _look_again(payment_id: str) -> int:
    with db.transaction():
        _order, payment = steps.locked_with_order(payment_id)
        now = clock.now()
        if payment.check_at is None or payment.check_at > now:
            return 0
        is_late = payment.deadline_at is not None and payment.deadline_at <= now
        if payment.status == Status.REQUIRES_ACTION and is_late:
            start.plan_cancel(payment)
        elif payment.status == Status.AUTHORISED and is_late and payment.capturing is None:
            holds.let_go(payment, because="Nobody took the money in time, so it was let go.")
        else:
            start.plan_look_up(payment)
        payment.check_at = _next_check(payment, now)
        return 1


def _next_check(payment: Payment, now: dt.datetime) -> dt.datetime:
    """Return when to look again: less often with age; held money each hour, and at its deadline."""
    if payment.status == Status.AUTHORISED:
        ends = payment.deadline_at
        hourly = now + CHECK_AUTHORISED
        return min(hourly, ends) if ends is not None and ends > now else hourly
    waits = CHECK_ACTION if payment.status == Status.REQUIRES_ACTION else CHECK_PROCESSING
    return now + max(waits, (now - payment.created_at) / 4)


def _expire(session_id: str, order_id: str) -> int:
    with db.transaction():
        order = orders.locked(order_id)
        payment = steps.live_payment(order_id)
        session = orders.locked_checkout(session_id)
        if session.status != "open" or session.expires_at > clock.now():
            return 0
        if payment is not None:
            if payment.status in UNDER_WAY:
                return 0
            _end_unpaid(payment)
        because = "Its time was over."
        orders.close_open_checkout(order.id, "expired", because=because, by=SYSTEM)
        return 1


def _end_unpaid(payment: Payment) -> None:
    start.plan_cancel(payment)
    if payment.status == Status.AWAITING_METHOD:
        because = "Every try was declined and the link’s time is over."
        steps.finish(payment, Status.FAILED, because=because)
    else:
        because = "Nobody paid before the link’s time was over."
        steps.finish(payment, Status.EXPIRED, because=because)
