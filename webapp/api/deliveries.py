"""Deliveries: each event on its way to an endpoint, with every try as it was made and answered."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp import webhooks
from webapp.api.caller import caller, needs
from webapp.api.errors import ParameterInvalid
from webapp.api.lists import asked_page, listing, moment
from webapp.api.models import Body, CreatedQuery
from webapp.api.routing import get, post
from webapp.api.webhook_endpoints import TAG, epoch, own
from webapp.webhooks import Attempt, DeliveryFilter, DeliveryRow, DeliveryState

AN_ID = "01KAJ8Z5V0W3N7Q2R4S6T8X9YB"
AT = 1_763_717_400
Status = Literal["due", "delivered", "dead", "resent", "discarded"]
_SHOWN: dict[str, Any] = {
    "id": f"whd_{AN_ID}",
    "object": "delivery",
    "created": AT,
    "livemode": False,
    "status": "delivered",
    "event": f"evt_{AN_ID}",
    "event_type": "payment.success",
    "endpoint": f"we_{AN_ID}",
    "api_version": webhooks.NEWEST,
    "tries": 1,
    "next_try_at": None,
    "finished_at": AT + 1,
    "answered": 200,
    "last_error": None,
    "resend_of": None,
    "tampered": False,
}


class DeliveryObject(BaseModel):
    """One event on its way to one endpoint."""

    model_config = ConfigDict(extra="forbid", title="Delivery")
    EXAMPLE: ClassVar[dict[str, Any]] = _SHOWN

    id: str
    object: Literal["delivery"]
    created: int
    livemode: bool
    status: Status
    event: str
    event_type: str
    endpoint: str
    api_version: str
    tries: int
    next_try_at: int | None
    finished_at: int | None
    answered: int | None = Field(description="The status of the last answer.")
    last_error: str | None
    resend_of: str | None = Field(description="The delivery that is sent again by this one.")
    tampered: bool = Field(description="A test whose signature does not fit, tried once.")


class DeliveryTry(BaseModel):
    """One try, with request and answer."""

    model_config = ConfigDict(extra="forbid")

    id: str
    number: int
    started: int
    duration_ms: int
    url: str
    address: str | None = Field(description="The address that the name led to.")
    request_headers: dict[str, str]
    status: int | None
    response_headers: dict[str, str]
    response_body: str
    error: str | None


class DeliveryDetail(DeliveryObject):
    """A delivery with every try, oldest first."""

    model_config = ConfigDict(extra="forbid", title="DeliveryDetail")
    EXAMPLE: ClassVar[dict[str, Any]] = _SHOWN | {
        "attempts": [
            {
                "id": f"wha_{AN_ID}",
                "number": 1,
                "started": AT,
                "duration_ms": 84,
                "url": "https://shop.example/paydeck",
                "address": "203.0.113.9",
                "request_headers": {"webhook-id": f"evt_{AN_ID}"},
                "status": 200,
                "response_headers": {"content-type": "text/plain"},
                "response_body": "ok",
                "error": None,
            }
        ]
    }

    attempts: list[DeliveryTry]


class DeliveryQuery(CreatedQuery):
    """Filters of deliveries."""

    endpoint: str | None = Field(None, max_length=64)
    event: str | None = Field(None, max_length=64)
    status: Status | None = None


class ResendDelivery(Body):
    """Where to send it; left out, to its own endpoint."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"to": f"we_{AN_ID}"}

    to: Annotated[str, Field(max_length=64)] | None = None


@get("/deliveries", tag=TAG, gives=DeliveryObject, is_list=True)
@needs(scope="webhooks:read")
def list_deliveries(query: DeliveryQuery) -> dict[str, Any]:
    """List deliveries.

    Newest first, by endpoint, event, status and when they began.
    """
    who = caller()
    page = asked_page(query, lambda sent: webhooks.delivery_of(who.merchant, sent))
    found = webhooks.deliveries_of(
        who.merchant, livemode=who.livemode, only=_filter(query), page=page
    )
    return listing(found, shown)


@get("/deliveries/<string:delivery_id>", tag=TAG, gives=DeliveryDetail)
@needs(scope="webhooks:read")
def get_delivery(delivery_id: str) -> dict[str, Any]:
    """Get a delivery.

    With every try: what was sent, what was answered, and how long it took.
    """
    row = webhooks.delivery_of(caller().merchant, delivery_id)
    tries = [_shown_try(one) for one in webhooks.attempts_of(delivery_id)]
    return {**shown(row), "attempts": tries}


@post("/deliveries/<string:delivery_id>/resend", tag=TAG, gives=DeliveryObject)
@needs(scope="webhooks:write", act="manage_webhooks")
def resend_delivery(delivery_id: str, body: ResendDelivery) -> dict[str, Any]:
    """Send an event again.

    As a new delivery with the same body, to the same endpoint or another, also where it arrived.
    """
    who = caller()
    webhooks.delivery_of(who.merchant, delivery_id)
    if body.to is not None:
        own_target(body.to)
    fresh = webhooks.resend(delivery_id, by=who.actor, to=body.to)
    return shown(webhooks.delivery_of(who.merchant, fresh))


def shown(row: DeliveryRow) -> dict[str, Any]:
    """Return a delivery as the API shows it."""
    one = row.delivery
    return {
        "id": one.id,
        "object": "delivery",
        "created": epoch(one.created_at),
        "livemode": one.livemode,
        "status": one.state,
        "event": one.event_id,
        "event_type": row.event.name,
        "endpoint": one.endpoint_id,
        "api_version": one.api_version,
        "tries": one.tries,
        "next_try_at": epoch(one.due_at),
        "finished_at": epoch(one.finished_at),
        "answered": row.last_status,
        "last_error": one.last_error,
        "resend_of": one.resend_of,
        "tampered": one.is_tampered,
    }


def _shown_try(one: Attempt) -> dict[str, Any]:
    return {
        "id": one.id,
        "number": one.number,
        "started": epoch(one.started_at),
        "duration_ms": one.duration_ms,
        "url": one.url,
        "address": one.address,
        "request_headers": one.request_headers,
        "status": one.status,
        "response_headers": one.response_headers,
        "response_body": one.response_body,
        "error": one.error,
    }


def _filter(query: DeliveryQuery) -> DeliveryFilter:
    return DeliveryFilter(
        endpoint_id=query.endpoint,
        event_id=query.event,
        state=DeliveryState(query.status) if query.status else None,
        since=moment(query.created_gte),
        until=moment(None if query.created_lte is None else query.created_lte + 1),
    )


def own_target(endpoint_id: str) -> None:
    """Refuse a `to` that is no endpoint of the caller’s."""
    try:
        own(endpoint_id)
    except webhooks.EndpointNotFound as missing:
        raise ParameterInvalid("There is no such endpoint.", param="to") from missing
