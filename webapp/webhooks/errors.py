"""What this room refuses."""

from __future__ import annotations

from typing import ClassVar

from webapp.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class EndpointNotFound(NotFound):
    """There is no such endpoint here."""

    code = "webhook_endpoint_not_found"
    says = "There is no such webhook endpoint."


class DeliveryNotFound(NotFound):
    """There is no such delivery here."""

    code = "delivery_not_found"
    says = "There is no such delivery."


class EventNotFound(NotFound):
    """There is no such event here."""

    code = "webhook_event_not_found"
    says = "There is no such event."


class UnknownEvent(Invalid):
    """An event's name that is not in the catalogue."""

    code = "unknown_event"
    says = "There is no event of that name."


class BadSecret(Invalid):
    """A secret that cannot sign."""

    code = "bad_webhook_secret"
    says = (
        "Give a secret of 12 to 200 letters, digits and signs without spaces, or one that begins"
        " with whsec_ and holds 24 to 64 bytes in base64."
    )


class TooManyEndpoints(Conflict):
    """A merchant has as many endpoints in a mode as there may be."""

    code = "too_many_endpoints"
    says = "There can be 16 webhook endpoints in each mode. Delete one first."


class EndpointOff(Conflict):
    """Something was to be sent to an endpoint that is switched off."""

    code = "endpoint_off"
    says = "That endpoint is switched off. Switch it on first."


class OldSecretSigns(Invalid):
    """A secret was to be rolled with an overlap while the one before still signs."""

    code = "old_secret_signs"
    says = (
        "The secret before this one still signs. Wait until it has ended, or end all old ones at"
        " once."
    )


class TestModeOnly(Conflict):
    """An example was to be sent in live mode, where a receiver could take it for money."""

    code = "test_mode_only"
    says = "Examples are sent in test mode only: a receiver could take them for money."
    __test__ = False


class TooMuchAgain(Conflict):
    """As much waits for an endpoint as may be sent again, or beside tests, at once."""

    code = "too_much_again"
    says = (
        "So much waits for that endpoint already that nothing is sent again and no test is sent."
        " Let it arrive first."
    )


class TooManyLookups(Unavailable):
    """Enough names are being looked up already, for this merchant or at all (429)."""

    code = "too_many_lookups"
    says = "The names of several addresses are being looked up already. Try again in a few seconds."
    retry_after_seconds: ClassVar[int] = 3
