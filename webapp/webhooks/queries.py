"""Reads of endpoints, events, deliveries and tries, within what the scope in force sees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, func, select

from webapp.kernel import clock, db
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.outbox import Fact
from webapp.webhooks import policy, telling
from webapp.webhooks.errors import DeliveryNotFound, EndpointNotFound, EventNotFound
from webapp.webhooks.models import Attempt, Body, Delivery, Endpoint, Event, Health, Receipt
from webapp.webhooks.payloads import NEWEST
from webapp.webhooks.states import DeliveryState, Status, Verdict

STRIP: Final = 100


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: by public names, the object they are about, and when (until is outside).

    `is_test` tells examples from what has happened.
    """

    names: Sequence[str] = ()
    subject_id: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    is_test: bool | None = None


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries: to an endpoint, of an event, in a status, begun when; tampered or not."""

    endpoint_id: str | None = None
    event_id: str | None = None
    state: DeliveryState | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    is_tampered: bool | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery with the event's name and object, and its last answer's status if there is one."""

    delivery: Delivery
    event: Event
    last_status: int | None

    @property
    def verdict(self) -> Verdict | None:
        """What came of a tampered test event; None for any other delivery."""
        if not self.delivery.is_tampered:
            return None
        if self.delivery.state == DeliveryState.DUE:
            return Verdict.WAITING
        return policy.verdict(self.last_status)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One delivery in an endpoint's strip: only one that arrived is a success."""

    delivery_id: str
    state: DeliveryState
    tries: int
    last_status: int | None


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """How an endpoint fares: its last 100 deliveries, newest first, and what waits.

    `open_until` is set while it is left alone after failures in a row.
    """

    strip: Sequence[Outcome]
    waiting: int
    next_at: dt.datetime | None
    failures: int
    failing_since: dt.datetime | None
    open_until: dt.datetime | None
    is_slow: bool

    @property
    def arrived_share(self) -> float | None:
        """The share of finished deliveries in the strip that arrived, 0 to 1."""
        done = [one for one in self.strip if one.state is not DeliveryState.DUE]
        arrived = sum(one.state is DeliveryState.DELIVERED for one in done)
        return arrived / len(done) if done else None


@dataclass(frozen=True, slots=True)
class Recent:
    """How some deliveries fared: arrived, still on their way, or never."""

    arrived: int
    waiting: int
    lost: int


def endpoint_of(merchant_id: str, endpoint_id: str) -> Endpoint:
    """Return one endpoint of a merchant; raises EndpointNotFound, for removed ones too."""
    found = db.session.get(Endpoint, endpoint_id)
    if found is None or found.merchant_id != merchant_id or found.status == Status.DELETED:
        raise EndpointNotFound
    return found


def endpoints_of(merchant_id: str, *, livemode: bool) -> Sequence[Endpoint]:
    """Return a merchant's endpoints in a mode, newest first, removed ones left out."""
    wanted = select(Endpoint).where(
        Endpoint.merchant_id == merchant_id,
        Endpoint.livemode == livemode,
        Endpoint.status != Status.DELETED,
    )
    return db.session.scalars(wanted.order_by(Endpoint.id.desc())).all()


def event_of(merchant_id: str, event_id: str) -> Event:
    """Return one event of a merchant; raises EventNotFound."""
    found = db.session.get(Event, event_id)
    if found is None or found.merchant_id != merchant_id:
        raise EventNotFound
    return found


def events_of(
    merchant_id: str, *, livemode: bool, only: EventFilter | None = None, page: PageRequest
) -> Page[Event]:
    """Return a page of a merchant's events in a mode, newest first."""
    wanted = _events(merchant_id, livemode=livemode, only=only or EventFilter())
    rows = db.session.scalars(one_page(wanted, Event.id, page)).all()
    return page_of(rows, page, lambda one: one.id)


def events_after(
    merchant_id: str,
    *,
    livemode: bool,
    after: str | None,
    only: EventFilter | None = None,
    limit: int = 100,
) -> Sequence[Event]:
    """Return what follows an event (by id; None for the beginning), in the order of commits.

    A reader that goes on from the last one it got misses none. Raises EventNotFound.
    """
    wanted = _events(merchant_id, livemode=livemode, only=only or EventFilter())
    if after is not None:
        wanted = wanted.where(Event.place > event_of(merchant_id, after).place)
    return db.session.scalars(wanted.order_by(Event.place).limit(limit)).all()


def newest_event(merchant_id: str, *, livemode: bool) -> Event | None:
    """Return the event after which nothing has been committed yet, or None before the first."""
    wanted = _events(merchant_id, livemode=livemode, only=EventFilter())
    return db.session.scalar(wanted.order_by(Event.place.desc()).limit(1))


def body_of(event: Event, version: str = NEWEST) -> str:
    """Return an event's JSON as it was frozen, or as it would be where nobody was sent it."""
    frozen = db.session.get(Body, (event.id, version))
    if frozen is not None:
        return frozen.body
    if event.fact_id is None:
        raise EventNotFound
    fact = db.session.get_one(Fact, event.fact_id)
    before = telling.previous_facts([fact]).get(fact.id)
    return telling.body_of_fact(event, fact, version, before)


def fact_of(event: Event) -> Fact | None:
    """Return the fact that an event tells, with who caused it; None for a test event."""
    return db.session.get(Fact, event.fact_id) if event.fact_id else None


def delivery_of(merchant_id: str, delivery_id: str) -> DeliveryRow:
    """Return one delivery of a merchant; raises DeliveryNotFound."""
    wanted = _rows().where(Delivery.id == delivery_id, Delivery.merchant_id == merchant_id)
    row = db.session.execute(wanted.execution_options(populate_existing=True)).first()
    if row is None:
        raise DeliveryNotFound
    return DeliveryRow(*row)


def deliveries_of(
    merchant_id: str, *, livemode: bool, only: DeliveryFilter | None = None, page: PageRequest
) -> Page[DeliveryRow]:
    """Return a page of a merchant's deliveries in a mode, newest first."""
    only = only or DeliveryFilter()
    conditions = [Delivery.merchant_id == merchant_id, Delivery.livemode == livemode]
    if only.endpoint_id:
        conditions.append(Delivery.endpoint_id == only.endpoint_id)
    if only.event_id:
        conditions.append(Delivery.event_id == only.event_id)
    if only.state:
        conditions.append(Delivery.state == only.state.value)
    if only.since:
        conditions.append(Delivery.created_at >= only.since)
    if only.until:
        conditions.append(Delivery.created_at < only.until)
    if only.is_tampered is not None:
        conditions.append(Delivery.is_tampered.is_(only.is_tampered))
    wanted = one_page(_rows().where(*conditions), Delivery.id, page)
    rows = [DeliveryRow(*row) for row in db.session.execute(wanted)]
    return page_of(rows, page, lambda one: one.delivery.id)


def attempts_of(delivery_id: str) -> Sequence[Attempt]:
    """Return every try of a delivery, oldest first; empty for one that this scope does not see."""
    wanted = select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id)
    return db.session.scalars(wanted).all()


def receipts_of(endpoint_id: str, *, at_most: int = STRIP) -> Sequence[Receipt]:
    """Return what the built-in receiver of an endpoint got, newest first."""
    wanted = select(Receipt).where(Receipt.endpoint_id == endpoint_id)
    return db.session.scalars(wanted.order_by(Receipt.id.desc()).limit(at_most)).all()


def health_of(endpoint_id: str) -> EndpointHealth:
    """Return how an endpoint fares, from its last 100 deliveries."""
    strip = _rows().where(Delivery.endpoint_id == endpoint_id, Delivery.is_tampered.is_(False))
    rows = db.session.execute(strip.order_by(Delivery.id.desc()).limit(STRIP)).all()
    waiting, next_at = db.session.execute(
        select(func.count(), func.min(Delivery.due_at)).where(
            Delivery.endpoint_id == endpoint_id, Delivery.state == DeliveryState.DUE
        )
    ).one()
    health = db.session.get(Health, endpoint_id, populate_existing=True)
    now = clock.now()
    is_open = health is not None and health.open_until is not None and health.open_until > now
    open_until = health.open_until if health and is_open else None
    return EndpointHealth(
        strip=[
            Outcome(one.id, DeliveryState(one.state), one.tries, status)
            for one, _event, status in rows
        ],
        waiting=waiting,
        next_at=max(next_at, open_until) if next_at and open_until else next_at,
        failures=health.failures if health else 0,
        failing_since=health.failing_since if health else None,
        open_until=open_until,
        is_slow=health.is_slow if health else False,
    )


def recent_of(merchant_id: str, *, livemode: bool, since: dt.datetime) -> Mapping[str, Recent]:
    """Return how the deliveries begun since a moment fared, by endpoint; none for a quiet one."""

    def counted(*states: DeliveryState) -> ColumnElement[int]:
        return func.count().filter(Delivery.state.in_(states))

    wanted = select(
        Delivery.endpoint_id,
        counted(DeliveryState.DELIVERED),
        counted(DeliveryState.DUE),
        counted(DeliveryState.DEAD, DeliveryState.RESENT, DeliveryState.DISCARDED),
    ).where(
        Delivery.merchant_id == merchant_id,
        Delivery.livemode == livemode,
        Delivery.created_at >= since,
        Delivery.is_tampered.is_(False),
    )
    rows = db.session.execute(wanted.group_by(Delivery.endpoint_id))
    return {one: Recent(arrived, waiting, lost) for one, arrived, waiting, lost in rows}


def waiting_count() -> int:
    """Return how many deliveries are on their way in all, for the health page."""
    wanted = select(func.count()).where(Delivery.state == DeliveryState.DUE)
    return int(db.session.scalar(wanted) or 0)


def _events(merchant_id: str, *, livemode: bool, only: EventFilter) -> Select[Event]:
    wanted = select(Event).where(Event.merchant_id == merchant_id, Event.livemode == livemode)
    if only.names:
        wanted = wanted.where(Event.name.in_(only.names))
    if only.subject_id:
        wanted = wanted.where(Event.subject_id == only.subject_id)
    if only.since:
        wanted = wanted.where(Event.at >= only.since)
    if only.until:
        wanted = wanted.where(Event.at < only.until)
    if only.is_test is not None:
        wanted = wanted.where(Event.is_test.is_(only.is_test))
    return wanted


def _rows() -> Select[Delivery, Event, int | None]:
    last = (
        select(Attempt.status)
        .where(Attempt.delivery_id == Delivery.id, Attempt.is_late.is_(False))
        .order_by(Attempt.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(Delivery, Event, last).join(Event, Event.id == Delivery.event_id)
