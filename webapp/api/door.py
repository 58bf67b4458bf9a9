"""The door's one guard: who calls, may they, and for whom the database is asked."""

from __future__ import annotations

from flask import Response, g, request

from webapp.api import errors, request_log, versions
from webapp.api.caller import admit, identify, scope_of
from webapp.api.routing import BLUEPRINTS, operation_here
from webapp.kernel import db

DOCUMENT = "api.openapi_json"


def pass_by_key() -> None:
    """Let pass whom the operation asks for; the portal's own cookies open nothing here."""
    g.person, g.merchant = None, None
    operation = operation_here()
    who = identify()
    g.caller = who
    if operation is not None:
        g.caller = admit(who, operation.needs, request.method)
        db.use_scope(scope_of(g.caller))


def sign(response: Response) -> Response:
    """Put on every answer which request it answers, and in which version."""
    who = g.get("caller")
    response.headers["Request-Id"] = g.get("request_id", "")
    response.headers[versions.HEADER] = who.version if who else versions.NEWEST
    return response


for door in BLUEPRINTS:
    errors.install(door)
    door.before_request(request_log.begin)
    door.before_request(pass_by_key)
    door.after_request(request_log.keep_afterwards)
    door.after_request(sign)
