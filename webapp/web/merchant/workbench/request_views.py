"""What the pages about API requests show: a list by filters, and one with both its sides."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import g, request, url_for

from webapp import accounts, api_log
from webapp.api_log import ApiRequest, RequestFilter
from webapp.kernel.errors import NotFound
from webapp.web.merchant.lists import Chip, address, asked_page, live_address, older_newer
from webapp.web.merchant.workbench.delivery_views import indented, subject_href
from webapp.web.merchant.workbench.guide_words import A_KEY
from webapp.web.shared.guards import settings
from webapp.web.shared.pills import Pill

#: What leaves out reads, with which programs that wait for events fill the log.
BUT_READS = "but-GET"
METHODS = {
    "": "All",
    BUT_READS: "All but GET",
    "GET": "GET",
    "POST": "POST",
    "PATCH": "PATCH",
    "PUT": "PUT",
    "DELETE": "DELETE",
}
OUTCOMES: dict[str, tuple[str, bool | None]] = {
    "": ("All", None),
    "fine": ("Answered", False),
    "failed": ("Refused or failed", True),
}
LABELS = {
    "method": "Method",
    "path": "Path",
    "status": "Status",
    "key": "Key",
    "code": "Error code",
    "object": "Object",
    "outcome": "Outcome",
}
MAX_TEXT = 200
#: How the addresses of the API begin; a path may be typed without it.
ROOT = "/api/v1/"
FIRST_FAULT, FIRST_REFUSAL = 500, 400


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request in the list."""

    id: str
    href: str
    method: str
    path: str
    pill: Pill
    error_code: str | None
    is_replay: bool
    duration_ms: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class RequestList:
    """A page of requests with the filters in force."""

    asked: Mapping[str, str]
    rows: Sequence[RequestLine]
    chips: Sequence[Chip]
    keys: Sequence[tuple[str, str]]
    clear_href: str
    live_url: str
    newer: str | None
    older: str | None


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One request for its page: what was asked and answered, and how to ask it again."""

    line: RequestLine
    query: str
    version: str
    key_name: str | None
    key_href: str | None
    is_by_hand: bool
    idempotency_key: str | None
    object_id: str | None
    object_href: str | None
    request_body: str
    response_body: str
    curl: str


def request_list() -> RequestList:
    """Return a page of the merchant's requests that the address selects, newest first."""
    asked = _asked(request.args)
    page = api_log.requests_of(
        g.merchant.id, livemode=g.merchant.livemode, asked=_filter(asked), page=asked_page()
    )
    older, newer = older_newer("merchant.request_rows", asked, page)
    keys = accounts.keys_of(g.merchant.id, livemode=g.merchant.livemode)
    return RequestList(
        asked=asked,
        rows=[request_line(one) for one in page.rows],
        chips=_chips(asked),
        keys=[("", "All"), *((key.id, f"{key.name} {key.shown}") for key in keys)],
        clear_href=url_for("merchant.request_rows"),
        live_url=live_address("merchant.request_rows_live", asked),
        newer=newer,
        older=older,
    )


def request_page(request_id: str) -> RequestPage:
    """Return one of the merchant's requests for its page; raises NotFound."""
    found = api_log.request_of(g.merchant.id, request_id)
    key_name, key_href = _key(found.key_id)
    return RequestPage(
        line=request_line(found),
        query=found.query,
        version=found.version,
        key_name=key_name,
        key_href=key_href,
        is_by_hand=found.is_by_hand,
        idempotency_key=found.idempotency_key,
        object_id=found.object_id,
        object_href=subject_href(found.object_id) if found.object_id else None,
        request_body=indented(found.request_body),
        response_body=indented(found.response_body),
        curl=as_curl(found, settings().public_url),
    )


def request_line(found: ApiRequest) -> RequestLine:
    """Return a request as lists show it."""
    return RequestLine(
        id=found.id,
        href=url_for("merchant.request_row", request_id=found.id),
        method=found.method,
        path=found.path,
        pill=status_pill(found.status),
        error_code=found.error_code,
        is_replay=found.is_replay,
        duration_ms=found.duration_ms,
        at=found.at,
    )


def status_pill(status: int) -> Pill:
    """Return an HTTP status as a pill: only what was done is green."""
    if status >= FIRST_FAULT:
        return Pill(str(status), "danger", "x")
    if status >= FIRST_REFUSAL:
        return Pill(str(status), "warning", "triangle-alert")
    return Pill(str(status), "success", "check")


def as_curl(found: ApiRequest, portal: str) -> str:
    """Return a request as a line for a shell; the key is a placeholder, and what is masked too.

    Brackets in the address mean themselves (`-g`).
    """
    target = f"{portal}{found.path}" + (f"?{found.query}" if found.query else "")
    parts = ["curl", "-g", "-X", found.method, shlex.quote(target)]
    parts += ["-H", '"Authorization: Bearer $PAYDECK_API_KEY"']
    parts += ["-H", shlex.quote(f"Paydeck-Version: {found.version}")]
    if found.idempotency_key:
        parts += ["-H", f'"Idempotency-Key: {A_KEY}"']
    if found.request_body:
        parts += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(found.request_body)]
    return " ".join(parts)


def _asked(args: Mapping[str, str]) -> dict[str, str]:
    found = {name: args.get(name, "").strip()[:MAX_TEXT] for name in LABELS}
    if found["method"] not in METHODS:
        found["method"] = ""
    if found["outcome"] not in OUTCOMES:
        found["outcome"] = ""
    if not re.fullmatch(r"[1-5][0-9]{2}", found["status"]):
        found["status"] = ""
    if found["path"] and not found["path"].startswith("/"):
        found["path"] = f"{ROOT}{found['path']}"
    return found


def _filter(asked: Mapping[str, str]) -> RequestFilter:
    return RequestFilter(
        method=None if asked["method"] in {"", BUT_READS} else asked["method"],
        but_reads=asked["method"] == BUT_READS,
        path=asked["path"] or None,
        status=int(asked["status"]) if asked["status"] else None,
        has_failed=OUTCOMES[asked["outcome"]][1],
        key_id=asked["key"] or None,
        error_code=asked["code"] or None,
        object_id=asked["object"] or None,
    )


def _chips(asked: Mapping[str, str]) -> list[Chip]:
    found = []
    for name, label in LABELS.items():
        if value := asked[name]:
            shown = _shown(name, value)
            away = address("merchant.request_rows", asked, **{name: None})
            found.append(Chip(label, shown, away))
    return found


def _shown(name: str, value: str) -> str:
    if name == "outcome":
        return OUTCOMES[value][0]
    if name == "method":
        return METHODS[value]
    return (_key(value)[0] or value) if name == "key" else value


def _key(key_id: str | None) -> tuple[str | None, str | None]:
    if key_id is None:
        return None, None
    try:
        key = accounts.key_of(g.merchant.id, key_id)
    except NotFound:
        return key_id, None
    return f"{key.name} {key.shown}", url_for("merchant.key", key_id=key.id)
