"""Stripe's objects, as plain dicts, read into our own types; pure, so tested as a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeAlias

from webapp.gateway.port import Card, Decline, Outcome, Result
from webapp.kernel.money import EXPONENTS, Money

Thing: TypeAlias = Mapping[str, Any]

#: A PaymentIntent made by a hosted page carries this in its metadata, see `intent`.
VIA_SESSION = "session"
_STANDS: dict[str, Result] = {
    "requires_payment_method": Result.CREATED,
    "requires_confirmation": Result.CREATED,
    "requires_action": Result.REQUIRES_ACTION,
    "processing": Result.PROCESSING,
    "requires_capture": Result.AUTHORISED,
    "succeeded": Result.SUCCEEDED,
    "canceled": Result.CANCELLED,
}


def intent(thing: Thing, *, session_id: str | None = None) -> Outcome:
    """Read a PaymentIntent.

    While the shopper is on the provider's own page, a decline or a challenge there is not ours to
    act upon: it reads as `session_open`, with the decline beside it.
    """
    metadata = _map(thing.get("metadata"))
    error = _map(thing.get("last_payment_error"))
    result = _STANDS[thing["status"]]
    if result is Result.CREATED and error:
        result = Result.DECLINED
    hosted = session_id is not None or metadata.get("via") == VIA_SESSION
    if hosted and result in {Result.CREATED, Result.DECLINED, Result.REQUIRES_ACTION}:
        result = Result.SESSION_OPEN
    # Before success the latest charge is that of an earlier try.
    took = result in {Result.SUCCEEDED, Result.AUTHORISED}
    charge_ = _map(thing.get("latest_charge")) if took else {}
    refusal = error if result in _WITH_DECLINE else {}
    return Outcome(
        result=result,
        intent_id=thing["id"],
        session_id=session_id,
        method_id=_id(error.get("payment_method"))
        if result is Result.DECLINED
        else _id(thing.get("payment_method")),
        amount=_received(thing, result),
        next_url=_next_url(_map(thing.get("next_action"))),
        decline=decline(refusal) if refusal else None,
        card=card(charge_) if took else card_of_decline(refusal) or card_of_method(thing),
        charge_id=_id(thing.get("latest_charge")) if took else refusal.get("charge"),
        three_d_secure=_three_d_secure(charge_),
        provider_fee=_fee(charge_),
        approval_code=_reference(charge_, "authorization_code"),
        network_reference=_reference(charge_, "network_transaction_id"),
        held_until=_held_until(charge_) if result is Result.AUTHORISED else None,
        subject_id=metadata.get("subject"),
        operation_id=metadata.get("operation"),
    )


_WITH_DECLINE = frozenset({Result.DECLINED, Result.SESSION_OPEN})


def charge(thing: Thing) -> Outcome | None:
    """Read a charge as news of its intent, or None where it says nothing that the intent does not.

    Only success is news: it brings the card. A failed charge is told by its PaymentIntent.
    """
    if thing.get("status") != "succeeded" or _id(thing.get("payment_intent")) is None:
        return None
    metadata = _map(thing.get("metadata"))
    is_captured = bool(thing.get("captured"))
    minor = thing.get("amount_captured", thing["amount"]) if is_captured else thing["amount"]
    return Outcome(
        result=Result.SUCCEEDED if is_captured else Result.AUTHORISED,
        intent_id=_id(thing["payment_intent"]),
        method_id=_id(thing.get("payment_method")),
        amount=money(minor, thing["currency"]),
        card=card(thing),
        charge_id=thing["id"],
        three_d_secure=_three_d_secure(thing),
        provider_fee=_fee(thing),
        approval_code=_reference(thing, "authorization_code"),
        network_reference=_reference(thing, "network_transaction_id"),
        held_until=None if is_captured else _held_until(thing),
        subject_id=metadata.get("subject"),
        operation_id=metadata.get("operation"),
    )


def session(thing: Thing) -> Outcome:
    """Read a Checkout Session; its PaymentIntent decides once it is complete and expanded."""
    metadata = _map(thing.get("metadata"))
    inside = thing.get("payment_intent")
    if thing["status"] == "complete" and isinstance(inside, Mapping):
        return intent(inside, session_id=thing["id"])
    result = {
        "open": Result.SESSION_OPEN,
        "expired": Result.SESSION_EXPIRED,
        "complete": Result.SUCCEEDED
        if thing.get("payment_status") == "paid"
        else Result.PROCESSING,
    }[thing["status"]]
    paid = result is Result.SUCCEEDED
    return Outcome(
        result=result,
        intent_id=_id(inside),
        session_id=thing["id"],
        amount=money(thing["amount_total"], thing["currency"]) if paid else None,
        next_url=thing.get("url") if result is Result.SESSION_OPEN else None,
        subject_id=metadata.get("subject"),
        operation_id=metadata.get("operation"),
    )


_REFUND_STANDS: dict[str, Result] = {
    "pending": Result.REFUND_PENDING,
    "requires_action": Result.REFUND_PENDING,
    "succeeded": Result.REFUND_SUCCEEDED,
    "failed": Result.REFUND_FAILED,
    "canceled": Result.REFUND_FAILED,
}


def refund(thing: Thing) -> Outcome:
    """Read a Refund; a cancelled one counts as failed, with that as its reason."""
    metadata = _map(thing.get("metadata"))
    result = _REFUND_STANDS[thing["status"]]
    failed = result is Result.REFUND_FAILED
    return Outcome(
        result=result,
        intent_id=_id(thing.get("payment_intent")),
        charge_id=_id(thing.get("charge")),
        refund_id=thing["id"],
        amount=money(thing["amount"], thing["currency"]),
        bank_reference=_bank_reference(_map(thing.get("destination_details"))),
        failure_code=(thing.get("failure_reason") or thing["status"]) if failed else None,
        subject_id=metadata.get("subject"),
        operation_id=metadata.get("operation"),
    )


def refund_of_charge(thing: Thing) -> Outcome | None:
    """Read the newest refund that a charge shows, or None where it shows none.

    Newer versions of the API leave them out; each refund then tells its own story.
    """
    shown = _map(thing.get("refunds")).get("data")
    return refund(shown[0]) if isinstance(shown, list) and shown else None


def _bank_reference(details: Thing) -> str | None:
    """Return what the bank knows the refund by: an ARN, STAN or RRN, once it is available."""
    reference = _map(details.get(details.get("type") or "card")).get("reference")
    return reference if isinstance(reference, str) and reference else None


def decline(error: Thing) -> Decline:
    """Read an error object of type card_error, or an intent's last_payment_error."""
    return Decline(
        code=error.get("code") or "card_declined",
        decline_code=error.get("decline_code"),
        provider_message=(error.get("message") or "")[:500],
    )


def card(charge_: Thing) -> Card | None:
    """Read what may be shown of the card that a charge used, if it used one."""
    return _card(_map(_map(charge_.get("payment_method_details")).get("card")))


def card_of_decline(error: Thing) -> Card | None:
    """Read the card that was declined from the method in an error object, if it names one."""
    return _card(_map(_map(error.get("payment_method")).get("card")))


def card_of_method(thing: Thing) -> Card | None:
    """Read the card of an intent's method, where the answer shows it whole."""
    return _card(_map(_map(thing.get("payment_method")).get("card")))


def _card(shown: Thing) -> Card | None:
    if not shown.get("last4"):
        return None
    return Card(
        brand=shown.get("brand") or "unknown",
        last4=shown["last4"],
        exp_month=shown.get("exp_month"),
        exp_year=shown.get("exp_year"),
        funding=shown.get("funding"),
        country=shown.get("country"),
        issuer=shown.get("issuer"),
        wallet=_map(shown.get("wallet")).get("type"),
    )


def money(minor: int, currency: str) -> Money | None:
    """Return Stripe's amount; its minor units are ours, for every currency that we take.

    Source: Stripe, "Supported currencies": zero-decimal as ours; ISK and UGX, where it differs,
    are not offered; three-decimal amounts end in 0, which the kernel asks of every payment.
    """
    upper = currency.upper()
    return Money(minor, upper) if upper in EXPONENTS else None


def _received(thing: Thing, result: Result) -> Money | None:
    if result is Result.SUCCEEDED:
        return money(thing["amount_received"], thing["currency"])
    if result is Result.AUTHORISED:
        return money(thing["amount_capturable"], thing["currency"])
    return None


def _next_url(action: Thing) -> str | None:
    """Return where to send the shopper; an action meant for Stripe's script may hold it too."""
    redirect = _map(action.get("redirect_to_url")).get("url")
    scripted = _map(action.get("use_stripe_sdk")).get("stripe_js")
    found = redirect or scripted
    return found if isinstance(found, str) and found.startswith(("https://", "http://")) else None


def _three_d_secure(charge_: Thing) -> str | None:
    shown = _map(_map(charge_.get("payment_method_details")).get("card"))
    return _map(shown.get("three_d_secure")).get("result")


def _reference(charge_: Thing, name: str) -> str | None:
    """Return what the bank or the network calls a charge, where the provider tells it."""
    told = _map(_map(charge_.get("payment_method_details")).get("card")).get(name)
    return told if isinstance(told, str) and told else None


def _held_until(charge_: Thing) -> dt.datetime | None:
    """Return when the bank lets go of what a charge holds, where the provider tells it."""
    told = _map(_map(charge_.get("payment_method_details")).get("card")).get("capture_before")
    return dt.datetime.fromtimestamp(told, tz=dt.UTC) if isinstance(told, int) else None


def _fee(charge_: Thing) -> Money | None:
    line = _map(charge_.get("balance_transaction"))
    return money(line["fee"], line["currency"]) if "fee" in line else None


def _id(value: object) -> str | None:
    """Return the id of a field that holds an id, an expanded object or nothing."""
    if isinstance(value, Mapping):
        return value.get("id")
    return value if isinstance(value, str) else None


def _map(value: object) -> Thing:
    return value if isinstance(value, Mapping) else {}
