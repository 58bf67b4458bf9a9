"""The door's one guard: who calls, may they, and for whom the database is asked."""

from __future__ import annotations

from flask import Response, g, request

from webapp.api import cors, errors, limits, request_log, versions
from webapp.api.caller import Caller, admit, identify, scope_of
from webapp.api.errors import CredentialsWrong, VersionUnknown
from webapp.api.routing import BLUEPRINTS, operation_here
from webapp.kernel import db

DOCUMENT = "api.openapi_json"


def pass_by_key() -> None:
    """Let pass whom the operation asks for; the portal's own cookies open nothing here."""
    g.person, g.merchant = None, None
    if request.method == "OPTIONS":
        return  # a browser's question before the request itself, which carries no credential
    g.caller = _counted()
    operation = operation_here()
    if operation is not None:
        g.caller = admit(g.caller, operation.needs, request.method)
        db.use_scope(scope_of(g.caller))


def _counted() -> Caller:
    """Return who calls, counted against their limit; who is not read counts by the address."""
    try:
        who = identify()
    except (CredentialsWrong, VersionUnknown):
        limits.count(None)
        raise
    limits.count(who)
    return who


def sign(response: Response) -> Response:
    """Put on every answer which request it answers, and in which version."""
    who = g.get("caller")
    response.headers["Request-Id"] = g.get("request_id", "")
    response.headers[versions.HEADER] = who.version if who else versions.NEWEST
    return response


def answer_elsewhere(
    status: int, message: str | None, *, code: str | None = None, param: str | None = None
) -> Response:
    """Answer below the API's addresses where no operation is, in the envelope of all others."""
    return sign(errors.answer(status, message, code=code, param=param))


for door in BLUEPRINTS:
    errors.install(door)
    door.before_request(request_log.begin)
    door.before_request(pass_by_key)
    door.after_request(request_log.keep_afterwards)
    door.after_request(limits.tell)
    door.after_request(cors.allow)
    door.after_request(sign)
