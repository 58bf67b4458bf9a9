"""Payments whose story is not over, the most pressing first; for the admins' board."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from webapp.kernel import db
from webapp.orders import CheckoutSession, Order
from webapp.payments.models import Anomaly, Payment
from webapp.payments.states import LIVE


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One payment that has not ended; `deadline_at` is its own or its order's open link's."""

    payment: Payment
    order: Order
    deadline_at: dt.datetime | None


def unfinished(limit: int) -> tuple[Sequence[Unfinished], int]:
    """Return payments that have not ended, what is due first at the top, and how many there are.

    Due is whichever comes first of the next check and the deadline, so what is late is never cut.
    """
    # A payment that waits for a method lives on through a fresh link of its order.
    fresh = aliased(CheckoutSession)
    open_until = (
        select(func.max(fresh.expires_at))
        .where(fresh.order_id == Payment.order_id, fresh.status == "open")
        .scalar_subquery()
    )
    deadline = func.coalesce(Payment.deadline_at, open_until, CheckoutSession.expires_at)
    wanted = (
        select(Payment, Order, deadline)
        .join(Order, Order.id == Payment.order_id)
        .outerjoin(CheckoutSession, CheckoutSession.id == Payment.checkout_session_id)
        .where(Payment.status.in_(LIVE))
        .order_by(func.least(Payment.check_at, deadline).asc().nulls_last(), Payment.id)
        .limit(limit)
    )
    rows = [Unfinished(*row) for row in db.session.execute(wanted)]
    counted = select(func.count()).where(Payment.status.in_(LIVE))
    return rows, db.session.scalar(counted) or 0


def unfinished_anomalies(limit: int) -> tuple[Sequence[Anomaly], int]:
    """Return money set aside that is not settled, the oldest first; how many times there is."""
    is_open = Anomaly.closed_at.is_(None)
    wanted = select(Anomaly).where(is_open).order_by(Anomaly.opened_at, Anomaly.id).limit(limit)
    counted = select(func.count()).where(is_open)
    return db.session.scalars(wanted).all(), db.session.scalar(counted) or 0
