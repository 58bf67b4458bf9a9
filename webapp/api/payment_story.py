"""What happened to a payment: its tries, and its moves from state to state."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from webapp import payments
from webapp.api.caller import caller, needs
from webapp.api.routing import get
from webapp.outbox import Move
from webapp.payments import Attempt

TAG = "Payments"


class PaymentAttempt(BaseModel):
    """One try to pay with one method."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "att_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "object": "payment_attempt",
        "created": 1763717400,
        "payment": "pay_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "number": 1,
        "status": "declined",
        "method": "card",
        "card_brand": "visa",
        "card_last4": "0002",
        "decline_code": "insufficient_funds",
        "failure_reason": "The card has too little money on it.",
        "three_d_secure": None,
        "external_txn_id": "ch_1P0a2b3c4d",
        "ended_at": 1763717402,
    }

    id: str
    object: Literal["payment_attempt"]
    created: int
    payment: str
    number: int
    status: Literal["processing", "awaiting_shopper", "succeeded", "declined", "abandoned"]
    method: str
    card_brand: str | None
    card_last4: str | None
    decline_code: str | None
    failure_reason: str | None
    three_d_secure: str | None
    external_txn_id: str | None = Field(description="The provider’s id of the charge.")
    ended_at: int | None


class PaymentMove(BaseModel):
    """One step of a payment from one state to the next, and who took it."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "mov_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "object": "payment_move",
        "created": 1763717402,
        "payment": "pay_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "version": 3,
        "source": "processing",
        "target": "captured",
        "because": "The money was taken.",
        "by": "provider",
    }

    id: str
    object: Literal["payment_move"]
    created: int
    payment: str
    version: int
    source: str = Field(description="Empty for the first.")
    target: str
    because: str
    by: str = Field(description="The kind of who took it: shopper, provider, api_key, system …")


@get("/payments/<string:payment_id>/attempts", tag=TAG, gives=PaymentAttempt, is_list=True)
@needs(scope="payments:read")
def list_payment_attempts(payment_id: str) -> dict[str, Any]:
    """List the tries of a payment.

    All of them, newest first: ten at most.
    """
    detail = payments.payment_of(caller().merchant, payment_id)
    return _whole(payment_id, "attempts", [_attempt(one) for one in reversed(detail.attempts)])


@get("/payments/<string:payment_id>/timeline", tag=TAG, gives=PaymentMove, is_list=True)
@needs(scope="payments:read")
def list_payment_moves(payment_id: str) -> dict[str, Any]:
    """List the moves of a payment.

    Its whole story, newest first: which state it came to, why, and by whom.
    """
    detail = payments.payment_of(caller().merchant, payment_id)
    return _whole(payment_id, "timeline", [_move(one) for one in reversed(detail.moves)])


def _whole(payment_id: str, part: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    url = f"/api/v1/payments/{payment_id}/{part}"
    return {"object": "list", "data": rows, "has_more": False, "url": url}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    code = attempt.decline_code
    return {
        "id": attempt.id,
        "object": "payment_attempt",
        "created": int(attempt.started_at.timestamp()),
        "payment": attempt.payment_id,
        "number": attempt.number,
        "status": attempt.status,
        "method": attempt.method_kind,
        "card_brand": attempt.card_brand,
        "card_last4": attempt.card_last4,
        "decline_code": code,
        "failure_reason": payments.advice_on(code).merchant_says if code else None,
        "three_d_secure": attempt.three_d_secure,
        "external_txn_id": attempt.charge_id,
        "ended_at": int(attempt.finished_at.timestamp()) if attempt.finished_at else None,
    }


def _move(move: Move) -> dict[str, Any]:
    return {
        "id": move.id,
        "object": "payment_move",
        "created": int(move.at.timestamp()),
        "payment": move.subject_id,
        "version": move.version,
        "source": move.source,
        "target": move.target,
        "because": move.because,
        "by": move.actor_kind,
    }
