"""Deliveries that wait for their next try in test mode, and how that try comes nearer."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Select, func, or_, select, update

from webapp.kernel import waits
from webapp.kernel.waits import Kind, Waiting
from webapp.webhooks.models import Delivery, Endpoint, Event, Health
from webapp.webhooks.states import DeliveryState, Status

TRIES = Kind(
    "delivery",
    "The event is sent; should that fail, the next try waits its own time. A server that fails is"
    " asked with one event at a time, the others after a rest of up to a minute.",
)
#: An endpoint that is left alone after failures is sent nothing before that is over.
_AT = func.greatest(Delivery.due_at, Health.open_until)


def waiting_of(merchant_id: str, *, limit: int) -> list[Waiting]:
    """Return the merchant’s deliveries whose next try is still to come, in test mode.

    Those of an endpoint that is paused wait for no moment; nor do those that are being sent.
    """
    return [waits.read(TRIES, _waiting(merchant_id), limit=limit, label=str)]


def bring_nearer(merchant_id: str, by: dt.timedelta) -> dict[str, int]:
    """Bring the next tries of the merchant’s deliveries nearer, in test mode alone (a step).

    Returns how many deliveries are tried sooner by it.
    """
    rows = _waiting(merchant_id)
    due = rows.with_only_columns(Delivery.id).order_by(_AT, Delivery.id)
    count = waits.moved(
        update(Delivery)
        .where(Delivery.id.in_(waits.soonest(due, of=Delivery)))
        .values(due_at=func.least(Delivery.due_at, waits.nearer(Delivery.due_at, by)))
    )
    resting = (
        Health.merchant_id == merchant_id,
        Health.livemode.is_(False),
        waits.ahead(Health.open_until),
    )
    waits.moved(
        update(Health).where(*resting).values(open_until=waits.nearer(Health.open_until, by))
    )
    return {TRIES.name: count}


def _waiting(merchant_id: str) -> Select[*tuple[Any, ...]]:
    free = or_(Delivery.lease_until.is_(None), Delivery.lease_until <= waits.NOW)
    return (
        select(
            Delivery.id.label("id"),
            _AT.label("at"),
            Delivery.id.label("about"),
            Event.name,
        )
        .join(Event, Event.id == Delivery.event_id)
        .join(Endpoint, Endpoint.id == Delivery.endpoint_id)
        .outerjoin(Health, Health.endpoint_id == Delivery.endpoint_id)
        .where(
            Delivery.merchant_id == merchant_id,
            Delivery.livemode.is_(False),
            Delivery.state == DeliveryState.DUE,
            Endpoint.status == Status.ENABLED,
            free,
            waits.ahead(_AT),
        )
    )
