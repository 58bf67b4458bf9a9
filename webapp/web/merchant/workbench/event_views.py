"""What the pages about events show: what happened, what changed, who caused it, who was told."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import g, request, url_for

from webapp import webhooks
from webapp.kernel.paging import PageRequest
from webapp.web.merchant.door import why_not
from webapp.web.merchant.lists import asked_page, live_address, older_newer
from webapp.web.merchant.workbench.delivery_views import (
    Changed,
    DeliveryLine,
    compared,
    delivery_line,
    flat,
    indented,
    subject_href,
)
from webapp.webhooks import BY_NAME, DeliveryFilter, Event, EventFilter

MAX_TEXT = 60
#: Who can have caused an event, by what the history calls them.
CAUSES: dict[str, str] = {
    "api_key": "A program, with an API key",
    "merchant_user": "A person of your team",
    "user": "A signed-in person",
    "shopper": "The shopper",
    "operator": "The platform’s team",
    "admin": "The platform’s team",
    "provider": "The payment provider",
    "system": "Paydeck itself",
}


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event in the list."""

    id: str
    href: str
    name: str
    says: str
    subject: str
    is_test: bool
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class EventList:
    """A page of events with the filters in force."""

    name: str
    subject: str
    rows: Sequence[EventLine]
    live_url: str
    newer: str | None
    older: str | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """One event for its page; `previous` is the object's event before, if there was one."""

    line: EventLine
    subject_href: str | None
    caused_by: str
    because: str
    trace_id: str | None
    key_href: str | None
    body: str
    previous: EventLine | None
    changes: Sequence[Changed]
    deliveries: Sequence[DeliveryLine]
    why_not: str | None


def event_list() -> EventList:
    """Return a page of the merchant's events that the address selects, newest first."""
    name = request.args.get("name", "")
    kept = {
        "name": name if name in BY_NAME else "",
        "object": request.args.get("object", "").strip()[:MAX_TEXT],
    }
    only = EventFilter(
        names=(kept["name"],) if kept["name"] else (), subject_id=kept["object"] or None
    )
    page = webhooks.events_of(
        g.merchant.id, livemode=g.merchant.livemode, only=only, page=asked_page()
    )
    older, newer = older_newer("merchant.event_rows", kept, page)
    rows = [event_line(one) for one in page.rows]
    live_url = live_address("merchant.event_rows_live", kept)
    return EventList(kept["name"], kept["object"], rows, live_url, newer, older)


def event_page(event_id: str) -> EventPage:
    """Return one of the merchant's events for its page; raises NotFound."""
    event = webhooks.event_of(g.merchant.id, event_id)
    fact = webhooks.fact_of(event)
    before = _previous(event)
    body = webhooks.body_of(event)
    kind = fact.actor_kind if fact else ""
    key_id = fact.actor_id if fact and kind == "api_key" else None
    return EventPage(
        line=event_line(event),
        subject_href=None if event.is_test else subject_href(event.subject_id),
        caused_by=CAUSES.get(kind, "Paydeck itself") if fact else "A test from these pages",
        because=fact.because if fact else "Somebody sent a test event.",
        trace_id=fact.trace_id if fact else None,
        key_href=url_for("merchant.key", key_id=key_id) if key_id else None,
        body=indented(body),
        previous=event_line(before) if before else None,
        changes=compared(flat(_object(webhooks.body_of(before))), flat(_object(body)))
        if before
        else [],
        deliveries=_deliveries(event.id),
        why_not=why_not("manage_webhooks"),
    )


def event_line(event: Event) -> EventLine:
    """Return an event as lists show it."""
    return EventLine(
        id=event.id,
        href=url_for("merchant.event_row", event_id=event.id),
        name=event.name,
        says=BY_NAME[event.name].says if event.name in BY_NAME else "",
        subject=event.subject_id,
        is_test=event.is_test,
        at=event.at,
    )


def _previous(event: Event) -> Event | None:
    """Return the event of the same object just before, or None for its first."""
    if event.is_test:
        return None
    page = webhooks.events_of(
        g.merchant.id,
        livemode=event.livemode,
        only=EventFilter(subject_id=event.subject_id),
        page=PageRequest(limit=1, before=event.id),
    )
    return page.rows[0] if page.rows else None


def _object(body: str) -> Any:
    return json.loads(body)["data"]["object"]


def _deliveries(event_id: str) -> list[DeliveryLine]:
    page = webhooks.deliveries_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        only=DeliveryFilter(event_id=event_id),
        page=PageRequest(limit=100),
    )
    return [delivery_line(one) for one in page.rows]
