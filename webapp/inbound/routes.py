"""One address: the provider's signed messages come in and are kept."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.gateway import BadEvent, BadSignature, inbox
from webapp.kernel import db

BODY_LIMIT = 256 * 1024
blueprint = Blueprint("inbound", __name__, url_prefix="/inbound")
_log = structlog.get_logger(__name__)


@blueprint.before_request
def as_nobody() -> None:
    """Act for no merchant and no person: the signature in the message is the only credential."""
    db.use_scope(db.NOBODY)
    request.max_content_length = BODY_LIMIT


@blueprint.post("/stripe")
def stripe() -> Response:
    """Keep a message whose signature is right: 200, new or not. Anything else: 400, nothing kept.

    The answer does not wait for what follows from the message, so the provider never does.
    """
    try:
        body = request.get_data(cache=False, parse_form_data=False)
        received = inbox.receive(body, request.headers.get("Stripe-Signature", ""))
    except (BadSignature, BadEvent) as refusal:
        _log.warning("message_refused", reason=refusal.code, size=request.content_length)
        return _refused(refusal.code, refusal.message, 400)
    except RequestEntityTooLarge:
        _log.warning("message_refused", reason="too_long", size=request.content_length)
        return _refused("too_long", f"A message has at most {BODY_LIMIT} bytes.", 413)
    return jsonify({"received": True, "new": received.is_new})


def _refused(code: str, message: str, status: int) -> Response:
    answer = jsonify({"error": {"code": code, "message": message}})
    answer.status_code = status
    return answer
