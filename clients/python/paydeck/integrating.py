"""Webhook endpoints, events, deliveries, API keys, the log of requests and the test clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Unpack, cast

from paydeck import fields
from paydeck import objects as told
from paydeck.pages import Page
from paydeck.resource import Resource
from paydeck.wire import Request

#: How much longer than it waits for an event a long poll may take to be answered.
ANSWER_SECONDS: Final = 15.0


class WebhookEndpoints(Resource):
    """Where a server is told what happens."""

    def create(self, **new: Unpack[fields.NewEndpoint]) -> told.NewWebhookEndpoint:
        """Add an endpoint; its `secret` is told now and not again."""
        return self._do(told.NewWebhookEndpoint, "webhook-endpoints", sent=new)

    def get(self, endpoint_id: str) -> told.WebhookEndpoint:
        """Return an endpoint."""
        return self._get(told.WebhookEndpoint, "webhook-endpoints", endpoint_id)

    def list(self) -> Page[told.WebhookEndpoint]:
        """Return all endpoints of this mode."""
        return self._list(told.WebhookEndpoint, "webhook-endpoints", query={})

    def update(
        self, endpoint_id: str, **change: Unpack[fields.EndpointChange]
    ) -> told.WebhookEndpoint:
        """Change what is given."""
        return self._change(told.WebhookEndpoint, "webhook-endpoints", endpoint_id, sent=change)

    def delete(self, endpoint_id: str, **key: Unpack[fields.Keyed]) -> told.Deleted:
        """Delete an endpoint; nothing is sent there any more."""
        path = ("webhook-endpoints", endpoint_id)
        return self._bare(told.Deleted, *path, key=key, method="DELETE")

    def roll_secret(
        self, endpoint_id: str, **roll: Unpack[fields.SecretRoll]
    ) -> told.NewWebhookEndpoint:
        """Give an endpoint a new secret; both sign until the overlap has passed."""
        path = ("webhook-endpoints", endpoint_id, "roll-secret")
        return self._do(told.NewWebhookEndpoint, *path, sent=roll)

    def pause(self, endpoint_id: str, **key: Unpack[fields.Keyed]) -> told.WebhookEndpoint:
        """Let its events wait."""
        path = ("webhook-endpoints", endpoint_id, "pause")
        return self._bare(told.WebhookEndpoint, *path, key=key)

    def resume(self, endpoint_id: str, **key: Unpack[fields.Keyed]) -> told.WebhookEndpoint:
        """Send what waited."""
        path = ("webhook-endpoints", endpoint_id, "resume")
        return self._bare(told.WebhookEndpoint, *path, key=key)

    def test(self, endpoint_id: str, **event: Unpack[fields.TestEvent]) -> told.Sent:
        """Send an example of an event; nothing has happened by it."""
        return self._do(told.Sent, "webhook-endpoints", endpoint_id, "test", sent=event)

    def resend(self, endpoint_id: str, **span: Unpack[fields.ResendRange]) -> told.Sent:
        """Send a stretch of time again."""
        return self._do(told.Sent, "webhook-endpoints", endpoint_id, "resend", sent=span)

    def health(self, endpoint_id: str) -> dict[str, Any]:
        """Return how an endpoint fares."""
        return self._get(dict[str, Any], "webhook-endpoints", endpoint_id, "health")


class Events(Resource):
    """What happened."""

    def get(self, event_id: str) -> told.Event:
        """Return an event, with the body that endpoints are sent."""
        return self._get(told.Event, "events", event_id)

    def list(self, **only: Unpack[fields.EventFilter]) -> Page[told.Event]:
        """Return a page of events, newest first."""
        return self._list(told.Event, "events", query=only)

    def after(self, after: str, *, wait: int = 0, limit: int = 100) -> Sequence[told.Event]:
        """Return events after one (`beginning`: from the first), oldest first, none left out.

        With `wait` (0 to 20 seconds) the answer comes as soon as there is one, or empty.
        """
        query = {"after": after, "wait": wait, "limit": limit}
        asked = Request("GET", "/events", query=query, read_seconds=wait + ANSWER_SECONDS)
        return cast("list[told.Event]", self._wire.ask(asked)["data"])

    def resend(self, event_id: str, **to: Unpack[fields.ResendTo]) -> told.Delivery:
        """Send an event to an endpoint (`to`), whether it was sent there before or not."""
        return self._do(told.Delivery, "events", event_id, "resend", sent=to)


class Deliveries(Resource):
    """Events on their way to endpoints."""

    def get(self, delivery_id: str) -> told.DeliveryDetail:
        """Return a delivery with every try."""
        return self._get(told.DeliveryDetail, "deliveries", delivery_id)

    def list(self, **only: Unpack[fields.DeliveryFilter]) -> Page[told.Delivery]:
        """Return a page of deliveries."""
        return self._list(told.Delivery, "deliveries", query=only)

    def resend(self, delivery_id: str, **to: Unpack[fields.ResendTo]) -> told.Delivery:
        """Send it again as a new delivery, to its own endpoint or another."""
        return self._do(told.Delivery, "deliveries", delivery_id, "resend", sent=to)


class ApiKeys(Resource):
    """Keys of this merchant."""

    def create(self, **new: Unpack[fields.NewKey]) -> told.NewApiKey:
        """Make a key; its `token` is told now and not again."""
        return self._do(told.NewApiKey, "api-keys", sent=new)

    def get(self, key_id: str) -> told.ApiKey:
        """Return a key, without its text."""
        return self._get(told.ApiKey, "api-keys", key_id)

    def list(self) -> Page[told.ApiKey]:
        """Return all keys of this mode."""
        return self._list(told.ApiKey, "api-keys", query={})

    def roll(self, key_id: str, **roll: Unpack[fields.KeyRoll]) -> told.NewApiKey:
        """Replace a key; the old one ends after the overlap."""
        return self._do(told.NewApiKey, "api-keys", key_id, "roll", sent=roll)

    def revoke(self, key_id: str, **key: Unpack[fields.Keyed]) -> told.ApiKey:
        """End a key at once."""
        return self._bare(told.ApiKey, "api-keys", key_id, "revoke", key=key)


class Requests(Resource):
    """What was asked of the API in the last thirty days."""

    def get(self, request_id: str) -> told.RequestDetail:
        """Return a request with its masked bodies."""
        return self._get(told.RequestDetail, "requests", request_id)

    def list(self, **only: Unpack[fields.RequestFilter]) -> Page[told.LoggedRequest]:
        """Return a page of requests."""
        return self._list(told.LoggedRequest, "requests", query=only)


class Clock(Resource):
    """What waits for a moment in test mode; live keys are refused."""

    def get(self) -> told.TestClock:
        """Return what waits, by kind, and when the next one’s moment comes."""
        return self._get(told.TestClock, "test-clock")

    def advance(self, **step: Unpack[fields.ClockStep]) -> told.AdvancedClock:
        """Bring all of it nearer by `seconds`; what is due then happens within seconds."""
        return self._do(told.AdvancedClock, "test-clock", "advance", sent=step)
