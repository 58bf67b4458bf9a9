"""Stripe through its own SDK: each call, and what each of its answers and errors means to us.

The sandbox speaks the same wire format, so this is also the adapter that meets the sandbox.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, cast, get_args

import stripe
import structlog

from webapp.gateway import stripe_events as events
from webapp.gateway import stripe_reading as reading
from webapp.gateway import stripe_signature as signature
from webapp.gateway.calls import (
    Cancel,
    Capture,
    Confirm,
    CreateIntent,
    CreateSession,
    ExpireSession,
    LookUp,
    LookUpRefund,
    Refund,
)
from webapp.gateway.errors import BadEvent, NeedsPerson, NotOurEvent, Refused
from webapp.gateway.port import CallKey, Event, Outcome, Result
from webapp.gateway.stripe_errors import CardRefused, ask
from webapp.gateway.transport import Transport
from webapp.kernel import clock

Reason: TypeAlias = Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"]
RefundReason: TypeAlias = Literal["duplicate", "fraudulent", "requested_by_customer"]
_log = structlog.get_logger(__name__)
#: The intent is not where the call expects it; where it is, is the answer.
ELSEWHERE = frozenset({"payment_intent_unexpected_state", "charge_already_captured"})
#: What reading a message raises that is signed and shaped as one, and yet says what none says.
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError)
CHARGE_DETAILS = "latest_charge.balance_transaction"
#: Shows the card while the bank still asks the shopper.
METHOD = "payment_method"
_REFUND_REASONS = frozenset(get_args(RefundReason))
REFUNDS_A_PAGE = 100
PAGES_A_LIST = 100
#: How long after its call was planned a payment page may have been opened: while its key lasts.
PAGES_OPEN_WITHIN = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StripeKeys:
    """Where Stripe (or the sandbox) is and how to speak to it; secrets are not printed.

    `webhook_secrets` holds two while one is being replaced by the other.
    """

    api_base: str
    secret_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    livemode: bool


def preload() -> tuple[object, ...]:
    """Import what the SDK imports with its first call and answers, ahead of a fork; sends nothing.

    Returns what it loaded; a forked worker would load it anew for each piece of work, in 25 ms.
    """
    StripeProvider(StripeKeys("http://localhost", "sk_test_never_sent", (), livemode=False))
    return (
        *(stripe.BalanceTransaction, stripe.Card, stripe.Charge, stripe.Event, stripe.ListObject),
        *(stripe.PaymentIntent, stripe.PaymentMethod, stripe.StripeError, stripe.checkout.Session),
        *(platform.platform(), platform.uname().processor),  # sent with each call, found by a fork
    )


class StripeProvider:
    """The port, by way of `stripe-python`; it never retries by itself and never makes up a key."""

    name = "stripe"

    def __init__(self, keys: StripeKeys, *, transport: Transport | None = None) -> None:
        self.livemode = keys.livemode
        self._secrets = keys.webhook_secrets
        self._client = stripe.StripeClient(
            keys.secret_key,
            base_addresses={"api": keys.api_base},
            max_network_retries=0,
            http_client=transport or Transport(),
        )

    def create_intent(self, key: CallKey, call: CreateIntent) -> Outcome:
        """Make the PaymentIntent."""
        return self._intent(
            key,
            lambda: self._client.v1.payment_intents.create(
                {
                    "amount": call.amount_minor,
                    "currency": call.currency.lower(),
                    "capture_method": "manual" if call.manual_capture else "automatic",
                    "allowed_payment_method_types": ["card"],
                    "description": call.description,
                    "metadata": _metadata(key, call.order_number),
                },
                {"idempotency_key": key.operation_id},
            ),
        )

    def confirm(self, key: CallKey, call: Confirm) -> Outcome:
        """Charge a method on the server, with the address to come back to after a challenge."""
        return self._intent(
            key,
            lambda: self._client.v1.payment_intents.confirm(
                call.intent_id,
                {
                    "payment_method": call.method_id,
                    "return_url": call.return_url,
                    "expand": [CHARGE_DETAILS, METHOD],
                },
                {"idempotency_key": key.operation_id},
            ),
            intent_id=call.intent_id,
            method_id=call.method_id,
        )

    def capture(self, key: CallKey, call: Capture) -> Outcome:
        """Take held money."""
        params: stripe.params.PaymentIntentCaptureParams = {"expand": [CHARGE_DETAILS]}
        if call.amount_minor is not None:
            params["amount_to_capture"] = call.amount_minor
        return self._intent(
            key,
            lambda: self._client.v1.payment_intents.capture(
                call.intent_id, params, {"idempotency_key": key.operation_id}
            ),
            intent_id=call.intent_id,
        )

    def cancel(self, key: CallKey, call: Cancel) -> Outcome:
        """Give the intent up."""
        return self._intent(
            key,
            lambda: self._client.v1.payment_intents.cancel(
                call.intent_id,
                {"cancellation_reason": _reason(call.because)},
                {"idempotency_key": key.operation_id},
            ),
            intent_id=call.intent_id,
        )

    def create_session(self, key: CallKey, call: CreateSession) -> Outcome:
        """Open the hosted page."""
        metadata = _metadata(key, call.order_number)
        params: stripe.params.checkout.SessionCreateParams = {
            "mode": "payment",
            "allowed_payment_method_types": ["card"],
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": call.currency.lower(),
                        "unit_amount": call.amount_minor,
                        "product_data": {"name": call.description or f"Order #{call.order_number}"},
                    },
                }
            ],
            "payment_intent_data": {
                "capture_method": "manual" if call.manual_capture else "automatic",
                "metadata": {**metadata, "via": reading.VIA_SESSION},
            },
            "client_reference_id": key.subject_id,
            "metadata": metadata,
            "success_url": call.success_url,
            "cancel_url": call.cancel_url,
        }
        if call.expires_at is not None:
            params["expires_at"] = call.expires_at
        made = ask(
            lambda: self._client.v1.checkout.sessions.create(
                params, {"idempotency_key": key.operation_id}
            )
        )
        return _ours(reading.session(made.to_dict()), key)

    def expire_session(self, key: CallKey, call: ExpireSession) -> Outcome:
        """Close the hosted page; where it was closed or paid already, say so instead."""
        try:
            made = ask(
                lambda: self._client.v1.checkout.sessions.expire(
                    call.session_id, {}, {"idempotency_key": key.operation_id}
                )
            )
        except Refused:
            stands = self._session(key, call.session_id)
            if stands.result is Result.SESSION_OPEN:
                raise
            return stands
        return _ours(reading.session(made.to_dict()), key)

    def look_up(self, key: CallKey, call: LookUp) -> Outcome:
        """Ask where things stand; raises Refused code `not_found` when there is nothing."""
        if call.intent_id is not None:
            return self._stands(key, call.intent_id)
        if call.session_id is not None:
            return self._session(key, call.session_id)
        operation_id = call.operation_id or key.operation_id
        if call.opened_since is not None:
            page = self._opened(key, operation_id, since=call.opened_since)
            if page is not None:
                return page
        return self._search(key, operation_id)

    def refund(self, key: CallKey, call: Refund) -> Outcome:
        """Give money back; the refund carries our refund's id and the operation's."""
        params: stripe.params.RefundCreateParams = {
            "payment_intent": call.intent_id,
            "amount": call.amount_minor,
            "metadata": {"subject": call.refund_id, "operation": key.operation_id},
        }
        if call.reason in _REFUND_REASONS:
            params["reason"] = cast("RefundReason", call.reason)
        made = ask(
            lambda: self._client.v1.refunds.create(params, {"idempotency_key": key.operation_id})
        )
        return _ours(reading.refund(made.to_dict()), key)

    def look_up_refund(self, key: CallKey, call: LookUpRefund) -> Outcome:
        """Ask where a refund stands; raises Refused code `not_found` when there is none."""
        if call.provider_refund_id is not None:
            known = call.provider_refund_id
            found = ask(lambda: self._client.v1.refunds.retrieve(known))
            return _ours(reading.refund(found.to_dict()), key)
        return self._refund_among(key, call)

    def parse_event(self, body: bytes, signature_header: str) -> Event:
        """Read a signed message from its raw bytes; raises BadSignature or BadEvent."""
        now = int(clock.now().timestamp())
        signature.check(body, signature_header, secrets=self._secrets, now=now)
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError) as wrong:
            raise BadEvent from wrong
        if not events.is_event(payload):
            raise BadEvent
        if payload["livemode"] is not self.livemode or payload.get("account"):
            _log.error("event_of_another_account", event_id=payload["id"], kind=payload["type"])
            reason = "other_account" if payload.get("account") else "other_mode"
            raise NotOurEvent(reason, payload)
        try:
            return self.read_event(payload)
        except _UNREADABLE as wrong:
            _log.error("event_not_readable", event_id=payload["id"], kind=payload["type"])
            raise NotOurEvent("unreadable", payload) from wrong

    def read_event(self, payload: Mapping[str, Any]) -> Event:
        """Read a message that was verified before and stored."""
        return events.event(payload)

    def ping(self) -> None:
        """Return when Stripe answers us with our key; raises ProviderError otherwise."""
        ask(self._client.v1.balance.retrieve)

    def _intent(
        self,
        key: CallKey,
        call: Callable[[], stripe.PaymentIntent],
        *,
        intent_id: str = "",
        method_id: str | None = None,
    ) -> Outcome:
        """Make a call on an intent; a decline is an answer, so is an intent that is elsewhere.

        The answer is about `method_id`, where given: the provider may know it by another id.
        """
        try:
            made = ask(call)
        except CardRefused as declined:
            return _ours(_declined(declined.error, intent_id), key, method_id)
        except Refused as refused:
            if refused.code not in ELSEWHERE or not intent_id:
                raise
            stands = self._stands(key, intent_id)
            if stands.result in {Result.CREATED, Result.DECLINED}:
                raise
            return stands
        return _ours(reading.intent(made.to_dict()), key, method_id)

    def _stands(self, key: CallKey, intent_id: str) -> Outcome:
        found = ask(
            lambda: self._client.v1.payment_intents.retrieve(
                intent_id, {"expand": [CHARGE_DETAILS]}
            )
        )
        return _ours(reading.intent(found.to_dict()), key)

    def _session(self, key: CallKey, session_id: str) -> Outcome:
        found = ask(
            lambda: self._client.v1.checkout.sessions.retrieve(
                session_id, {"expand": [f"payment_intent.{CHARGE_DETAILS}"]}
            )
        )
        return _ours(reading.session(found.to_dict()), key)

    def _refund_among(self, key: CallKey, call: LookUpRefund) -> Outcome:
        """Find ours among an intent's refunds: all pages, as one payment may have many."""
        wanted = call.operation_id or call.refund_id
        every = ask(
            lambda: list(
                self._client.v1.refunds.list(
                    {"payment_intent": call.intent_id, "limit": REFUNDS_A_PAGE}
                ).auto_paging_iter()
            )
        )
        for one in every:
            outcome = reading.refund(one.to_dict())
            if wanted in {outcome.operation_id, outcome.subject_id}:
                return _ours(outcome, key)
        raise Refused("not_found", f"the provider knows no refund of {wanted}")

    def _opened(self, key: CallKey, operation_id: str, *, since: int) -> Outcome | None:
        """Find the page that an operation opened, whose own answer never came, or None."""
        until = since + int(PAGES_OPEN_WITHIN.total_seconds())
        every = ask(
            lambda: list(
                self._client.v1.checkout.sessions.list(
                    {"created": {"gte": since, "lte": until}, "limit": PAGES_A_LIST}
                ).auto_paging_iter()
            )
        )
        for one in every:
            if reading.session(one.to_dict()).operation_id == operation_id:
                return self._session(key, one.id)
        return None

    def _search(self, key: CallKey, operation_id: str) -> Outcome:
        found = ask(
            lambda: self._client.v1.payment_intents.search(
                {
                    "query": f"metadata['operation']:'{operation_id}'",
                    "expand": [f"data.{CHARGE_DETAILS}"],
                    "limit": 1,
                }
            )
        )
        if not found.data:
            raise Refused("not_found", f"the provider knows nothing of {operation_id}")
        return _ours(reading.intent(found.data[0].to_dict()), key)


def _declined(error: Mapping[str, Any], intent_id: str) -> Outcome:
    inside = error.get("payment_intent")
    method = error.get("payment_method")
    known = (
        reading.intent(inside)
        if isinstance(inside, Mapping)
        else Outcome(Result.DECLINED, intent_id=intent_id or None)
    )
    return replace(
        known,
        result=Result.DECLINED,
        decline=reading.decline(error),
        method_id=method["id"] if isinstance(method, Mapping) else known.method_id,
        charge_id=error.get("charge") or known.charge_id,
        card=reading.card_of_decline(error) or known.card,
    )


def _ours(outcome: Outcome, key: CallKey, method_id: str | None = None) -> Outcome:
    """Return the answer under our own operation, having checked that it is about our payment."""
    if outcome.subject_id not in {None, key.subject_id}:
        message = (
            f"{key.operation_id} about {key.subject_id} was answered with {outcome.subject_id}"
        )
        _log.error("answer_about_another_payment", operation=key.operation_id)
        raise NeedsPerson("other_subject", message)
    return replace(
        outcome,
        subject_id=key.subject_id,
        operation_id=key.operation_id,
        method_id=method_id or outcome.method_id,
    )


def _metadata(key: CallKey, order_number: str) -> dict[str, str]:
    return {"subject": key.subject_id, "operation": key.operation_id, "order": order_number}


def _reason(because: str) -> Reason:
    """Return the word that Stripe knows for why an intent is given up."""
    known: tuple[Reason, ...] = get_args(Reason)
    return next((reason for reason in known if reason == because), "abandoned")
