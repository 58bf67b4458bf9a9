"""How a payment is shown: the object of events, the next step, and what its bank calls it.

Beside our own names stand those of an older contract (payment_id, amount_paisa, gateway_response):
programs written for it read the same answers.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from webapp import payments, webhooks
from webapp.api.caller import caller
from webapp.api.expanding import Expandable
from webapp.api.models import Thing
from webapp.payments import Attempt

PAISE = "INR"
_RRN = re.compile(r"[0-9]{12}")

Status = Literal[
    "PENDING",
    "REQUIRES_ACTION",
    "PROCESSING",
    "SUCCESS",
    "FAILED",
    "EXPIRED",
    "CANCELLED",
    "PARTIALLY_REFUNDED",
    "REFUNDED",
]
#: Finer than that, as our own machine of states calls them.
State = Literal[
    "created",
    "awaiting_method",
    "requires_action",
    "processing",
    "authorised",
    "captured",
    "failed",
    "expired",
    "cancelled",
]


class UsedMethod(BaseModel):
    """How a payment is paid, as far as it may be shown."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"kind": "card", "label": "Visa •••• 4242"}

    kind: str
    label: str | None


class NextAction(BaseModel):
    """What is to be done for the payment to go on."""

    type: Literal["redirect_to_url"]
    url: str = Field(description="Where to send the shopper.")


class GatewayResponse(BaseModel):
    """What the bank and the network call the money, where the provider tells it."""

    rrn: str | None = Field(description="Retrieval reference number: 12 digits.")
    approval_code: str | None = Field(description="The bank’s approval: 6 digits.")


def _example() -> dict[str, Any]:
    seen = webhooks.BY_NAME["payment.success"].example
    return {
        **seen,
        "next_action": None,
        "payment_id": seen["id"],
        "amount_paisa": seen["amount"],
        "fees_paisa": seen["fee"],
        "external_txn_id": "ch_1P0a2b3c4d",
        "gateway_response": {"rrn": "403112345678", "approval_code": "123456"},
        "created_at": "2026-11-21T09:30:00Z",
        "processed_at": "2026-11-21T09:30:00Z",
    }


class Payment(Thing):
    """One intention to pay one order."""

    EXAMPLE: ClassVar[dict[str, Any]] = _example()

    object: Literal["payment"]
    status: Status
    amount: int = Field(description="Whole minor units.")
    currency: str
    state: State = Field(description="Finer than status: authorised waits to be captured.")
    amount_authorised: int
    amount_captured: int
    amount_refunded: int
    amount_refundable: int
    fee: int
    order: Expandable
    customer: Expandable | None
    checkout_session: Expandable | None
    payment_method: UsedMethod | None
    attempts: int
    decline_code: str | None
    failure_reason: str | None
    cancellation_reason: str | None
    capture_before: int | None
    captured_at: int | None
    next_action: NextAction | None
    refunds: dict[str, Any] | None = Field(None, description="A list, where it is expanded.")
    payment_id: str = Field(description="The same as id.")
    amount_paisa: int | None = Field(description="The amount where it is in INR.")
    fees_paisa: int | None = Field(description="The fee where it is in INR.")
    external_txn_id: str | None = Field(description="The provider’s id of the charge.")
    gateway_response: GatewayResponse
    created_at: str = Field(description="ISO 8601, UTC.")
    processed_at: str | None = Field(description="When it ended; ISO 8601, UTC.")
    checkout_url: str | None = Field(
        None, description="Where the shopper can pay; told once, by the call that opened it."
    )
    payment_url: str | None = Field(None, description="A UPI link; simulated in test mode.")
    qr_code: str | None = Field(None, description="The UPI link as a PNG data address.")
    expires_at: str | None = Field(None, description="When the link ends; ISO 8601, UTC.")


def payment_shown(payment: payments.Payment) -> dict[str, Any]:
    """Return one payment as the API shows it."""
    return payments_shown([payment])[0]


def payments_shown(found: Sequence[payments.Payment]) -> list[dict[str, Any]]:
    """Return payments as the API shows them to who calls, with one look at their tries."""
    last = payments.latest_attempts([payment.id for payment in found])
    shown = [_shown(payment, last) for payment in found]
    return [_for_shopper(one) for one in shown] if caller().merchant_id is None else shown


def iso(moment: dt.datetime | None) -> str | None:
    """Return a moment in whole seconds of UTC, such as 2026-11-21T09:30:00Z."""
    return None if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _shown(payment: payments.Payment, last: Mapping[str, Attempt]) -> dict[str, Any]:
    attempt = last.get(payment.id)
    is_paise = payment.currency == PAISE
    return {
        **webhooks.payload_of("payment", payment.snapshot()),
        "next_action": _next_action(payment, attempt),
        "payment_id": payment.id,
        "amount_paisa": payment.amount_minor if is_paise else None,
        "fees_paisa": payment.fee_minor if is_paise else None,
        "external_txn_id": attempt.charge_id if attempt else None,
        "gateway_response": _bank_names(attempt),
        "created_at": iso(payment.created_at),
        "processed_at": iso(payment.captured_at or payment.finished_at),
    }


def _for_shopper(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what a shopper may know: the bank’s reasons, fees and notes are the merchant’s own."""
    code = shown["decline_code"]
    return {
        **shown,
        "metadata": {},
        "fee": 0,
        "fees_paisa": None,
        "decline_code": None,
        "failure_reason": payments.advice_on(code).shopper_says if code else None,
        "cancellation_reason": None,
    }


def _next_action(payment: payments.Payment, attempt: Attempt | None) -> dict[str, str] | None:
    if payment.status != payments.Status.REQUIRES_ACTION or attempt is None:
        return None
    url = attempt.next_url
    return {"type": "redirect_to_url", "url": url} if url else None


def _bank_names(attempt: Attempt | None) -> dict[str, str | None]:
    """Return what the bank calls it; a network's own kind of name is no RRN."""
    reference = attempt.network_reference if attempt else None
    is_rrn = reference is not None and _RRN.fullmatch(reference)
    return {
        "rrn": reference if is_rrn else None,
        "approval_code": attempt.approval_code if attempt else None,
    }
