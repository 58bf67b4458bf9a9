"""What a merchant's servers have shown that they take, from what they answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Subquery, func, select

from webapp.kernel import db
from webapp.webhooks.models import Delivery, Endpoint, Event
from webapp.webhooks.states import DeliveryState

#: How many of the newest arrivals are looked at: days of a busy shop, and a fraction of a second.
LOOKED_AT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Shown:
    """The newest delivery of each kind that arrived, by its id; None where none did.

    `twice` had arrived at its endpoint before; before `overtaken` a newer event of its object had;
    `named` told an event of the name that was asked for.
    """

    any: str | None
    twice: str | None
    overtaken: str | None
    named: str | None


def shown_by(merchant_id: str, *, livemode: bool, is_built_in: bool, name: str) -> Shown:
    """Return what servers of a merchant have taken, or what the demo's own receiver has."""
    arrivals = _arrivals(merchant_id, livemode=livemode, is_built_in=is_built_in)
    row = arrivals.c
    once = (row.event_id, row.endpoint_id)
    story = (row.subject_id, row.endpoint_id, row.is_test)
    newer = func.max(row.subject_version).over(
        partition_by=story, order_by=(row.finished_at, row.id), rows=(None, -1)
    )
    seen = select(
        row.id,
        row.name,
        (func.row_number().over(partition_by=once, order_by=row.id) > 1).label("is_again"),
        (~row.is_test & (newer > row.subject_version)).label("is_late"),
    ).subquery()
    newest = func.max(seen.c.id)
    found = db.session.execute(
        select(
            newest,
            newest.filter(seen.c.is_again),
            newest.filter(seen.c.is_late),
            newest.filter(seen.c.name == name),
        )
    ).one()
    return Shown(*found)


def _arrivals(merchant_id: str, *, livemode: bool, is_built_in: bool) -> Subquery:
    wanted = (
        select(
            Delivery.id,
            Delivery.event_id,
            Delivery.endpoint_id,
            Delivery.finished_at,
            Event.name,
            Event.subject_id,
            Event.subject_version,
            Event.is_test,
        )
        .join(Event, Event.id == Delivery.event_id)
        .join(Endpoint, Endpoint.id == Delivery.endpoint_id)
        .where(
            Delivery.merchant_id == merchant_id,
            Delivery.livemode == livemode,
            Delivery.state == DeliveryState.DELIVERED.value,
            Delivery.is_tampered.is_(False),
            Endpoint.is_built_in.is_(is_built_in),
        )
    )
    return wanted.order_by(Delivery.id.desc()).limit(LOOKED_AT).subquery()
