"""The door's one guard: who calls, may they, and for whom the database is asked."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, g, request

from webapp import accounts
from webapp.api import cors, errors, limits, request_log, versions
from webapp.api.caller import MERCHANT_HEADER, Caller, admit, identify, scope_of
from webapp.api.errors import CredentialsWrong, RateLimited, VersionUnknown
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


def count_late(response: Response) -> Response:
    """Count what was refused before its caller was, so that every answer tells of a limit."""
    if request.method == "OPTIONS" or "standing" in g:
        return response
    try:
        limits.count(None)
    except RateLimited as refusal:
        return errors.refused(refusal)
    return response


def answer_elsewhere(
    status: int, message: str | None, *, code: str | None = None, param: str | None = None
) -> Response:
    """Answer below the API's addresses where no operation is, as all others are answered.

    It counts, and is kept for whoever sent a key or token that works: who misspells an address
    finds it in the log.
    """
    request_log.begin()
    refused = None if request.method == "OPTIONS" else _met_elsewhere()
    response = refused or errors.answer(status, message, code=code, param=param)
    for done in reversed(AFTERWARDS):
        response = done(response)
    return response


def _met_elsewhere() -> Response | None:
    """Learn who asks where no operation is; return the refusal where they ask too often."""
    try:
        who = _counted()
        named = request.headers.get(MERCHANT_HEADER)
        if who.person and named and accounts.role_at(who.person, named) is not None:
            who = replace(who, merchant_id=named)
        g.caller = who
    except RateLimited as refusal:
        return errors.refused(refusal)
    except (CredentialsWrong, VersionUnknown, db.DatabaseFault, db.NoConnectionFree):
        pass  # what is told is that nothing is here, whoever asks
    return None


#: What each answer goes through, the last one first.
AFTERWARDS = (
    request_log.keep_afterwards,
    limits.tell,
    cors.allow,
    sign,
    count_late,
)
for door in BLUEPRINTS:
    errors.install(door)
    door.before_request(request_log.begin)
    door.before_request(pass_by_key)
    for done in AFTERWARDS:
        door.after_request(done)
