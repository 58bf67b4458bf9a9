"""What may be done with held money and with money set aside: pure reasons, or None."""

from __future__ import annotations

from webapp.kernel.errors import Refusal
from webapp.kernel.money import Money
from webapp.orders import Order
from webapp.payments.errors import (
    CaptureExceedsHeld,
    CaptureUnderWay,
    DoesNotFit,
    NotHeld,
    VoidUnderWay,
)
from webapp.payments.models import Anomaly, Payment
from webapp.payments.states import AnomalyKind, Status


def why_not_capture(payment: Payment, wanted: Money) -> Refusal | None:
    """Return why so much of a payment cannot be taken, or None."""
    if payment.status == Status.CAPTURED:
        return CaptureUnderWay("The money was taken already, in another amount.")
    if payment.status != Status.AUTHORISED:
        return NotHeld()
    if payment.void_because is not None:
        return VoidUnderWay()
    is_other = wanted.currency != payment.currency
    if is_other or not 0 < wanted.minor <= payment.authorised_minor:
        return CaptureExceedsHeld(param="amount")
    return None


def is_same_shopper(payment: Payment, order: Order) -> bool:
    """Whether an order is surely of the shopper whose money a payment brought.

    By the person who is signed in, and where nobody is yet, by the merchant's customer.
    """
    if order.user_id is not None:
        return order.user_id == payment.user_id
    return order.customer_id is not None and order.customer_id == payment.customer_id


def why_not_apply(anomaly: Anomaly, payment: Payment, order: Order) -> Refusal | None:
    """Return why money set aside of a payment cannot pay an order, or None."""
    if (order.merchant_id, order.livemode) != (anomaly.merchant_id, anomaly.livemode):
        return DoesNotFit("Money pays orders of its own merchant and mode only.")
    if order.kind != "sale":
        return DoesNotFit("A wallet is topped up by its owner only.")
    if order.status != "pending":
        return DoesNotFit("That order is paid or cancelled.")
    if order.amount != anomaly.amount:
        return DoesNotFit("The order asks for another amount than the one that waits.")
    if not is_same_shopper(payment, order):
        return DoesNotFit("That order is not known to be of the shopper whose money it is.")
    return None


def why_not_accept(anomaly: Anomaly, order: Order) -> Refusal | None:
    """Return why money set aside cannot count as the payment of its own order, or None."""
    if anomaly.kind != AnomalyKind.UNDERPAID:
        return DoesNotFit("Only a payment that was too small can be accepted as it is.")
    if order.status != "pending":
        return DoesNotFit("That order is paid or cancelled.")
    return None
