"""Webhook endpoints: where a merchant’s server is told what happens."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal

from flask import g
from pydantic import BaseModel, ConfigDict, Field

from webapp import webhooks
from webapp.api.caller import caller, needs
from webapp.api.errors import ParameterInvalid
from webapp.api.lists import moment
from webapp.api.models import Body, Deleted, Thing
from webapp.api.routing import delete, get, patch, post
from webapp.api.users import whole
from webapp.webhooks import EVERYTHING, Endpoint

TAG = "Webhooks"
HOUR = 3_600
AN_ID = "01KAJ8Z5V0W3N7Q2R4S6T8X9YB"
Url = Annotated[str, Field(min_length=1, max_length=2_000)]
Events = Annotated[
    list[Annotated[str, Field(max_length=60)]],
    Field(min_length=1, max_length=60, description=f"Names of events; {EVERYTHING} for all."),
]
Secret = Annotated[str, Field(min_length=12, max_length=200)]
Version = Annotated[Literal[webhooks.VERSIONS], Field(description="Of the payloads.")]  # type: ignore[valid-type]
_SHOWN: dict[str, Any] = {
    "id": f"we_{AN_ID}",
    "object": "webhook_endpoint",
    "created": 1_763_717_400,
    "livemode": False,
    "metadata": {},
    "status": "ENABLED",
    "url": "https://shop.example/paydeck",
    "events": ["payment.success", "refund.processed"],
    "description": "The shop’s server",
    "api_version": webhooks.NEWEST,
    "disabled_reason": None,
}


class WebhookEndpoint(Thing):
    """An address that is sent events, signed."""

    EXAMPLE: ClassVar[dict[str, Any]] = _SHOWN

    object: Literal["webhook_endpoint"]
    status: Literal["ENABLED", "PAUSED", "DISABLED", "DELETED"]
    url: str
    events: list[str]
    description: str
    api_version: str
    disabled_reason: str | None


class NewWebhookEndpoint(WebhookEndpoint):
    """An endpoint with its secret, which is told now and not again."""

    EXAMPLE: ClassVar[dict[str, Any]] = _SHOWN | {"secret": "whsec_" + "c2VjcmV0" * 4}
    TELLS_SECRET: ClassVar[bool] = True

    secret: str = Field(description="What deliveries are signed with.")


class CreateWebhookEndpoint(Body):
    """A new endpoint."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "url": "https://shop.example/paydeck",
        "events": ["payment.success", "refund.processed"],
        "description": "The shop’s server",
    }

    url: Url = Field(description="A public server, by https.")
    events: Events
    description: Annotated[str, Field(max_length=200)] = ""
    secret: Secret | None = Field(None, description="Your own; left out, one is made.")
    api_version: Version | None = None


class UpdateWebhookEndpoint(Body):
    """What may change in an endpoint; what is left out stays."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"events": ["payment.success"]}

    url: Url | None = None
    events: Events | None = None
    description: Annotated[str, Field(max_length=200)] | None = None
    api_version: Version | None = None


class RollWebhookSecret(Body):
    """How long the old secret signs as well."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"overlap_seconds": 86_400}

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 24 * HOUR)] = 24 * HOUR
    secret: Secret | None = Field(None, description="Your own; left out, one is made.")


class TestWebhook(Body):
    """Which event to send as an example."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"type": "payment.success"}
    __test__ = False

    type: Annotated[str, Field(max_length=60)]


class ResendRange(Body):
    """What to send again: what happened between two moments."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "since": 1_763_713_800,
        "until": 1_763_717_400,
        "only_failed": True,
    }

    since: Annotated[int, Field(ge=0, le=4_102_444_800, description="Unix time in seconds.")]
    until: Annotated[int, Field(ge=0, le=4_102_444_800, description="Not included.")]
    only_failed: bool = True
    to: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="Another endpoint to send it to."
    )


class Sent(BaseModel):
    """What was put on its way."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "resending",
        "count": 1,
        "delivery": f"whd_{AN_ID}",
    }

    object: Literal["resending"]
    count: int
    delivery: str | None = Field(description="The delivery, where it is one.")


class EndpointHealth(BaseModel):
    """How an endpoint fares: its last 100 deliveries and what waits."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "endpoint_health",
        "endpoint": f"we_{AN_ID}",
        "arrived_share": 0.98,
        "waiting": 1,
        "next_at": 1_763_717_400,
        "failures_in_a_row": 0,
        "failing_since": None,
        "left_alone_until": None,
        "is_slow": False,
        "recent": [
            {"delivery": f"whd_{AN_ID}", "status": "delivered", "tries": 1, "answered": 200}
        ],
    }

    object: Literal["endpoint_health"]
    endpoint: str
    arrived_share: float | None = Field(description="Of what is finished, 0 to 1.")
    waiting: int
    next_at: int | None
    failures_in_a_row: int
    failing_since: int | None
    left_alone_until: int | None
    is_slow: bool
    recent: list[dict[str, Any]]


def look_up_first(body: Any, **_path: str) -> None:
    """Look the address up before any transaction is open, for `looked_up` to tell."""
    url, whose = body.url, caller().merchant
    g.looked_up = None if url is None else webhooks.look_up(url, whose=whose)


def looked_up() -> webhooks.Address:
    """Return the address that was looked up for this request."""
    found: webhooks.Address = g.looked_up
    return found


@post("/webhook-endpoints", tag=TAG, gives=NewWebhookEndpoint, before=look_up_first)
@needs(scope="webhooks:write", act="manage_webhooks")
def create_webhook_endpoint(body: CreateWebhookEndpoint) -> dict[str, Any]:
    """Create a webhook endpoint.

    Events that it chose are sent from now on. The secret is told in this answer alone.
    """
    who = caller()
    new = webhooks.NewEndpoint(
        url=looked_up(),
        events=body.events,
        description=body.description,
        secret=body.secret,
        version=body.api_version,
    )
    made, secret = webhooks.create_endpoint(who.merchant, new, livemode=who.livemode, by=who.actor)
    return {**shown(made), "secret": secret}


@get("/webhook-endpoints", tag=TAG, gives=WebhookEndpoint, is_list=True)
@needs(scope="webhooks:read")
def list_webhook_endpoints() -> dict[str, Any]:
    """List webhook endpoints.

    All of them, newest first; there are at most 16 in each mode.
    """
    who = caller()
    found = webhooks.endpoints_of(who.merchant, livemode=who.livemode)
    return whole([shown(one) for one in found], "/api/v1/webhook-endpoints")


@get("/webhook-endpoints/<string:endpoint_id>", tag=TAG, gives=WebhookEndpoint)
@needs(scope="webhooks:read")
def get_webhook_endpoint(endpoint_id: str) -> dict[str, Any]:
    """Get a webhook endpoint.

    Never with its secret.
    """
    return shown(own(endpoint_id))


@patch(
    "/webhook-endpoints/<string:endpoint_id>",
    tag=TAG,
    gives=WebhookEndpoint,
    before=look_up_first,
)
@needs(scope="webhooks:write", act="manage_webhooks")
def update_webhook_endpoint(endpoint_id: str, body: UpdateWebhookEndpoint) -> dict[str, Any]:
    """Change a webhook endpoint.

    What is left out stays. Events that are chosen now are sent from now on.
    """
    own(endpoint_id)
    change = webhooks.Change(
        url=None if body.url is None else looked_up(),
        events=body.events,
        description=body.description,
        version=body.api_version,
    )
    return shown(webhooks.update_endpoint(endpoint_id, change, by=caller().actor))


@delete("/webhook-endpoints/<string:endpoint_id>", tag=TAG, gives=Deleted)
@needs(scope="webhooks:write", act="manage_webhooks")
def delete_webhook_endpoint(endpoint_id: str) -> dict[str, Any]:
    """Delete a webhook endpoint.

    Nothing is sent there any more; what waited is let be.
    """
    own(endpoint_id)
    webhooks.delete_endpoint(endpoint_id, by=caller().actor)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


@post(
    "/webhook-endpoints/<string:endpoint_id>/roll-secret",
    tag=TAG,
    gives=NewWebhookEndpoint,
    status=200,
)
@needs(scope="webhooks:write", act="manage_webhooks")
def roll_webhook_secret(endpoint_id: str, body: RollWebhookSecret) -> dict[str, Any]:
    """Give an endpoint a new secret.

    Both sign until the overlap has passed; until then another overlap is refused. The new one is
    told in this answer alone.
    """
    own(endpoint_id)
    rolled, secret = webhooks.roll_secret(
        endpoint_id,
        overlap=dt.timedelta(seconds=body.overlap_seconds),
        by=caller().actor,
        secret=body.secret,
    )
    return {**shown(rolled), "secret": secret}


@post("/webhook-endpoints/<string:endpoint_id>/pause", tag=TAG, gives=WebhookEndpoint, status=200)
@needs(scope="webhooks:write", act="manage_webhooks")
def pause_webhook_endpoint(endpoint_id: str) -> dict[str, Any]:
    """Pause a webhook endpoint.

    Its events are kept and wait until it is resumed.
    """
    own(endpoint_id)
    return shown(webhooks.pause(endpoint_id, by=caller().actor))


@post("/webhook-endpoints/<string:endpoint_id>/resume", tag=TAG, gives=WebhookEndpoint, status=200)
@needs(scope="webhooks:write", act="manage_webhooks")
def resume_webhook_endpoint(endpoint_id: str) -> dict[str, Any]:
    """Resume a webhook endpoint.

    What waited is sent now. Also for one that was switched off.
    """
    own(endpoint_id)
    return shown(webhooks.resume(endpoint_id, by=caller().actor))


@post("/webhook-endpoints/<string:endpoint_id>/test", tag=TAG, gives=Sent)
@needs(scope="webhooks:write", act="manage_webhooks")
def test_webhook_endpoint(endpoint_id: str, body: TestWebhook) -> dict[str, Any]:
    """Send an example of an event.

    Of any kind, chosen or not; nothing has happened by it. In test mode only.
    """
    own(endpoint_id)
    try:
        delivery_id = webhooks.test_event(endpoint_id, body.type, by=caller().actor)
    except webhooks.UnknownEvent as unknown:
        raise webhooks.UnknownEvent(param="type") from unknown
    return {"object": "resending", "count": 1, "delivery": delivery_id}


@post("/webhook-endpoints/<string:endpoint_id>/resend", tag=TAG, gives=Sent)
@needs(scope="webhooks:write", act="manage_webhooks")
def resend_webhook_range(endpoint_id: str, body: ResendRange) -> dict[str, Any]:
    """Send a stretch of time again.

    What never arrived there, or everything that the endpoint chose: at most 1,000 events of the
    last 30 days.
    """
    own(endpoint_id)
    if body.to is not None:
        _target(body.to)
    since, until = moment(body.since), moment(body.until)
    if since is None or until is None:
        raise ParameterInvalid(param="since")
    count = webhooks.resend_range(
        endpoint_id,
        since,
        until,
        only_failed=body.only_failed,
        by=caller().actor,
        to=body.to,
    )
    return {"object": "resending", "count": count, "delivery": None}


@get("/webhook-endpoints/<string:endpoint_id>/health", tag=TAG, gives=EndpointHealth)
@needs(scope="webhooks:read")
def get_webhook_health(endpoint_id: str) -> dict[str, Any]:
    """Get how an endpoint fares.

    Its last 100 deliveries, newest first, and whether it is left alone for a while.
    """
    own(endpoint_id)
    health = webhooks.health_of(endpoint_id)
    return {
        "object": "endpoint_health",
        "endpoint": endpoint_id,
        "arrived_share": health.arrived_share,
        "waiting": health.waiting,
        "next_at": epoch(health.next_at),
        "failures_in_a_row": health.failures,
        "failing_since": epoch(health.failing_since),
        "left_alone_until": epoch(health.open_until),
        "is_slow": health.is_slow,
        "recent": [
            {
                "delivery": one.delivery_id,
                "status": one.state.value,
                "tries": one.tries,
                "answered": one.last_status,
            }
            for one in health.strip
        ],
    }


def own(endpoint_id: str) -> Endpoint:
    """Return the caller’s endpoint; raises EndpointNotFound for everybody else’s."""
    return webhooks.endpoint_of(caller().merchant, endpoint_id)


def shown(endpoint: Endpoint) -> dict[str, Any]:
    """Return an endpoint as the API shows it."""
    return webhooks.payload_of("webhook_endpoint", endpoint.snapshot())


def epoch(at: dt.datetime | None) -> int | None:
    """Return a moment in whole Unix seconds."""
    return None if at is None else int(at.timestamp())


def _target(endpoint_id: str) -> None:
    try:
        own(endpoint_id)
    except webhooks.EndpointNotFound as missing:
        raise ParameterInvalid("There is no such endpoint.", param="to") from missing
