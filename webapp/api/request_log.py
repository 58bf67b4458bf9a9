"""Keeps each request of a known caller once it has been answered; never fails one, never delays it.

The row is written when the server has sent the answer. Where that cannot be done (the database is
away), the request is left out of the log and told as a warning.
"""

from __future__ import annotations

import re
import time

import structlog
from flask import Flask, Response, current_app, g, request

from webapp import api_log
from webapp.api.caller import Caller, scope_of
from webapp.kernel import db, log

LOGGED_BODY = 64 * 1024
#: Where passwords and tokens are sent: nothing of a body is kept, whatever its fields are called.
UNKEPT = ("/api/v1/auth/", "/api/v1/users/me/password")
#: What browsers say of a request by a page of this portal: the explorer’s, no program’s.
OF_OUR_PAGES = "same-origin"
#: How a part of an address looks that tells nothing secret: plain words, a version, one of our ids.
PLAIN_PART = re.compile(
    r"([A-Za-z]{1,16}[._-]){0,5}[A-Za-z]{0,16}|v[0-9]{1,2}|[a-z]{2,6}_[0-9A-HJKMNP-TV-Z]{26}"
)
_log = structlog.get_logger(__name__)


def begin() -> None:
    """Note when the request came in."""
    g.began = time.monotonic()


def keep_afterwards(response: Response) -> Response:
    """Have the request kept once its answer has been sent."""
    who: Caller | None = g.get("caller")
    if who is None or (who.merchant_id is None and who.user_id is None):
        return response
    asked, told = _asked(who), _told(response)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001
    response.call_on_close(lambda: _keep(app, scope_of(who), asked, told))
    return response


def _asked(who: Caller) -> api_log.Asked:
    return api_log.Asked(
        id=g.request_id,
        livemode=who.livemode,
        merchant_id=who.merchant_id,
        key_id=who.key_id,
        user_id=who.user_id,
        method=request.method,
        path=_shown_path(),
        query=request.query_string[:LOGGED_BODY].decode("latin-1"),
        body=_sent_body(),
        version=who.version,
        idempotency_key=_cleaned(g.get("idempotency_key"), 255),
        is_by_hand=request.headers.get("Sec-Fetch-Site") == OF_OUR_PAGES,
    )


def _shown_path() -> str:
    """Return the path as it may be kept; where nothing is at it, what may be a token is hidden."""
    cleaned = _cleaned(request.path, 512) or ""
    if request.url_rule is not None:
        return cleaned
    parts = cleaned.split("/")
    return "/".join(part if PLAIN_PART.fullmatch(part) else log.HIDDEN for part in parts)[:512]


def _sent_body() -> bytes:
    """Return the body where a view has read it and it may be kept, else nothing."""
    if request.path.startswith(UNKEPT):
        return b""
    read: bytes | None = getattr(request, "_cached_data", None)
    return (read or b"")[:LOGGED_BODY]


def _told(response: Response) -> api_log.Told:
    return api_log.Told(
        status=response.status_code,
        body=response.get_data()[:LOGGED_BODY],
        duration_ms=int((time.monotonic() - g.began) * 1000),
        error_code=g.get("error_code"),
        object_id=_cleaned(_object_id(), 64),
        is_replay=g.get("is_replay", False),
    )


def _object_id() -> str | None:
    """Return what the request was about: what was made, or what its address names."""
    made = g.get("object_id")
    if isinstance(made, str):
        return made
    return next((one for one in g.get("path_ids", {}).values()), None)


def _cleaned(told: str | None, longest: int) -> str | None:
    """Return so much of a text without its secrets; what is not kept is not read through."""
    return None if told is None else log.clean_text(told[: 2 * longest])[:longest]


def _keep(app: Flask, scope: db.Scope, asked: api_log.Asked, told: api_log.Told) -> None:
    with app.app_context():
        try:
            with db.scoped(scope):
                api_log.note(asked, told)
        except (db.DatabaseFault, db.NoConnectionFree) as fault:
            _log.warning("request_not_kept", request_id=asked.id, error=type(fault).__name__)
