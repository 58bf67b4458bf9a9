"""What the API refuses by itself, and the one envelope in which every refusal is told."""

from __future__ import annotations

import json
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from webapp import accounts, idempotency, webhooks
from webapp.config import Settings
from webapp.kernel import db, errors

RETRY_SECONDS = 2
_log = structlog.get_logger(__name__)


class CredentialsMissing(errors.Forbidden):
    """The request names nobody (401)."""

    code = "credentials_missing"
    says = "Say who asks: send Authorization: Bearer with an API key or an access token."


class CredentialsWrong(errors.Forbidden):
    """The key or token is not one that works: unknown, ended or revoked (401)."""

    code = "credentials_wrong"
    says = "This key or token does not work: it is unknown, has ended or was revoked."


class ScopeMissing(errors.Forbidden):
    """The key is known and may not do this."""

    code = "scope_missing"
    says = "This key may not do that. Use one with the scope that the operation asks for."


class RoleMissing(errors.Forbidden):
    """The person is known and may not do this."""

    code = "role_missing"
    says = "Your role does not allow that."


class MerchantNotNamed(errors.Invalid):
    """A person works for merchants and did not say for which one."""

    code = "merchant_not_named"
    says = "Say for which merchant: send its id in the header Paydeck-Merchant."


class ModeNotConnected(errors.Forbidden):
    """The key is of the mode in which this installation is not connected to a provider."""

    code = "mode_not_connected"
    says = "This installation is not connected to a payment provider in the mode of that key."


class VersionUnknown(errors.Invalid):
    """No version of the API has that date."""

    code = "version_unknown"
    says = "There is no version of the API with that date. Leave Paydeck-Version out, or mend it."


class BodyUnreadable(errors.Invalid):
    """The body is not one JSON object of readable text."""

    code = "body_unreadable"
    says = "The body is not a JSON object that can be read."


class BodyNotJson(errors.Invalid):
    """The body has another media type than JSON (415)."""

    code = "body_not_json"
    says = "Send the body as JSON, with Content-Type: application/json."


class ParameterMissing(errors.Invalid):
    """A field that is needed was not given; `param` names it."""

    code = "parameter_missing"
    says = "This field is needed."


class ParameterUnknown(errors.Invalid):
    """There is no field of that name here."""

    code = "parameter_unknown"
    says = "There is no field of that name here. Check how it is spelt."


class ParameterInvalid(errors.Invalid):
    """A field has a value that it cannot have; `param` names it."""

    code = "parameter_invalid"
    says = "This field has a value that it cannot have."


class CursorUnknown(errors.Invalid):
    """The id after or before which a list shall go on is not in that list."""

    code = "cursor_unknown"
    says = "A list goes on after or before an id that is in it."


class RateLimited(errors.Unavailable):
    """Too many requests in a minute (429)."""

    code = "rate_limited"
    says = "Too many requests in this minute. Wait as long as Retry-After says, then go on."


STATUS: dict[type[errors.Refusal], int] = {
    CredentialsMissing: 401,
    CredentialsWrong: 401,
    BodyNotJson: 415,
    RateLimited: 429,
    accounts.WrongCredentials: 401,
    accounts.RefreshEnded: 401,
    accounts.TooManyTries: 429,
    webhooks.TooManyLookups: 429,
    idempotency.KeyReused: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Forbidden: 403,
    errors.Invalid: 400,
    errors.Declined: 402,
    errors.Unavailable: 503,
}
IDEMPOTENCY_CODES = frozenset(
    kind.code
    for kind in (
        idempotency.KeyInUse,
        idempotency.KeyMalformed,
        idempotency.KeyMissing,
        idempotency.KeyReused,
    )
)
#: Refusals of the protocol, which no room raised: code and sentence.
PROTOCOL: dict[int, tuple[str, str]] = {
    400: ("request_malformed", "This is not a request that can be read."),
    404: ("address_unknown", "There is nothing at this address. Check how it is spelt."),
    405: ("method_not_allowed", "This address does not take that method; Allow says which."),
    408: ("body_too_slow", "The body did not come completely within 10 seconds."),
    413: ("body_too_large", "The body is larger than 256 KB."),
    415: ("body_not_json", BodyNotJson.says),
    500: ("fault", "Something went wrong on our side. Nothing was changed by this request."),
    503: ("unavailable", errors.Unavailable.says),
}


def install(blueprint: Blueprint) -> None:
    """Answer every refusal and fault behind the blueprint in the envelope."""
    blueprint.register_error_handler(errors.Refusal, refused)
    blueprint.register_error_handler(HTTPException, _protocol)
    blueprint.register_error_handler(db.DatabaseError, _database)
    blueprint.register_error_handler(db.NoConnectionFree, _exhausted)
    blueprint.register_error_handler(500, _fault)


def status_of(refusal: errors.Refusal) -> int:
    """Return the HTTP status of a refusal, by its class or its kind."""
    return status_of_kind(type(refusal))


def status_of_kind(kind: type[errors.Refusal]) -> int:
    """Return the HTTP status of a class of refusals, or of the nearest one above it."""
    return next((STATUS[one] for one in kind.__mro__ if one in STATUS), 500)


def type_of(status: int, code: str) -> str:
    """Return the type of an error, by which programs branch: seven words in all."""
    if code in IDEMPOTENCY_CODES:
        return "idempotency_error"
    by_status = {
        401: "authentication_error",
        402: "card_error",
        403: "permission_error",
        429: "rate_limit_error",
    }
    return by_status.get(status, "api_error" if status >= 500 else "invalid_request_error")  # noqa: PLR2004


def envelope(
    status: int,
    code: str,
    message: str,
    param: str | None = None,
    *,
    decline_code: str | None = None,
) -> dict[str, Any]:
    """Return the one body in which every refusal is told."""
    settings: Settings = current_app.extensions["paydeck_settings"]
    return {
        "error": {
            "type": type_of(status, code),
            "code": code,
            "decline_code": decline_code,
            "message": message,
            "param": param,
            "doc_url": f"{settings.public_url}/docs/errors/{code}",
            "request_id": g.get("request_id", ""),
        }
    }


def refused(refusal: errors.Refusal) -> Response:
    """Answer a refusal."""
    response = _answered(status_of(refusal), refusal.code, told(status_of(refusal), refusal))
    wait = getattr(refusal, "wait_seconds", None)
    if (seconds := getattr(refusal, "retry_after_seconds", wait)) is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


def told(status: int, refusal: errors.Refusal) -> dict[str, Any]:
    """Return the body in which a refusal is told."""
    decline_code = refusal.decline_code if isinstance(refusal, errors.Declined) else None
    return envelope(status, refusal.code, refusal.message, refusal.param, decline_code=decline_code)


def answer(
    status: int, message: str | None, *, code: str | None = None, param: str | None = None
) -> Response:
    """Answer with an error: a room's code and sentence, or the protocol's."""
    own_code, usual = PROTOCOL.get(status, PROTOCOL[400 if status < 500 else 500])  # noqa: PLR2004
    if code is None or code.startswith("http_"):
        code, message = own_code, usual
    return _answered(status, code, envelope(status, code, message or usual, param))


def _answered(status: int, code: str, body: dict[str, Any]) -> Response:
    text = json.dumps(body, ensure_ascii=False)
    response = Response(text, status=status, mimetype="application/json")
    g.error_code = code
    if status == 401:  # noqa: PLR2004 - the challenge belongs to it
        response.headers["WWW-Authenticate"] = 'Bearer realm="Paydeck"'
    if status == 503:  # noqa: PLR2004 - service unavailable
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    if allowed := getattr(request.routing_exception, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _protocol(error: HTTPException) -> Response:
    return answer(error.code or 500, None)


def _database(error: db.DatabaseError) -> Response:
    if db.is_passing(error):
        _log.warning("database_busy", error=type(error.orig).__name__)
        return answer(503, None)
    return _fault(error)


def _exhausted(_error: db.NoConnectionFree) -> Response:
    _log.warning("database_busy", error="NoConnectionFree")
    return answer(503, None)


def _fault(error: BaseException) -> Response:
    cause = getattr(error, "original_exception", None) or error
    _log.error("fault", path=request.path, exc_info=cause)
    return answer(500, None)
