"""Refunds whose story is not over, the most pressing first; for the admins' board."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from webapp.kernel import db
from webapp.orders import Order
from webapp.payments import Payment
from webapp.refunds.models import Refund
from webapp.refunds.queries import RefundRow
from webapp.refunds.states import UNDER_WAY, WAITING


def unfinished(limit: int) -> tuple[Sequence[RefundRow], int]:
    """Return refunds that have not ended, what is due first at the top, and how many there are.

    Due is whichever comes first of the next check, the moment of leaving and the deadline.
    """
    is_open = Refund.status.in_((*WAITING, *UNDER_WAY))
    next_step = func.coalesce(Refund.check_at, Refund.leaves_at)
    due = func.least(next_step, Refund.deadline_at)
    wanted = (
        select(Refund, Payment, Order)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(is_open)
        .order_by(due.asc().nulls_last(), Refund.id)
        .limit(limit)
    )
    rows = [RefundRow(*row) for row in db.session.execute(wanted)]
    return rows, db.session.scalar(select(func.count()).where(is_open)) or 0
