"""Stripe's messages: which are events, which carry news, and what the news is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from webapp.gateway import stripe_reading as reading
from webapp.gateway.port import Event, Outcome

MAX_ID = 255
_INTENT_NEWS = frozenset(
    f"payment_intent.{kind}"
    for kind in (
        "processing",
        "requires_action",
        "succeeded",
        "payment_failed",
        "canceled",
        "amount_capturable_updated",
    )
)
_CHARGE_NEWS = frozenset({"charge.succeeded", "charge.captured"})
_REFUND_NEWS = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
)
_SESSION_NEWS = frozenset(
    f"checkout.session.{kind}" for kind in ("completed", "expired", "async_payment_succeeded")
)


def event(payload: Mapping[str, Any]) -> Event:
    """Read one message; where one of our calls caused it, its outcome names that operation."""
    thing = payload["data"]["object"]
    outcome = _news(payload["type"], thing)
    asked_by = (payload.get("request") or {}).get("idempotency_key") or ""
    if outcome is not None and asked_by.startswith("op_"):
        outcome = replace(outcome, operation_id=asked_by)
    return Event(
        id=payload["id"],
        kind=payload["type"],
        object_id=thing.get("id") or "",
        subject_id=outcome.subject_id if outcome else None,
        livemode=payload["livemode"],
        occurred_at=dt.datetime.fromtimestamp(payload["created"], dt.UTC),
        payload=payload,
        outcome=outcome,
    )


def _news(kind: str, thing: Mapping[str, Any]) -> Outcome | None:
    if kind in _INTENT_NEWS:
        return reading.intent(thing)
    if kind in _CHARGE_NEWS:
        return reading.charge(thing)
    if kind in _SESSION_NEWS:
        return reading.session(thing)
    if kind in _REFUND_NEWS:
        return reading.refund(thing)
    if kind == "charge.refunded":
        return reading.refund_of_charge(thing)
    return None


def is_event(payload: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether this is an event object as Stripe sends them."""
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("id"), str)
        and 0 < len(payload["id"]) <= MAX_ID
        and isinstance(payload.get("type"), str)
        and isinstance(payload.get("livemode"), bool)
        and isinstance(payload.get("created"), int)
        and isinstance(payload.get("data"), dict)
        and isinstance(payload["data"].get("object"), dict)
        and isinstance(payload["data"]["object"].get("id") or "", str)
    )
