"""Held money: the merchant takes it, or part of it, or lets it go; the provider's answer moves it.

Which of the two was asked for stands on the payment, under its lock, and the database refuses
both at once: what is being taken is not let go, and the other way round.
"""

from __future__ import annotations

from typing import Any

from webapp import audit
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.payments import policy, start, steps
from webapp.payments.errors import CaptureUnderWay, NotHeld
from webapp.payments.models import Payment
from webapp.payments.states import LOST, Status

MAX_REASON = 200


def capture(payment_id: str, *, amount: Money | None = None, by: Actor) -> Payment:
    """Ask the provider to take held money: all of it, or `amount`; the rest is then let go.

    Called again it changes nothing; without an amount, whatever is being or was taken stands.
    Raises PaymentNotFound, NotHeld, CaptureExceedsHeld, VoidUnderWay, and CaptureUnderWay where
    another amount is being taken or was taken.
    """
    with db.transaction():
        _order, payment = steps.locked_with_order(payment_id)
        if payment.status == Status.CAPTURED and amount in (None, payment.captured):
            return payment
        wanted = payment.capturing or payment.authorised if amount is None else amount
        if refusal := policy.why_not_capture(payment, wanted):
            raise refusal
        if payment.capturing is None:
            payment.capturing_minor = wanted.minor
            start.plan_capture(payment, wanted)
            _note("payment.capture_asked", payment, by, {"amount": wanted.minor})
        elif payment.capturing != wanted:
            raise CaptureUnderWay
        return payment


def void(payment_id: str, *, because: str, by: Actor) -> Payment:
    """Ask the provider to let held money go; the shopper is charged nothing.

    Called again it changes nothing. Raises PaymentNotFound, NotHeld and CaptureUnderWay.
    """
    with db.transaction():
        _order, payment = steps.locked_with_order(payment_id)
        if payment.status in LOST:
            return payment
        if payment.status != Status.AUTHORISED:
            raise NotHeld
        if payment.capturing is not None:
            raise CaptureUnderWay
        if payment.void_because is None:
            let_go(payment, because=because.strip()[:MAX_REASON])
            _note("payment.void_asked", payment, by, {"because": payment.void_because})
        return payment


def let_go(payment: Payment, *, because: str) -> None:
    """Plan to let a locked payment's held money go, unless it is being taken (a step)."""
    if payment.capturing is None:
        payment.void_because = payment.void_because or because or "No reason was given."
        start.plan_cancel(payment, is_held=True)


def _note(action: str, payment: Payment, by: Actor, told: dict[str, Any]) -> None:
    audit.record(
        action,
        "payment",
        payment.id,
        by=by,
        merchant_id=payment.merchant_id,
        livemode=payment.livemode,
        data=told,
    )
