"""Refunds that wait in test mode, to leave or to be approved, and how their moments come nearer."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, func, select, update

from webapp.kernel import waits
from webapp.kernel.money import Money
from webapp.kernel.waits import Kind, Waiting
from webapp.kernel.words import money_short
from webapp.orders import Order
from webapp.payments import Payment
from webapp.refunds.models import Refund
from webapp.refunds.states import FLOW, Status

LEAVING = Kind("refund", "The refund leaves and can no longer be undone.")
UNAPPROVED = Kind("refund_approval", FLOW.states[Status.REQUESTED].on_deadline)


def waiting_of(merchant_id: str, *, limit: int) -> list[Waiting]:
    """Return the merchant’s refunds that have not left, and those not approved, in test mode."""
    rows = (
        select(
            Refund.id.label("id"),
            at.label("at"),
            Refund.id.label("about"),
            Refund.amount_minor,
            Refund.currency,
            Order.number,
        )
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(*conditions)
        for at, conditions in (
            (Refund.leaves_at, _leaving(merchant_id)),
            (Refund.deadline_at, _unapproved(merchant_id)),
        )
    )
    return [
        waits.read(kind, found, limit=limit, label=_label)
        for kind, found in zip((LEAVING, UNAPPROVED), rows, strict=True)
    ]


def bring_nearer(merchant_id: str, by: dt.timedelta) -> dict[str, int]:
    """Bring the moments of the merchant’s refunds nearer, in test mode alone (a step).

    Returns how many of each kind came nearer.
    """
    leaving = select(Refund.id).where(*_leaving(merchant_id)).order_by(Refund.leaves_at, Refund.id)
    unapproved = (
        select(Refund.id).where(*_unapproved(merchant_id)).order_by(Refund.deadline_at, Refund.id)
    )
    ends = waits.nearer(Refund.deadline_at, by)
    return {
        LEAVING.name: waits.moved(
            update(Refund)
            .where(Refund.id.in_(waits.soonest(leaving)))
            .values(leaves_at=waits.nearer(Refund.leaves_at, by))
        ),
        UNAPPROVED.name: waits.moved(
            update(Refund)
            .where(Refund.id.in_(waits.soonest(unapproved)))
            .values(deadline_at=ends, check_at=func.least(Refund.check_at, ends))
        ),
    }


def _leaving(merchant_id: str) -> tuple[ColumnElement[bool], ...]:
    return (*_tests(merchant_id, Status.APPROVED), waits.ahead(Refund.leaves_at))


def _unapproved(merchant_id: str) -> tuple[ColumnElement[bool], ...]:
    return (*_tests(merchant_id, Status.REQUESTED), waits.ahead(Refund.deadline_at))


def _tests(merchant_id: str, status: Status) -> tuple[ColumnElement[bool], ...]:
    return Refund.merchant_id == merchant_id, Refund.livemode.is_(False), Refund.status == status


def _label(minor: int, currency: str, number: str) -> str:
    return f"{money_short(Money(minor, currency))} of Order #{number}"
