"""Refunds of a merchant that wait for a person: the most pressing first, and how many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, UnaryExpression, func, select
from sqlalchemy.orm import InstrumentedAttribute

from webapp.kernel import db
from webapp.orders import Order
from webapp.payments import Payment
from webapp.refunds.models import Refund
from webapp.refunds.queries import RefundRow
from webapp.refunds.states import Status


def to_approve(merchant_id: str, *, livemode: bool, limit: int) -> tuple[Sequence[RefundRow], int]:
    """Return refunds that wait for a second person, the nearest deadline first."""
    waits = (
        Refund.merchant_id == merchant_id,
        Refund.livemode == livemode,
        Refund.status == Status.REQUESTED,
    )
    return _rows(waits, Refund.deadline_at.asc().nulls_last(), limit)


def failed_open(
    merchant_id: str, *, livemode: bool, since: dt.datetime, limit: int
) -> tuple[Sequence[RefundRow], int]:
    """Return refunds asked for since then that failed and that nobody dealt with, oldest first.

    Not those whose money went back in another way since, nor those of money set aside, which
    waits for a decision again by itself.
    """
    left = Payment.captured_minor - Payment.refund_reserved_minor
    waits = (
        Refund.merchant_id == merchant_id,
        Refund.livemode == livemode,
        Refund.status == Status.FAILED,
        Refund.dealt_with_at.is_(None),
        Refund.anomaly_id.is_(None),
        Refund.created_at >= since,
        left >= Refund.amount_minor,
    )
    return _rows(waits, Refund.created_at, limit)


def _rows(
    waits: Sequence[ColumnElement[bool]],
    first: InstrumentedAttribute[dt.datetime] | UnaryExpression[dt.datetime | None],
    limit: int,
) -> tuple[Sequence[RefundRow], int]:
    counted = select(func.count()).select_from(Refund)
    counted = counted.join(Payment, Payment.id == Refund.payment_id).where(*waits)
    wanted = (
        select(Refund, Payment, Order)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(*waits)
        .order_by(first, Refund.id)
        .limit(limit)
    )
    rows = [RefundRow(*row) for row in db.session.execute(wanted)]
    return rows, db.session.scalar(counted) or 0
