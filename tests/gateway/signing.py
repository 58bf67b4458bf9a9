"""Messages as the provider signs them."""

from __future__ import annotations

import json
import time
from itertools import count
from typing import Any

import stripe

from tests.provider_process import WEBHOOK_SECRET

_numbers = count(1)


def signature(body: bytes, *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    """Sign with the provider's own library."""
    moment = int(time.time() if at is None else at)
    header: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, moment)
    return header


def an_event(kind: str = "payment_intent.succeeded", **changes: Any) -> dict[str, Any]:
    """Return an event as the provider sends them, about a payment intent of ours."""
    subject = changes.pop("subject", "pay_01")
    thing = {
        "id": "pi_1",
        "object": "payment_intent",
        "status": "succeeded",
        "amount": 1000,
        "amount_received": 1000,
        "amount_capturable": 0,
        "currency": "inr",
        "client_secret": "pi_1_secret_abc",
        "receipt_email": "ada@example.com",
        "latest_charge": "ch_1",
        "payment_method": "pm_1",
        "metadata": {"subject": subject, "operation": "op_made", "order": "1042"},
        "last_payment_error": None,
        "next_action": None,
    }
    thing |= changes.pop("object", {})
    return {
        "id": f"evt_{next(_numbers)}",
        "object": "event",
        "type": kind,
        "api_version": stripe.api_version,
        "created": int(time.time()),
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": "req_1", "idempotency_key": None},
        "data": {"object": thing},
        **changes,
    }


def raw(event: dict[str, Any]) -> bytes:
    """Return an event's bytes."""
    return json.dumps(event, indent=2).encode()
