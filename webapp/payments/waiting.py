"""What of a merchant's payments waits for a person: the most pressing first, and how many."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select

from webapp.kernel import db
from webapp.orders import Order
from webapp.payments.models import Anomaly, Payment
from webapp.payments.queries import PaymentRow
from webapp.payments.states import Status


def held_to_decide(
    merchant_id: str, *, livemode: bool, limit: int
) -> tuple[Sequence[PaymentRow], int]:
    """Return held money that nobody takes or lets go of yet, the nearest deadline first."""
    waits = (
        Payment.merchant_id == merchant_id,
        Payment.livemode == livemode,
        Payment.status == Status.AUTHORISED,
        Payment.capturing_minor.is_(None),
        Payment.void_because.is_(None),
    )
    wanted = (
        select(Payment, Order)
        .join(Order, Order.id == Payment.order_id)
        .where(*waits)
        .order_by(Payment.capture_before.asc().nulls_last(), Payment.id)
        .limit(limit)
    )
    rows = [PaymentRow(*row) for row in db.session.execute(wanted)]
    return rows, db.session.scalar(select(func.count()).where(*waits)) or 0


def anomalies_to_decide(
    merchant_id: str, *, livemode: bool, limit: int
) -> tuple[Sequence[Anomaly], int]:
    """Return money set aside that waits for a decision, the oldest first."""
    wanted = select(Anomaly).where(*_undecided(merchant_id, livemode=livemode))
    oldest = wanted.order_by(Anomaly.opened_at, Anomaly.id).limit(limit)
    return db.session.scalars(oldest).all(), undecided_anomalies(merchant_id, livemode=livemode)


def undecided_anomalies(merchant_id: str, *, livemode: bool) -> int:
    """Return how much of a merchant's money set aside waits for a decision: how many times."""
    waits = _undecided(merchant_id, livemode=livemode)
    return db.session.scalar(select(func.count()).where(*waits)) or 0


def _undecided(merchant_id: str, *, livemode: bool) -> Sequence[ColumnElement[bool]]:
    return (
        Anomaly.merchant_id == merchant_id,
        Anomaly.livemode == livemode,
        Anomaly.status == "open",
        Anomaly.closed_at.is_(None),
    )
