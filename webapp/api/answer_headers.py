"""The headers that come with answers, as the OpenAPI document describes them: each one once."""

from __future__ import annotations

from typing import Any

from webapp.api import once, versions
from webapp.api.limits import WINDOW_SECONDS
from webapp.api.routing import Key, Operation

PLACE = "#/components/headers/"
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
UNAUTHORISED, DECLINED, CONFLICT, LIMITED, AWAY = 401, 402, 409, 429, 503


def _header(says: str, schema: dict[str, Any], *, is_always_there: bool = True) -> dict[str, Any]:
    return {"description": says, "required": is_always_there, "schema": schema}


REQUEST_ID = _header(
    "The id of this request, by which the log of requests tells it.",
    {"type": "string", "pattern": "^req_[0-9A-HJKMNP-TV-Z]{26}$"},
)
ORIGINAL = "The Request-Id of the request that was first sent with this Idempotency-Key."
#: By the name of the component: what is said of a header, and whether it is always there.
DESCRIBED: dict[str, dict[str, Any]] = {
    "Request-Id": REQUEST_ID,
    versions.HEADER: _header(
        "The dated version that is answered in.",
        {"type": "string", "enum": list(versions.VERSIONS)},
    ),
    "RateLimit-Limit": _header("How many requests a minute may be sent.", COUNT),
    "RateLimit-Remaining": _header("How many of them are left in this minute.", COUNT),
    "RateLimit-Reset": _header(
        "In how many seconds the next minute begins.",
        {"type": "integer", "minimum": 1, "maximum": WINDOW_SECONDS},
    ),
    "Retry-After": _header("After how many seconds to ask again.", COUNT),
    "Retry-After-At-Times": _header(
        "Sent while the first request with the same Idempotency-Key is running: after how many"
        " seconds to ask again.",
        COUNT,
        is_always_there=False,
    ),
    "WWW-Authenticate": _header("How to say who asks.", TEXT),
    once.REPLAYED: _header(
        "true where this is the answer of an earlier request with the same Idempotency-Key.",
        {"type": "string", "const": "true"},
        is_always_there=False,
    ),
    once.ORIGINAL: _header(ORIGINAL, REQUEST_ID["schema"]),
    f"{once.ORIGINAL}-At-Times": _header(
        f"{ORIGINAL} Sent with what is kept under a key.",
        REQUEST_ID["schema"],
        is_always_there=False,
    ),
    "Content-Disposition": _header("Under which name to save the file.", TEXT),
}
EVERYWHERE = (
    "Request-Id",
    versions.HEADER,
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
)


def of_success(operation: Operation) -> dict[str, Any]:
    """Return the headers of an operation's usual answer, by name."""
    found = _everywhere()
    if operation.key is not Key.NONE:
        found |= _of_kept(always=operation.key is Key.REQUIRED)
    if operation.media != "application/json":
        found |= {"Content-Disposition": _component("Content-Disposition")}
    return found


def of_refusal(status: int, *, is_kept: bool) -> dict[str, Any]:
    """Return the headers of a refusal, by name; `is_kept` where a key answers with it again."""
    found = _everywhere()
    if status == UNAUTHORISED:
        found["WWW-Authenticate"] = _component("WWW-Authenticate")
    if status in {LIMITED, AWAY}:
        found["Retry-After"] = _component("Retry-After")
    if is_kept:
        found |= _of_kept(always=False)
        if status == CONFLICT:
            found["Retry-After"] = _component("Retry-After-At-Times")
    return found


def may_be_kept(operation: Operation, status: int) -> bool:
    """Whether a refusal of this status is kept under a key: what a rule refuses stays refused."""
    return operation.key is not Key.NONE and status in {DECLINED, CONFLICT}


def _everywhere() -> dict[str, Any]:
    return {name: _component(name) for name in EVERYWHERE}


def _of_kept(*, always: bool) -> dict[str, Any]:
    original = once.ORIGINAL if always else f"{once.ORIGINAL}-At-Times"
    return {once.REPLAYED: _component(once.REPLAYED), once.ORIGINAL: _component(original)}


def _component(name: str) -> dict[str, str]:
    return {"$ref": f"{PLACE}{name}"}
