"""Where the money of a payment first came from: credit that paid an order was a payment before."""

from __future__ import annotations

from webapp.kernel import db
from webapp.payments import Payment
from webapp.refunds import policy

CREDIT = "credit"
LONGEST_WAY = 10


def origin_of(payment: Payment) -> Payment:
    """Return the payment that brought the money in, which most often is this one itself."""
    for _step in range(LONGEST_WAY):
        earlier = payment.details.get("payment") if payment.method_kind == CREDIT else None
        found = db.session.get(Payment, earlier) if earlier else None
        if found is None or found.user_id != payment.user_id:
            break
        payment = found
    return payment


def goes_to(payment: Payment, destination: str) -> str:
    """Return where money that is to go there really goes: see `policy.resolved`."""
    return policy.resolved(origin_of(payment), destination)


def why_not_destination(payment: Payment, destination: str) -> str | None:
    """Return why a payment cannot be refunded there, or None."""
    return policy.why_not_destination(origin_of(payment), destination)
