"""From facts to events, bodies and deliveries: written once, frozen, to whoever chose them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from webapp.kernel import clock, db, ids, wake
from webapp.outbox import Fact
from webapp.webhooks.catalogue import EVENTS
from webapp.webhooks.models import Body, Delivery, Endpoint, Event
from webapp.webhooks.payloads import Payload, changes, payload_of
from webapp.webhooks.states import LISTENING

WAKE = "webhooks"
#: Events get their places one writer after the other, so that no reader's cursor misses one.
_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('webhook_event', 0))")
_PLACE = text("SELECT nextval('webhook_event_order')")
#: So many rows go into one statement: a statement takes 65,535 values in all.
ROWS = 1_000
Whose = tuple[str, bool]


def fan_out(facts: Sequence[Fact]) -> None:
    """Consumer: write each fact's event, and a delivery for each endpoint that chose it (a step).

    Endpoints are of the same merchant and mode, and enabled or paused. Told twice, it writes once.
    """
    db.assert_transaction()
    told = [fact for fact in facts if fact.name in EVENTS and fact.merchant_id is not None]
    if not told:
        return
    db.session.execute(_IN_TURN)
    events = [_event(fact) for fact in told]
    fresh = _written(events)
    for merchant_id, livemode in {(event.merchant_id, event.livemode) for event in events}:
        wake.look("webhook_event", merchant_id, livemode=livemode)
    wanted = _wanted([event for event in events if event.id in fresh])
    if not wanted:
        return
    by_id = {event_id_of(fact.id): fact for fact in told}
    before = _before([by_id[event.id] for event, _ in wanted])
    _write_bodies(wanted, by_id, before)
    deliver((event, endpoint) for event, chosen in wanted for endpoint in chosen)


def event_id_of(fact_id: str) -> str:
    """Return the id of the event that tells a fact."""
    return "evt_" + fact_id.removeprefix("fact_")


def deliver(
    pairs: Iterable[tuple[Event, Endpoint]],
    *,
    resend_of: Mapping[str, str] | None = None,
    is_tampered: bool = False,
) -> list[str]:
    """Write a delivery, due now, for each event and endpoint (a step); returns the new ids.

    The bodies are there. `resend_of` gives by event the delivery that is sent again; an event that
    was already on its way to an endpoint is left out otherwise. What is due at the same moment is
    claimed by id, so the ids rise in the order of the pairs. With `is_tampered` the signatures will
    not fit.
    """
    db.assert_transaction()
    now, pairs = clock.now(), list(pairs)
    fresh = sorted(ids.new("delivery") for _ in pairs)
    rows = [
        {
            "id": delivery_id,
            "merchant_id": event.merchant_id,
            "livemode": event.livemode,
            "event_id": event.id,
            "endpoint_id": endpoint.id,
            "api_version": endpoint.api_version,
            "resend_of": (resend_of or {}).get(event.id),
            "is_tampered": is_tampered,
            "state": "due",
            "tries": 0,
            "claims": 0,
            "due_at": now,
            "created_at": now,
        }
        for delivery_id, (event, endpoint) in zip(fresh, pairs, strict=True)
    ]
    if not rows:
        return []
    wake.soon(WAKE)
    for merchant_id, livemode in {(event.merchant_id, event.livemode) for event, _ in pairs}:
        wake.look("delivery", merchant_id, livemode=livemode)
    written: list[str] = []
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        write = insert(Delivery).values(some).on_conflict_do_nothing().returning(Delivery.id)
        written.extend(db.session.scalars(write))
    return written


def freeze(event: Event, version: str, shown: Payload, before: Payload | None = None) -> None:
    """Keep the bytes of an event in one payload version, unless they are kept already (a step)."""
    body = Body(
        event_id=event.id,
        api_version=version,
        merchant_id=event.merchant_id,
        livemode=event.livemode,
        body=_bytes(event, version, shown, before),
    )
    _insert_bodies([body])


def freeze_fact(event: Event, fact: Fact, version: str, before: Fact | None) -> None:
    """Keep the bytes of a fact's event in one payload version, unless they are kept already."""
    shown = _shown(before) if before else None
    freeze(event, version, _shown(fact), shown)


def body_of_fact(event: Event, fact: Fact, version: str, before: Fact | None) -> str:
    """Return an event's body as it is, or would be, frozen."""
    return _bytes(event, version, _shown(fact), _shown(before) if before else None)


def previous_facts(facts: Sequence[Fact]) -> dict[str, Fact]:
    """Return by fact the one before it about the same object, where there is one."""
    return _before(facts)


def placed(event: Event) -> None:
    """Give an event its place after all others and write it (a step)."""
    db.session.execute(_IN_TURN)
    event.place = int(db.session.scalar(_PLACE) or 0)
    db.session.add(event)
    db.session.flush()


def _event(fact: Fact) -> Event:
    return Event(
        id=event_id_of(fact.id),
        fact_id=fact.id,
        merchant_id=fact.merchant_id or "",
        livemode=bool(fact.livemode),
        name=EVENTS[fact.name].name,
        subject_kind=fact.subject_kind,
        subject_id=fact.subject_id,
        subject_version=fact.version,
        at=fact.at,
        is_test=False,
    )


_WRITE = text(
    """
    INSERT INTO webhook_event (id, fact_id, merchant_id, livemode, name, subject_kind, subject_id,
                               subject_version, at, place, is_test)
    SELECT id, fact_id, merchant_id, livemode, name, subject_kind, subject_id, subject_version, at,
           nextval('webhook_event_order'), false
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told (id text, fact_id text, merchant_id text,
      livemode boolean, name text, subject_kind text, subject_id text, subject_version int,
      at timestamptz)
    ON CONFLICT DO NOTHING RETURNING id
    """
)
_COLUMNS = [
    "id",
    "fact_id",
    "merchant_id",
    "livemode",
    "name",
    "subject_kind",
    "subject_id",
    "subject_version",
    "at",
]


def _written(events: Sequence[Event]) -> set[str]:
    """Write events in one statement; returns the ids of those that were not there before."""
    rows = [{column: getattr(event, column) for column in _COLUMNS} for event in events]
    return set(db.session.scalars(_WRITE, {"rows": json.dumps(rows, default=str)}))


def _wanted(events: Sequence[Event]) -> list[tuple[Event, list[Endpoint]]]:
    """Return the events that some endpoint chose, each with those endpoints."""
    whose: set[Whose] = {(event.merchant_id, event.livemode) for event in events}
    if not whose:
        return []
    listening: dict[Whose, list[Endpoint]] = defaultdict(list)
    found = select(Endpoint).where(
        tuple_(Endpoint.merchant_id, Endpoint.livemode).in_(sorted(whose)),
        Endpoint.status.in_(LISTENING),
    )
    for endpoint in db.session.scalars(found.execution_options(populate_existing=True)):
        listening[endpoint.merchant_id or "", bool(endpoint.livemode)].append(endpoint)
    pairs = [
        (
            event,
            [one for one in listening[event.merchant_id, event.livemode] if one.wants(event.name)],
        )
        for event in events
    ]
    return [(event, chosen) for event, chosen in pairs if chosen]


def _before(facts: Sequence[Fact]) -> dict[str, Fact]:
    keys = {(f.subject_kind, f.subject_id, f.version - 1): f.id for f in facts if f.version > 1}
    if not keys:
        return {}
    found = select(Fact).where(
        tuple_(Fact.subject_kind, Fact.subject_id, Fact.version).in_(sorted(keys))
    )
    return {
        keys[one.subject_kind, one.subject_id, one.version]: one
        for one in db.session.scalars(found)
    }


def _write_bodies(
    wanted: Sequence[tuple[Event, list[Endpoint]]],
    facts: Mapping[str, Fact],
    before: Mapping[str, Fact],
) -> None:
    bodies = [
        Body(
            event_id=event.id,
            api_version=version,
            merchant_id=event.merchant_id,
            livemode=event.livemode,
            body=body_of_fact(event, facts[event.id], version, before.get(facts[event.id].id)),
        )
        for event, chosen in wanted
        for version in sorted({endpoint.api_version for endpoint in chosen})
    ]
    _insert_bodies(bodies)


def _insert_bodies(bodies: Sequence[Body]) -> None:
    columns = ("event_id", "api_version", "merchant_id", "livemode", "body")
    rows = [{column: getattr(body, column) for column in columns} for body in bodies]
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        db.session.execute(insert(Body).values(some).on_conflict_do_nothing())


def _shown(fact: Fact) -> Payload:
    return payload_of(fact.subject_kind, {"livemode": fact.livemode, **fact.snapshot})


def _bytes(event: Event, version: str, shown: Payload, before: Payload | None) -> str:
    data: dict[str, Any] = {"object": shown}
    if before is not None:
        data["previous_attributes"] = changes(before, shown)
    envelope = {
        "id": event.id,
        "object": "event",
        "type": event.name,
        "created": int(event.at.timestamp()),
        "livemode": event.livemode,
        "api_version": version,
        "data": data,
        "sequence": event.subject_version,
    }
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
