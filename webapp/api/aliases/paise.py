"""The calls of an older contract in paise: a payment's refund, and webhooks with a plain secret.

Its payments and their state are at the usual addresses: the objects there carry its names too.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from webapp import payments, webhooks
from webapp.api.caller import caller, needs
from webapp.api.errors import ParameterInvalid
from webapp.api.models import Body, Metadata, Minor, Words
from webapp.api.refunds import Refund, RefundPayment, ask_refund, refund_shown
from webapp.api.routing import Key, post
from webapp.api.webhook_endpoints import (
    Events,
    NewWebhookEndpoint,
    Secret,
    Url,
    look_up_first,
    looked_up,
    shown,
)
from webapp.kernel.errors import Refusal

TAG = "Older contracts"
Reason = Literal["duplicate", "fraudulent", "requested_by_customer", "other"]
#: By which word in somebody's own reason we know ours.
WORDS: dict[str, Reason] = {
    "duplicate": "duplicate",
    "twice": "duplicate",
    "fraud": "fraudulent",
    "customer": "requested_by_customer",
}


class PaisaRefund(Refund):
    """A refund, with the names of the older contract beside ours."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **Refund.EXAMPLE,
        "refund_id": Refund.EXAMPLE["id"],
        "payment_id": Refund.EXAMPLE["payment"],
        "amount_paisa": Refund.EXAMPLE["amount"],
    }

    refund_id: str = Field(description="The same as id.")
    payment_id: str
    amount_paisa: int


class RefundInPaise(Body):
    """How much of a payment in INR goes back, and why in your own words."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "amount_paisa": 5000,
        "reason": "Customer requested refund",
        "metadata": {"refund_request_id": "REF_123"},
    }

    amount_paisa: Minor | None = Field(None, description="All that is left, if left out.")
    reason: Annotated[Words, Field(max_length=500)] = ""
    metadata: Metadata = Field({}, validate_default=False)


class CreateWebhook(Body):
    """A new webhook endpoint; your own secret is taken as it is."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "url": "https://merchant.example/webhook",
        "events": ["payment.success", "payment.failed", "refund.processed"],
        "secret": "webhook_secret_key",
    }

    url: Url
    events: Events
    secret: Secret | None = None


@post("/payments/<string:payment_id>/refund", tag=TAG, gives=PaisaRefund, key=Key.OPTIONAL)
@needs(scope="refunds:write", act="refund", provider=True)
def refund_in_paise(payment_id: str, body: RefundInPaise) -> dict[str, Any]:
    """Refund a payment in paise.

    The reason is kept as it is written, and counted under the nearest of ours. Send an
    Idempotency-Key, so that it can be sent again.
    """
    payment = payments.payment_of(caller().merchant, payment_id).payment
    if payment.currency != "INR":
        raise ParameterInvalid("This payment is not in INR.", param="amount_paisa")
    asked = RefundPayment.model_validate(
        {
            "amount": body.amount_paisa,
            "reason": _nearest(body.reason),
            "note": body.reason,
            "metadata": body.metadata,
        }
    )
    try:
        made = ask_refund(payment_id, asked)
    except Refusal as refused:
        if refused.param == "amount":
            refused.param = "amount_paisa"
        raise
    told = refund_shown(made)
    return {
        **told,
        "refund_id": told["id"],
        "payment_id": payment_id,
        "amount_paisa": told["amount"],
    }


@post(
    "/webhooks",
    tag=TAG,
    gives=NewWebhookEndpoint,
    key=Key.OPTIONAL,
    before=look_up_first,
)
@needs(scope="webhooks:write", act="manage_webhooks")
def create_webhook(body: CreateWebhook) -> dict[str, Any]:
    """Create a webhook.

    The same as POST /api/v1/webhook-endpoints, where it can be changed afterwards.
    """
    who = caller()
    new = webhooks.NewEndpoint(
        url=looked_up(), events=body.events, description="", secret=body.secret, version=None
    )
    made, secret = webhooks.create_endpoint(who.merchant, new, livemode=who.livemode, by=who.actor)
    return {**shown(made), "secret": secret}


def _nearest(reason: str) -> Reason:
    said = reason.lower()
    return next((ours for word, ours in WORDS.items() if word in said), "other")
