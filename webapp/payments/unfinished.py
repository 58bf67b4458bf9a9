"""Payments whose story is not over, the most pressing first; for the admins' board."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from webapp.kernel import db
from webapp.orders import CheckoutSession, Order
from webapp.payments.models import Payment
from webapp.payments.states import LIVE


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One payment that has not ended; `deadline_at` is its own or its checkout link's."""

    payment: Payment
    order: Order
    deadline_at: dt.datetime | None


def unfinished(limit: int) -> tuple[Sequence[Unfinished], int]:
    """Return payments that have not ended, what is due first at the top, and how many there are."""
    deadline = func.coalesce(Payment.deadline_at, CheckoutSession.expires_at)
    wanted = (
        select(Payment, Order, deadline)
        .join(Order, Order.id == Payment.order_id)
        .outerjoin(CheckoutSession, CheckoutSession.id == Payment.checkout_session_id)
        .where(Payment.status.in_(LIVE))
        .order_by(deadline.asc().nulls_last(), Payment.id)
        .limit(limit)
    )
    rows = [Unfinished(*row) for row in db.session.execute(wanted)]
    counted = select(func.count()).where(Payment.status.in_(LIVE))
    return rows, db.session.scalar(counted) or 0
