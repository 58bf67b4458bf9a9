"""What can go wrong, as exceptions: one class for each type of the API's one envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PaydeckError(Exception):
    """Whatever this client raises."""


class ConnectionFailed(PaydeckError):
    """No answer came. What was sent with an idempotency key can be sent again with the same."""


class AnswerUnreadable(PaydeckError):
    """What answered is not Paydeck’s API: a redirect, or no JSON."""


class SignatureWrong(PaydeckError):
    """A webhook’s headers do not prove that Paydeck sent this body just now."""


class APIError(PaydeckError):
    """A refusal by the API; also the class of type `api_error`, a fault on its side.

    `code` is stable; `param` names the field that is wrong; `retry_after` is in seconds.
    """

    def __init__(self, status: int, told: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.status = status
        self.type: str = told.get("type") or "api_error"
        self.code: str = told.get("code") or f"http_{status}"
        self.message: str = told.get("message") or f"The API answered {status}."
        self.param: str | None = told.get("param")
        self.decline_code: str | None = told.get("decline_code")
        self.doc_url: str | None = told.get("doc_url")
        self.request_id: str | None = told.get("request_id") or headers.get("Request-Id")
        self.retry_after = _seconds(headers.get("Retry-After"))
        where = f" (param {self.param})" if self.param else ""
        super().__init__(f"{self.message}{where} [{self.code}, {self.request_id}]")


class InvalidRequest(APIError):
    """The request cannot be done as it is: see `code` and `param`."""


class NotFound(InvalidRequest):
    """There is no such object, or it is somebody else’s (404)."""


class CardRefused(APIError):
    """A bank, a limit or a balance refused; no money has moved. See `decline_code`."""


class IdempotencyRefused(APIError):
    """The idempotency key is malformed, in use, or was used for another request."""


class NotAuthenticated(APIError):
    """The key or token does not work."""


class NotPermitted(APIError):
    """The key or token may not do this."""


class RateLimited(APIError):
    """Too many requests; `retry_after` says when to go on."""


_BY_TYPE: dict[str, type[APIError]] = {
    "invalid_request_error": InvalidRequest,
    "card_error": CardRefused,
    "idempotency_error": IdempotencyRefused,
    "authentication_error": NotAuthenticated,
    "permission_error": NotPermitted,
    "rate_limit_error": RateLimited,
}
_NOT_FOUND = 404


def error_of(status: int, body: object, headers: Mapping[str, str]) -> APIError:
    """Return the exception for an answer of 400 or more, whatever its body is."""
    told = body.get("error") if isinstance(body, dict) else None
    known = told if isinstance(told, dict) else {}
    kind = _BY_TYPE.get(str(known.get("type")), APIError)
    if kind is InvalidRequest and status == _NOT_FOUND:
        kind = NotFound
    return kind(status, known, headers)


def _seconds(told: str | None) -> float | None:
    """Read a Retry-After in seconds; the API tells no dates."""
    return float(told) if told and told.isascii() and told.isdigit() else None
