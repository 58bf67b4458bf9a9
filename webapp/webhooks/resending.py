"""Sending again, one or a range, to the same endpoint or another; test events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true, update

from webapp import audit
from webapp.kernel import clock, db, ids
from webapp.kernel.errors import Invalid
from webapp.outbox import Actor, Fact
from webapp.webhooks import telling
from webapp.webhooks.catalogue import BY_NAME, EVERYTHING
from webapp.webhooks.endpoints import locked
from webapp.webhooks.errors import (
    DeliveryNotFound,
    EndpointOff,
    EventNotFound,
    TestModeOnly,
    TooMuchAgain,
    UnknownEvent,
)
from webapp.webhooks.models import Body, Delivery, Endpoint, Event
from webapp.webhooks.states import DeliveryState, Status

#: A range is sent again for as far back as this.
KEPT: Final = dt.timedelta(days=30)
AT_ONCE: Final = 1_000
#: So much may be on its way to an endpoint again, besides what it was not sent before; where so
#: much waits of any kind, it is sent no tests.
AGAIN_AT_MOST: Final = 10_000
#: What is on its way, has arrived, or was let be by a person.
NOT_MISSING: Final = (DeliveryState.DUE, DeliveryState.DELIVERED, DeliveryState.DISCARDED)
SENT_AGAIN: Final = Delivery.resend_of.is_not(None)


def test_event(endpoint_id: str, name: str, *, by: Actor) -> str:
    """Send an endpoint the example of an event, chosen or not; returns the delivery's id.

    In test mode only: raises TestModeOnly, UnknownEvent, EndpointNotFound, EndpointOff, and
    TooMuchAgain where as much waits there as may.
    """
    return _example(endpoint_id, name, by=by, is_tampered=False)


def tampered_event(endpoint_id: str, name: str, *, by: Actor) -> str:
    """Send an endpoint the example of an event whose signature does not fit; returns the delivery.

    It is tried once. A receiver that checks refuses it; the answer says nothing of how the endpoint
    fares.
    """
    return _example(endpoint_id, name, by=by, is_tampered=True)


def _example(endpoint_id: str, name: str, *, by: Actor, is_tampered: bool) -> str:
    if name not in BY_NAME:
        raise UnknownEvent(param="name")
    kind, now = BY_NAME[name], clock.now()
    with db.transaction():
        endpoint = _reachable(endpoint_id)
        if endpoint.livemode:
            raise TestModeOnly
        _have_room(endpoint, 1, beside=true())
        event = Event(
            id=ids.new("event"),
            fact_id=None,
            merchant_id=endpoint.merchant_id or "",
            livemode=False,
            name=name,
            subject_kind=kind.noun,
            subject_id=kind.example["id"],
            subject_version=1,
            at=now,
            is_test=True,
        )
        telling.placed(event)
        shown = kind.example | {"livemode": event.livemode}
        telling.freeze(event, endpoint.api_version, shown)
        (delivery_id,) = telling.deliver([(event, endpoint)], is_tampered=is_tampered)
        told = {"event": event.id, "name": name, "is_tampered": is_tampered}
        _note("webhook.tested", endpoint, by, **told)
        return delivery_id


def resend(delivery_id: str, *, by: Actor, to: str | None = None) -> str:
    """Send a delivery's event again, to its own endpoint or another; returns the new delivery's id.

    Delivered ones too. Raises DeliveryNotFound, EndpointNotFound, EndpointOff and TooMuchAgain.
    """
    with db.transaction():
        old = _delivery(delivery_id)
        endpoint = _reachable(to or old.endpoint_id)
        _have_room(endpoint, 1)
        (fresh,) = _again([old], endpoint)
        _note("webhook.resent", endpoint, by, delivery=delivery_id, again=fresh)
        return fresh


def resend_event(event_id: str, *, to: str, by: Actor) -> str:
    """Send an event to an endpoint, whether it was sent there before or not; returns the delivery.

    Raises EventNotFound, EndpointNotFound, EndpointOff and TooMuchAgain.
    """
    with db.transaction():
        endpoint = _reachable(to)
        event = db.session.get(Event, event_id)
        if event is None or (event.merchant_id, event.livemode) != (
            endpoint.merchant_id,
            endpoint.livemode,
        ):
            raise EventNotFound
        _have_room(endpoint, 1)
        fresh = _send(event, endpoint)
        _note("webhook.resent", endpoint, by, event=event_id, again=fresh)
        return fresh


def resend_range(
    endpoint_id: str,
    since: dt.datetime,
    until: dt.datetime,
    *,
    only_failed: bool,
    by: Actor,
    to: str | None = None,
) -> int:
    """Send again what happened between two moments, at most 1,000 events; returns how many.

    With `only_failed` what the endpoint chose and never got since it was made: what gave up on its
    way, and what happened while it was switched off; otherwise everything that it chose. `to` sends
    them to another endpoint. Raises Invalid where the range is none or begins more than 30 days
    ago, and TooMuchAgain.
    """
    with db.transaction():
        source = locked(endpoint_id)
        endpoint = _reachable(to or endpoint_id)
        chosen = db.session.scalars(_in_range(source, since, until, only_failed=only_failed)).all()
        _have_room(endpoint, len(chosen))
        for event in chosen:
            _send(event, endpoint)
        _note("webhook.range_resent", endpoint, by, count=len(chosen), source=source.id)
        return len(chosen)


def range_size(
    endpoint: Endpoint, since: dt.datetime, until: dt.datetime, *, only_failed: bool
) -> int:
    """Return how many events `resend_range` would send again now, at most 1,000; raises as it."""
    chosen = _in_range(endpoint, since, until, only_failed=only_failed).subquery()
    return db.session.scalar(select(func.count()).select_from(chosen)) or 0


def _in_range(
    source: Endpoint, since: dt.datetime, until: dt.datetime, *, only_failed: bool
) -> Select[Event]:
    if since >= until or since < clock.now() - KEPT:
        raise Invalid(
            "Choose a time within the last 30 days, and its beginning first.", param="since"
        )
    found = select(Event).where(
        Event.merchant_id == source.merchant_id,
        Event.livemode == source.livemode,
        Event.at >= since,
        Event.at < until,
        Event.is_test.is_(False),
    )
    is_chosen = true() if EVERYTHING in source.events else Event.name.in_(source.events)
    if only_failed:
        since_made = and_(is_chosen, Event.at >= source.created_at)
        found = found.where(
            or_(since_made, _was_sent(source, DeliveryState.DEAD)), ~_was_sent(source, *NOT_MISSING)
        )
    else:
        found = found.where(is_chosen)
    return found.order_by(Event.place).limit(AT_ONCE)


def _was_sent(endpoint: Endpoint, *states: DeliveryState) -> ColumnElement[bool]:
    """Whether a delivery of an event to an endpoint is in one of some states."""
    sent = select(Delivery.id).where(
        Delivery.event_id == Event.id,
        Delivery.endpoint_id == endpoint.id,
        Delivery.state.in_(states),
    )
    return sent.exists()


def retry_dead(delivery_id: str) -> str:
    """Have a delivery that gave up sent again as a new one (a step); returns the new one's id."""
    db.assert_transaction()
    old = _delivery(delivery_id)
    if old.state != DeliveryState.DEAD:
        raise DeliveryNotFound
    return _again([old], _reachable(old.endpoint_id))[0]


def discard_dead(delivery_id: str) -> None:
    """Let a delivery that gave up be (a step); raises DeliveryNotFound when it is none."""
    db.assert_transaction()
    let_be = update(Delivery).where(
        Delivery.id == delivery_id, Delivery.state == DeliveryState.DEAD
    )
    done = let_be.values(state=DeliveryState.DISCARDED, finished_at=clock.now())
    if db.session.scalar(done.returning(Delivery.id)) is None:
        raise DeliveryNotFound


def _have_room(endpoint: Endpoint, more: int, *, beside: ColumnElement[bool] = SENT_AGAIN) -> None:
    """Refuse more `beside` what waits already; the endpoint is locked, so that it stays true."""
    waits = select(Delivery.id).where(
        Delivery.endpoint_id == endpoint.id, Delivery.state == DeliveryState.DUE, beside
    )
    waiting = select(func.count()).select_from(waits.limit(AGAIN_AT_MOST).subquery())
    if (db.session.scalar(waiting) or 0) + more > AGAIN_AT_MOST:
        raise TooMuchAgain


def _again(old: Sequence[Delivery], endpoint: Endpoint) -> list[str]:
    return [_send(_event(one), endpoint, of=one) for one in old]


def _send(event: Event, endpoint: Endpoint, *, of: Delivery | None = None) -> str:
    """Write a new delivery; an earlier one that gave up on the same way is then `resent`.

    A tampered test stays one when it is sent again, to whomever.
    """
    _have_body(event, endpoint.api_version)
    before = of or db.session.scalar(
        select(Delivery)
        .where(Delivery.event_id == event.id, Delivery.endpoint_id == endpoint.id)
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    again = {event.id: before.id} if before is not None else None
    (fresh,) = telling.deliver(
        [(event, endpoint)], resend_of=again, is_tampered=_is_tampered(event)
    )
    db.session.execute(
        update(Delivery)
        .where(
            Delivery.event_id == event.id,
            Delivery.endpoint_id == endpoint.id,
            Delivery.state == DeliveryState.DEAD,
        )
        .values(state=DeliveryState.RESENT, finished_at=clock.now())
    )
    return fresh


def _is_tampered(event: Event) -> bool:
    """Whether an event is a test that was made to be refused."""
    tampered = select(Delivery.id).where(Delivery.event_id == event.id, Delivery.is_tampered)
    return event.is_test and bool(db.session.scalar(select(tampered.exists())))


def _have_body(event: Event, version: str) -> None:
    if db.session.get(Body, (event.id, version)) is not None:
        return
    if event.fact_id is None:
        shown = BY_NAME[event.name].example | {"livemode": event.livemode}
        telling.freeze(event, version, shown)
        return
    fact = db.session.get_one(Fact, event.fact_id)
    before = telling.previous_facts([fact]).get(fact.id)
    telling.freeze_fact(event, fact, version, before)


def _event(delivery: Delivery) -> Event:
    return db.session.get_one(Event, delivery.event_id)


def _delivery(delivery_id: str) -> Delivery:
    wanted = select(Delivery).where(Delivery.id == delivery_id).with_for_update()
    found = db.session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise DeliveryNotFound
    return found


def _reachable(endpoint_id: str) -> Endpoint:
    endpoint = locked(endpoint_id)
    if endpoint.status == Status.DISABLED:
        raise EndpointOff
    return endpoint


def _note(action: str, endpoint: Endpoint, by: Actor, **told: object) -> None:
    audit.record(
        action,
        "webhook_endpoint",
        endpoint.id,
        by=by,
        data=dict(told),
        merchant_id=endpoint.merchant_id,
        livemode=endpoint.livemode,
    )
