"""The log of requests: what programs asked and were answered, kept for thirty days, masked."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp import accounts, api_log
from webapp.api.caller import caller, needs
from webapp.api.errors import RoleMissing
from webapp.api.lists import after, asked_page, listing, moment
from webapp.api.models import WHOLE_NUMBER, CreatedQuery
from webapp.api.routing import get
from webapp.api_log import ApiRequest, RequestFilter

TAG = "Requests"
AN_ID = "01KAJ8Z5V0W3N7Q2R4S6T8X9YB"
SEE = "see_api_log"
_SHOWN: dict[str, Any] = {
    "id": f"req_{AN_ID}",
    "object": "request",
    "created": 1_763_717_400,
    "livemode": False,
    "method": "POST",
    "path": "/api/v1/orders",
    "query": "",
    "status": 201,
    "duration_ms": 31,
    "error_code": None,
    "about": f"ord_{AN_ID}",
    "api_key": f"key_{AN_ID}",
    "user": None,
    "idempotency_key": "order-7731",
    "is_replay": False,
    "api_version": accounts.API_VERSION,
}


class LoggedRequest(BaseModel):
    """One request and how it was answered."""

    model_config = ConfigDict(extra="forbid", title="Request")
    EXAMPLE: ClassVar[dict[str, Any]] = _SHOWN

    id: str
    object: Literal["request"]
    created: int = Field(description="Unix time in seconds.")
    livemode: bool
    method: str
    path: str
    query: str
    status: int
    duration_ms: int
    error_code: str | None
    about: str | None = Field(description="The id of the object that was answered.")
    api_key: str | None
    user: str | None
    idempotency_key: str | None
    is_replay: bool
    api_version: str


class RequestDetail(LoggedRequest):
    """A request with its bodies, as far as they may be kept: secrets and people are masked."""

    model_config = ConfigDict(extra="forbid", title="RequestDetail")
    EXAMPLE: ClassVar[dict[str, Any]] = _SHOWN | {
        "request_body": '{"amount":50000,"currency":"INR"}',
        "response_body": '{"id":"ord_01KAJ8Z5V0W3N7Q2R4S6T8X9YB","object":"order"}',
    }

    request_body: str = Field(description="JSON as text, at most 8 KB.")
    response_body: str = Field(description="JSON as text, at most 8 KB.")


class RequestQuery(CreatedQuery):
    """Filters of requests."""

    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"] | None = None
    path: str | None = Field(None, max_length=512, description="How the address begins.")
    status: Annotated[int, Field(ge=100, le=599), WHOLE_NUMBER] | None = None
    api_key: str | None = Field(None, max_length=64)
    about: str | None = Field(None, max_length=64, description="The id of an object.")
    idempotency_key: str | None = Field(None, max_length=255)


@get("/requests", tag=TAG, gives=LoggedRequest, is_list=True)
@needs(scope="requests:read")
def list_requests(query: RequestQuery) -> dict[str, Any]:
    """List requests.

    Newest first. With `ending_before` come those next after a request, so that a program that
    keeps the last id can follow the log.
    """
    _may_see()
    who = caller()
    page = asked_page(query, lambda sent: api_log.request_of(who.merchant, sent))
    asked = RequestFilter(
        method=query.method,
        path=query.path,
        status=query.status,
        key_id=query.api_key,
        object_id=query.about,
        idempotency_key=query.idempotency_key,
        since=moment(query.created_gte),
        until=after(query.created_lte),
    )
    found = api_log.requests_of(who.merchant, livemode=who.livemode, asked=asked, page=page)
    return listing(found, shown)


@get("/requests/<string:request_id>", tag=TAG, gives=RequestDetail)
@needs(scope="requests:read")
def get_request(request_id: str) -> dict[str, Any]:
    """Get a request.

    With what was sent and answered; secrets, cards and people are masked.
    """
    _may_see()
    one = api_log.request_of(caller().merchant, request_id)
    return {**shown(one), "request_body": one.request_body, "response_body": one.response_body}


def shown(one: ApiRequest) -> dict[str, Any]:
    """Return a request as the API shows it."""
    return {
        "id": one.id,
        "object": "request",
        "created": int(one.at.timestamp()),
        "livemode": one.livemode,
        "method": one.method,
        "path": one.path,
        "query": one.query,
        "status": one.status,
        "duration_ms": one.duration_ms,
        "error_code": one.error_code,
        "about": one.object_id,
        "api_key": one.key_id,
        "user": one.user_id,
        "idempotency_key": one.idempotency_key,
        "is_replay": one.is_replay,
        "api_version": one.version,
    }


def _may_see() -> None:
    """Refuse members whose role does not see the log; a key's scope has been asked for already."""
    who = caller()
    if who.person is None:
        return
    if reason := accounts.why_not_at_merchant(who.person, who.merchant, SEE):
        raise RoleMissing(reason)
