"""Events: what happened, newest first, or on from the last one that a listener got."""

from __future__ import annotations

import json
import threading
import time
from typing import Annotated, Any, ClassVar, Literal

from flask import request
from pydantic import BaseModel, ConfigDict, Field

from webapp import webhooks
from webapp.api.caller import caller, needs
from webapp.api.deliveries import DeliveryObject, own_target
from webapp.api.deliveries import shown as shown_delivery
from webapp.api.errors import CursorUnknown, ParameterInvalid
from webapp.api.lists import asked_page, listing, moment
from webapp.api.models import WHOLE_NUMBER, Body, CreatedQuery
from webapp.api.routing import get, post
from webapp.kernel import db
from webapp.webhooks import Event, EventFilter

TAG = "Events"
#: How long a listener is kept waiting at most, and how often is looked meanwhile.
LONGEST_WAIT = 20
LOOK_SECONDS = 0.5
BEGINNING = "beginning"
#: Each holds a thread of the server; further listeners are answered at once and ask again.
SEATS = threading.BoundedSemaphore(4)


class EventObject(BaseModel):
    """One thing that happened, as it is sent to webhook endpoints too."""

    model_config = ConfigDict(extra="forbid", title="Event")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "evt_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "object": "event",
        "type": "order.created",
        "created": 1_763_717_400,
        "livemode": False,
        "api_version": webhooks.NEWEST,
        "data": {
            "object": webhooks.BY_NAME["order.created"].example,
            "previous_attributes": {},
        },
        "sequence": 1,
    }

    id: str
    object: Literal["event"]
    type: str
    created: int
    livemode: bool
    api_version: str
    data: dict[str, Any] = Field(
        description="The object as it was then, and what its changed fields were before."
    )
    sequence: int = Field(description="Which change of its object this is.")


class EventQuery(CreatedQuery):
    """Filters of events, and where a listener goes on."""

    type: str | None = Field(None, max_length=60)
    object_id: str | None = Field(None, max_length=64, description="What it is about.")
    after: str | None = Field(
        None,
        max_length=64,
        description="Oldest first, from after this event on; “beginning” for the very first.",
    )
    wait: Annotated[
        int,
        Field(ge=0, le=LONGEST_WAIT, description="Seconds to wait for one, with after."),
        WHOLE_NUMBER,
    ] = 0


class ResendEvent(Body):
    """Where to send an event."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"to": "we_01KAJ8Z5V0W3N7Q2R4S6T8X9YB"}

    to: Annotated[str, Field(max_length=64, description="The id of an endpoint.")]


@get("/events", tag=TAG, gives=EventObject, is_list=True)
@needs(scope="events:read")
def list_events(query: EventQuery) -> dict[str, Any]:
    """List events.

    Newest first. With `after` they come oldest first from there on, none left out, so that a
    program that keeps the last id it got goes on where it was; with `wait` the answer comes as
    soon as there is one.
    """
    if query.after is not None:
        return _following(query, query.after)
    who = caller()
    page = asked_page(query, lambda sent: webhooks.event_of(who.merchant, sent))
    found = webhooks.events_of(who.merchant, livemode=who.livemode, only=_filter(query), page=page)
    return listing(found, shown)


@get("/events/<string:event_id>", tag=TAG, gives=EventObject)
@needs(scope="events:read")
def get_event(event_id: str) -> dict[str, Any]:
    """Get an event.

    With the very body that endpoints are sent.
    """
    return shown(webhooks.event_of(caller().merchant, event_id))


@post("/events/<string:event_id>/resend", tag=TAG, gives=DeliveryObject)
@needs(scope="webhooks:write", act="manage_webhooks")
def resend_event(event_id: str, body: ResendEvent) -> dict[str, Any]:
    """Send an event to an endpoint.

    Whether it was sent there before or not, and also where that endpoint did not choose it.
    """
    who = caller()
    webhooks.event_of(who.merchant, event_id)
    own_target(body.to)
    fresh = webhooks.resend_event(event_id, to=body.to, by=who.actor)
    return shown_delivery(webhooks.delivery_of(who.merchant, fresh))


def shown(event: Event) -> dict[str, Any]:
    """Return an event as it is sent, in the version of the request."""
    body: dict[str, Any] = json.loads(webhooks.body_of(event, caller().version))
    return body


def _following(query: EventQuery, after: str) -> dict[str, Any]:
    if query.starting_after or query.ending_before:
        raise ParameterInvalid("Send after, or starting_after or ending_before.", param="after")
    found = _waited_for(query, None if after == BEGINNING else after)
    return {
        "object": "list",
        "data": [shown(one) for one in found[: query.limit]],
        "has_more": len(found) > query.limit,
        "url": request.path,
    }


def _waited_for(query: EventQuery, after: str | None) -> list[Event]:
    found = _look(query, after)
    if found or not query.wait or not SEATS.acquire(blocking=False):
        return found
    try:
        ends = time.monotonic() + query.wait
        while not found and (left := ends - time.monotonic()) > 0:
            db.end_reads()
            time.sleep(min(LOOK_SECONDS, left))
            found = _look(query, after)
        return found
    finally:
        SEATS.release()


def _look(query: EventQuery, after: str | None) -> list[Event]:
    who = caller()
    try:
        found = webhooks.events_after(
            who.merchant,
            livemode=who.livemode,
            after=after,
            only=_filter(query),
            limit=query.limit + 1,
        )
    except webhooks.EventNotFound as unknown:
        raise CursorUnknown(param="after") from unknown
    return list(found)


def _filter(query: EventQuery) -> EventFilter:
    if query.type is not None and query.type not in webhooks.NAMES:
        raise webhooks.UnknownEvent(param="type")
    return EventFilter(
        names=(query.type,) if query.type else (),
        subject_id=query.object_id,
        since=moment(query.created_gte),
        until=moment(None if query.created_lte is None else query.created_lte + 1),
    )
