"""Payments that wait for a person in test mode, and how their deadlines come nearer.

What waits for an answer of the provider keeps its own time: the provider’s memory does too.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, func, select, update

from webapp.kernel import waits
from webapp.kernel.money import Money
from webapp.kernel.waits import Kind, Waiting
from webapp.kernel.words import money_short
from webapp.orders import Order
from webapp.payments.models import Payment
from webapp.payments.states import FLOW, Status

HELD = Kind("held_payment", FLOW.states[Status.AUTHORISED].on_deadline)
ASKED = Kind("payment_confirmation", FLOW.states[Status.REQUIRES_ACTION].on_deadline)
_STATUS = {HELD: Status.AUTHORISED, ASKED: Status.REQUIRES_ACTION}


def waiting_of(merchant_id: str, *, limit: int) -> list[Waiting]:
    """Return the merchant’s held payments, and those that wait for their shopper, in test mode."""
    rows = select(
        Payment.id.label("id"),
        Payment.deadline_at.label("at"),
        Payment.id.label("about"),
        Payment.amount_minor,
        Payment.currency,
        Order.number,
    ).join(Order, Order.id == Payment.order_id)
    return [
        waits.read(kind, rows.where(*_waiting(kind, merchant_id)), limit=limit, label=_label)
        for kind in _STATUS
    ]


def bring_nearer(merchant_id: str, by: dt.timedelta) -> dict[str, int]:
    """Bring the deadlines of the merchant’s payments nearer, in test mode alone (a step).

    Returns how many of each kind came nearer.
    """
    return {kind.name: _bring_nearer(kind, merchant_id, by) for kind in _STATUS}


def _bring_nearer(kind: Kind, merchant_id: str, by: dt.timedelta) -> int:
    due = (
        select(Payment.id)
        .where(*_waiting(kind, merchant_id))
        .order_by(Payment.deadline_at, Payment.id)
    )
    ends = waits.nearer(Payment.deadline_at, by)
    return waits.moved(
        update(Payment)
        .where(Payment.id.in_(waits.soonest(due)))
        .values(
            deadline_at=ends,
            capture_before=waits.nearer(Payment.capture_before, by),
            check_at=func.least(Payment.check_at, ends),
        )
    )


def _waiting(kind: Kind, merchant_id: str) -> tuple[ColumnElement[bool], ...]:
    """What was asked to be taken or let go waits for the provider, and for no deadline."""
    return (
        Payment.merchant_id == merchant_id,
        Payment.livemode.is_(False),
        Payment.status == _STATUS[kind],
        Payment.capturing_minor.is_(None),
        Payment.void_because.is_(None),
        waits.ahead(Payment.deadline_at),
    )


def _label(minor: int, currency: str, number: str) -> str:
    return f"{money_short(Money(minor, currency))} for Order #{number}"
