"""Every event that a merchant's server can be sent: its name outside, a sentence, an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from webapp.webhooks.payloads import Payload, payload_of

#: What an endpoint chooses to be sent everything, whatever is added later.
EVERYTHING: Final = "*"


@dataclass(frozen=True)
class EventKind:
    """One kind of event: the fact that it tells, its name outside, and when it happens."""

    fact: str
    name: str
    noun: str
    says: str
    shown: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def example(self) -> Payload:
        """The object as such an event carries it, of a made-up order."""
        return payload_of(self.noun, _SAMPLES[self.noun] | dict(self.shown))


_ID: Final = "01KAJ8Z5V0W3N7Q2R4S6T8X9YB"
_AT: Final = "2026-11-21T09:30:00+00:00"
_PRICE: Final = {"amount": 50_000, "currency": "INR", "livemode": False}

_SAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "order": {
        **_PRICE,
        "id": f"ord_{_ID}",
        "number": "LT-1042",
        "kind": "sale",
        "status": "PENDING",
        "customer": f"cus_{_ID}",
        "description": "Two tins of first flush",
        "capture": "automatic",
        "metadata": {"basket": "7731"},
        "completed": None,
        "created": _AT,
    },
    "payment_link": {
        **_PRICE,
        "id": f"plink_{_ID}",
        "status": "ACTIVE",
        "description": "A seat at the spring tasting",
        "max_payments": 40,
        "ends": "2026-12-01T18:00:00+00:00",
        "ended": None,
        "metadata": {"event": "spring"},
        "created": _AT,
    },
    "checkout_session": {
        "id": f"chk_{_ID}",
        "order": f"ord_{_ID}",
        "status": "OPEN",
        "livemode": False,
        "created": _AT,
        "closed": None,
        "expires": "2026-11-21T09:45:00+00:00",
    },
    "payment": {
        **_PRICE,
        "id": f"pay_{_ID}",
        "order": f"ord_{_ID}",
        "status": "PENDING",
        "state": "created",
        "authorised": 0,
        "captured": 0,
        "refunded": 0,
        "refund_reserved": 0,
        "fee": 0,
        "method": "card",
        "method_label": "Visa •••• 4242",
        "decline_code": None,
        "customer": f"cus_{_ID}",
        "checkout_session": f"chk_{_ID}",
        "attempts": 1,
        "cancel_reason": None,
        "metadata": {},
        "created": _AT,
        "at": _AT,
    },
    "refund": {
        **_PRICE,
        "id": f"re_{_ID}",
        "payment": f"pay_{_ID}",
        "anomaly": None,
        "status": "PENDING",
        "state": "requested",
        "amount": 20_000,
        "reason": "requested_by_customer",
        "destination": "original",
        "target_order": None,
        "bank_reference": None,
        "failure_code": None,
        "expected_by": None,
        "metadata": {},
        "created": _AT,
        "at": _AT,
    },
    "anomaly": {
        **_PRICE,
        "id": f"ano_{_ID}",
        "payment": f"pay_{_ID}",
        "kind": "late_success",
        "status": "OPEN",
        "order": None,
        "at": _AT,
    },
    "webhook_endpoint": {
        "id": f"we_{_ID}",
        "status": "DISABLED",
        "livemode": False,
        "url": "https://shop.example/hooks",
        "events": ["payment.success"],
        "description": "The shop",
        "api_version": "2026-11-01",
        "disabled_reason": "No delivery arrived for five days.",
        "created": _AT,
    },
}

_TAKEN: Final = (
    ("status", "SUCCESS"),
    ("state", "captured"),
    ("authorised", 50_000),
    ("captured", 50_000),
    ("fee", 1_000),
    ("captured_at", _AT),
)


def _stands(status: str, state: str = "", **more: object) -> tuple[tuple[str, Any], ...]:
    told = {"status": status} | ({"state": state} if state else {})
    return tuple((told | more).items())


_ALL: Final[Sequence[EventKind]] = (
    EventKind("order.created", "order.created", "order", "An order was made."),
    EventKind(
        "order.completed",
        "order.completed",
        "order",
        "An order is paid.",
        _stands("COMPLETED", completed=_AT),
    ),
    EventKind(
        "order.cancelled",
        "order.cancelled",
        "order",
        "An order was cancelled and can no longer be paid.",
        _stands("CANCELLED"),
    ),
    EventKind(
        "payment_link.created",
        "payment_link.created",
        "payment_link",
        "A link was made that can be paid by whoever opens it.",
    ),
    EventKind(
        "payment_link.ended",
        "payment_link.ended",
        "payment_link",
        "A payment link takes no more payments.",
        _stands("ENDED", ended="2026-12-01T18:00:00+00:00"),
    ),
    EventKind("checkout.opened", "checkout.opened", "checkout_session", "A checkout link opened."),
    EventKind(
        "checkout.completed",
        "checkout.completed",
        "checkout_session",
        "An order was paid through its checkout link.",
        _stands("COMPLETE", closed=_AT),
    ),
    EventKind(
        "checkout.expired",
        "checkout.expired",
        "checkout_session",
        "A checkout link expired; its order can get a fresh one.",
        _stands("EXPIRED", closed="2026-11-21T09:45:00+00:00"),
    ),
    EventKind("payment.created", "payment.created", "payment", "Somebody began to pay."),
    EventKind(
        "payment.processing",
        "payment.processing",
        "payment",
        "The bank has been asked and has not answered yet.",
        _stands("PROCESSING", "processing"),
    ),
    EventKind(
        "payment.requires_action",
        "payment.requires_action",
        "payment",
        "The shopper’s bank wants to check that it is them.",
        _stands("REQUIRES_ACTION", "requires_action"),
    ),
    EventKind(
        "payment.authorised",
        "payment.authorised",
        "payment",
        "The bank holds the money, for you to capture or let go.",
        _stands("PROCESSING", "authorised", authorised=50_000),
    ),
    EventKind(
        "payment.declined",
        "payment.declined",
        "payment",
        "A try was declined and no money moved; the shopper may try again.",
        _stands("PENDING", "awaiting_method", decline_code="insufficient_funds"),
    ),
    EventKind(
        "payment.captured", "payment.success", "payment", "The money has been taken.", _TAKEN
    ),
    EventKind(
        "payment.failed",
        "payment.failed",
        "payment",
        "It was not paid and will not be; no money moved.",
        _stands("FAILED", "failed", decline_code="generic_decline"),
    ),
    EventKind(
        "payment.cancelled",
        "payment.cancelled",
        "payment",
        "It was cancelled before any money moved.",
        _stands("CANCELLED", "cancelled"),
    ),
    EventKind(
        "payment.expired",
        "payment.expired",
        "payment",
        "Nobody paid before the checkout link expired.",
        _stands("EXPIRED", "expired"),
    ),
    EventKind("refund.requested", "refund.requested", "refund", "A refund was asked for."),
    EventKind(
        "refund.approved",
        "refund.approved",
        "refund",
        "A refund may leave.",
        _stands("PENDING", "approved"),
    ),
    EventKind(
        "refund.sent",
        "refund.sent",
        "refund",
        "The provider has been asked to send the money back.",
        _stands("PROCESSING", "sent", sent=_AT, expected_by="2026-12-01"),
    ),
    EventKind(
        "refund.succeeded",
        "refund.processed",
        "refund",
        "The money is on its way back to the shopper.",
        _stands("SUCCESS", "succeeded", sent=_AT, bank_reference="ARN74537604221"),
    ),
    EventKind(
        "refund.updated",
        "refund.updated",
        "refund",
        "The bank has given its reference for a refund that went back.",
        _stands("SUCCESS", "succeeded", sent=_AT, bank_reference="ARN74537604221"),
    ),
    EventKind(
        "refund.failed",
        "refund.failed",
        "refund",
        "The money could not be sent back, or came back from the bank.",
        _stands("FAILED", "failed", failure_code="declined"),
    ),
    EventKind(
        "refund.cancelled",
        "refund.cancelled",
        "refund",
        "A refund was taken back before it left.",
        _stands("CANCELLED", "cancelled"),
    ),
    EventKind(
        "anomaly.opened",
        "anomaly.opened",
        "anomaly",
        "Money came that fits no open order; it is set aside.",
    ),
    EventKind(
        "anomaly.refunding",
        "anomaly.refunding",
        "anomaly",
        "Money set aside is to go back to the shopper.",
        _stands("REFUNDING"),
    ),
    EventKind(
        "anomaly.refunded",
        "anomaly.refunded",
        "anomaly",
        "Money set aside went back to the shopper.",
        _stands("REFUNDED", closed=_AT),
    ),
    EventKind(
        "anomaly.applying",
        "anomaly.applying",
        "anomaly",
        "Money set aside is to pay another order.",
        _stands("APPLYING", order=f"ord_{_ID}"),
    ),
    EventKind(
        "anomaly.applied",
        "anomaly.applied",
        "anomaly",
        "Money set aside paid another order.",
        _stands("APPLIED", order=f"ord_{_ID}", closed=_AT),
    ),
    EventKind(
        "anomaly.accepted",
        "anomaly.accepted",
        "anomaly",
        "Money set aside was kept as it came.",
        _stands("ACCEPTED", closed=_AT),
    ),
    EventKind(
        "anomaly.reopened",
        "anomaly.reopened",
        "anomaly",
        "What was decided about money set aside could not be done; it waits again.",
    ),
    EventKind(
        "endpoint.disabled",
        "endpoint.disabled",
        "webhook_endpoint",
        "A webhook endpoint was switched off, by a person or because nothing arrived there.",
    ),
)

#: By the name of the fact.
EVENTS: Final[Mapping[str, EventKind]] = {kind.fact: kind for kind in _ALL}
#: By the name outside.
BY_NAME: Final[Mapping[str, EventKind]] = {kind.name: kind for kind in _ALL}
NAMES: Final = frozenset(BY_NAME)
