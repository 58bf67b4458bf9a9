"""The built-in receiver of webhooks: in the demo it stands in for a merchant's server."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from webapp import webhooks
from webapp.kernel import db

BODY_LIMIT = 256 * 1024
blueprint = Blueprint("receiver", __name__, url_prefix=webhooks.RECEIVER_PATH.rstrip("/"))


@blueprint.before_request
def as_nobody() -> None:
    """Act for nobody: the endpoint's id in the address says whose receiver it is."""
    db.use_scope(db.NOBODY)
    request.max_content_length = BODY_LIMIT


@blueprint.post("/<endpoint_id>")
def receive(endpoint_id: str) -> Response:
    """Keep what came and answer as the receiver was told to, perhaps late."""
    try:
        body = request.get_data(cache=False, parse_form_data=False)
    except RequestEntityTooLarge:
        return Response(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        reply = webhooks.receive(endpoint_id, headers, body.decode("utf-8", "replace"))
    except webhooks.EndpointNotFound:
        return Response(status=404)
    db.let_go()
    if reply.after_seconds:
        time.sleep(reply.after_seconds)
    return Response(status=reply.status, headers=dict(reply.headers))
