"""What an object looks like to programs outside: in an event's body and in the API, the same.

Made from what was recorded (`snapshot()` of a row now, or of a fact then), and from nothing else.
Amounts are integer minor units beside an upper-case currency, moments are Unix seconds. A fact
written before a key existed leaves it empty.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from webapp import payments, refunds

Payload = dict[str, Any]
Snapshot = Mapping[str, Any]

#: The dated shapes of payloads, oldest first; an endpoint or a key stays with its own.
VERSIONS: Final = ("2026-11-01",)
NEWEST: Final = VERSIONS[-1]


def payload_of(noun: str, snapshot: Snapshot) -> Payload:
    """Return the object of a `noun` as programs outside see it; raises KeyError for others."""
    return _SHAPES[noun](snapshot)


def changes(before: Payload, after: Payload) -> Payload:
    """Return what the keys whose values are others now were before."""
    return {key: was for key, was in before.items() if after.get(key) != was}


def epoch(moment: str | None) -> int | None:
    """Return a recorded moment (ISO 8601) in whole Unix seconds."""
    return int(dt.datetime.fromisoformat(moment).timestamp()) if moment else None


def _frame(noun: str, seen: Snapshot, *, born: str = "created") -> Payload:
    return {
        "id": seen["id"],
        "object": noun,
        "created": epoch(seen.get(born) or seen.get("at")),
        "livemode": bool(seen.get("livemode")),
        "metadata": dict(seen.get("metadata") or {}),
        "status": seen["status"],
    }


def _price(seen: Snapshot) -> Payload:
    return {"amount": seen["amount"], "currency": seen["currency"].upper()}


def _order(seen: Snapshot) -> Payload:
    return {
        **_frame("order", seen),
        **_price(seen),
        "number": seen["number"],
        "kind": seen["kind"],
        "description": seen.get("description") or "",
        "customer": seen.get("customer"),
        "capture": seen.get("capture", "automatic"),
        "payment_link": seen.get("payment_link"),
        "completed_at": epoch(seen.get("completed")),
    }


def _payment_link(seen: Snapshot) -> Payload:
    return {
        **_frame("payment_link", seen),
        **_price(seen),
        "description": seen["description"],
        "max_payments": seen["max_payments"],
        "ends_at": epoch(seen["ends"]),
        "ended_at": epoch(seen["ended"]),
    }


def _checkout_session(seen: Snapshot) -> Payload:
    return {
        **_frame("checkout_session", seen),
        "order": seen["order"],
        "expires_at": epoch(seen["expires"]),
        "closed_at": epoch(seen.get("closed")),
    }


def _payment(seen: Snapshot) -> Payload:
    code = seen.get("decline_code")
    return {
        **_frame("payment", seen),
        **_price(seen),
        "state": seen["state"],
        "amount_authorised": seen.get("authorised", 0),
        "amount_captured": seen["captured"],
        "amount_refunded": seen.get("refunded", 0),
        "amount_refundable": seen["captured"] - seen.get("refund_reserved", 0),
        "fee": seen["fee"],
        "order": seen["order"],
        "customer": seen.get("customer"),
        "checkout_session": seen.get("checkout_session"),
        "payment_method": _method(seen),
        "attempts": seen.get("attempts", 0),
        "decline_code": code,
        "failure_reason": payments.advice_on(code).merchant_says if code else None,
        "cancellation_reason": seen.get("cancel_reason"),
        "capture_before": epoch(seen.get("capture_before")),
        "captured_at": epoch(seen.get("captured_at")),
    }


def _method(seen: Snapshot) -> Payload | None:
    if not seen.get("method"):
        return None
    return {"kind": seen["method"], "label": seen.get("method_label")}


def _refund(seen: Snapshot) -> Payload:
    code = seen.get("failure_code")
    return {
        **_frame("refund", seen),
        **_price(seen),
        "state": seen["state"],
        "payment": seen["payment"],
        "anomaly": seen.get("anomaly"),
        "reason": seen["reason"],
        "destination": seen["destination"],
        "target_order": seen.get("target_order"),
        "bank_reference": seen.get("bank_reference"),
        "failure_code": code,
        "failure_reason": refunds.advice_on(code).says if code else None,
        "expected_by": seen.get("expected_by"),
        "sent_at": epoch(seen.get("sent")),
    }


def _anomaly(seen: Snapshot) -> Payload:
    return {
        **_frame("anomaly", seen, born="at"),
        **_price(seen),
        "kind": seen["kind"],
        "payment": seen["payment"],
        "order": seen.get("order"),
        "closed_at": epoch(seen.get("closed")),
    }


def _wallet(seen: Snapshot) -> Payload:
    return {
        **_frame("wallet", seen, born="created_at"),
        "user": seen["user_id"],
        "currency": seen["currency"].upper(),
    }


def _wallet_transfer(seen: Snapshot) -> Payload:
    return {
        **_frame("wallet_transfer", seen, born="created_at"),
        **_price(seen),
        "sender": seen["sender"],
        "recipient": seen["recipient"],
    }


def _merchant(seen: Snapshot) -> Payload:
    return {
        **_frame("merchant", seen, born="created_at"),
        "name": seen["name"],
        "country": seen["country"],
        "default_currency": seen["default_currency"],
    }


def _user(seen: Snapshot) -> Payload:
    return _frame("user", seen, born="created_at")


def _webhook_endpoint(seen: Snapshot) -> Payload:
    return {
        **_frame("webhook_endpoint", seen),
        "url": seen["url"],
        "events": list(seen["events"]),
        "description": seen["description"],
        "api_version": seen["api_version"],
        "disabled_reason": seen.get("disabled_reason"),
    }


_SHAPES: Final[Mapping[str, Callable[[Snapshot], Payload]]] = {
    "order": _order,
    "payment_link": _payment_link,
    "checkout_session": _checkout_session,
    "payment": _payment,
    "refund": _refund,
    "anomaly": _anomaly,
    "wallet": _wallet,
    "wallet_transfer": _wallet_transfer,
    "merchant": _merchant,
    "user": _user,
    "webhook_endpoint": _webhook_endpoint,
}
#: The nouns that `payload_of` knows.
NOUNS: Final = frozenset(_SHAPES)
