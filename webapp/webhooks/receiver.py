"""The demo's own receiver: it keeps what came, checks the signature, and answers as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from webapp.kernel import clock, db, ids, wake
from webapp.webhooks import signing
from webapp.webhooks.errors import EndpointNotFound
from webapp.webhooks.models import Endpoint, Receipt
from webapp.webhooks.states import Answer

#: A receiver that is told to be slow takes longer than we wait for anybody.
SLOW_SECONDS: Final = 11.0
KEPT: Final = 500
_WHOSE = text("SELECT merchant_id, livemode FROM webhook_receiver(:endpoint)")
_FORGET = text(
    """
    DELETE FROM webhook_receipt WHERE id IN (
      SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY endpoint_id ORDER BY id DESC)
                        AS place FROM webhook_receipt) AS counted WHERE place > :kept)
    """
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the receiver answers, after how long."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    after_seconds: float = 0.0


#: What it answers, told to answer 200, to a message whose signature does not fit.
REFUSAL: Final = Reply(400)
REPLIES: Final[Mapping[Answer, Reply]] = {
    Answer.OK: Reply(200),
    Answer.TRUSTING: Reply(200),
    Answer.ERROR: Reply(500),
    Answer.BUSY: Reply(503, {"Retry-After": "20"}),
    Answer.GONE: Reply(410),
    Answer.MOVED: Reply(302, {"Location": "/"}),
    Answer.SLOW: Reply(200, after_seconds=SLOW_SECONDS),
}


def receive(endpoint_id: str, headers: Mapping[str, str], body: str) -> Reply:
    """Keep what came for a built-in endpoint and return what to answer; raises EndpointNotFound."""
    with db.scoped(db.NOBODY):
        whose = db.session.execute(_WHOSE, {"endpoint": endpoint_id}).first()
    if whose is None:
        raise EndpointNotFound
    with db.transaction(db.Scope(merchant_id=whose.merchant_id, livemode=whose.livemode)):
        endpoint = db.session.get_one(Endpoint, endpoint_id, populate_existing=True)
        told = Answer(endpoint.receiver_answer or Answer.OK)
        is_signed = _is_signed(endpoint, headers, body)
        reply = REFUSAL if told is Answer.OK and not is_signed else REPLIES[told]
        wake.look("webhook_receipt", whose.merchant_id, livemode=whose.livemode)
        db.session.add(
            Receipt(
                id=ids.new("webhook_receipt"),
                endpoint_id=endpoint_id,
                merchant_id=whose.merchant_id,
                livemode=whose.livemode,
                webhook_id=headers.get("webhook-id", "")[:100],
                at=clock.now(),
                answered=reply.status,
                is_signed=is_signed,
                headers=dict(headers),
                body=body.replace("\x00", "\N{REPLACEMENT CHARACTER}"),
            )
        )
    return reply


def forget_old() -> None:
    """Forget what the built-in receivers got, but for the last 500 of each; a chore."""
    with db.transaction(db.WORKER):
        db.session.execute(_FORGET, {"kept": KEPT})


def _is_signed(endpoint: Endpoint, headers: Mapping[str, str], body: str) -> bool:
    key = signing.key_of(signing.secret_of(endpoint))
    try:
        Webhook(key).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True
