"""Reads of what was asked, newest first; scope first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, select

from webapp.api_log.errors import RequestNotFound
from webapp.api_log.models import ApiRequest
from webapp.kernel import db
from webapp.kernel.paging import Page, PageRequest, one_page, page_of

FIRST_FAILURE = 400


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """What part of a merchant's requests is asked for; `path` is how the address begins.

    `by_programs` leaves out what people asked, by their tokens or in the explorer; `but_reads`
    leaves out GET.
    """

    method: str | None = None
    path: str | None = None
    status: int | None = None
    has_failed: bool | None = None
    key_id: str | None = None
    error_code: str | None = None
    object_id: str | None = None
    idempotency_key: str | None = None
    is_replay: bool | None = None
    by_programs: bool = False
    but_reads: bool = False
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def requests_of(
    merchant_id: str, *, livemode: bool, asked: RequestFilter, page: PageRequest
) -> Page[ApiRequest]:
    """Return a page of a merchant's requests, newest first."""
    wanted = select(ApiRequest).where(
        ApiRequest.merchant_id == merchant_id, ApiRequest.livemode == livemode
    )
    exact = ("method", "status", "key_id", "error_code", "object_id", "idempotency_key")
    for name in (*exact, "is_replay"):
        if (value := getattr(asked, name)) is not None:
            wanted = wanted.where(getattr(ApiRequest, name) == value)
    if asked.but_reads:
        wanted = wanted.where(ApiRequest.method != "GET")
    wanted = _bounded(wanted, asked)
    rows = db.session.scalars(one_page(wanted, ApiRequest.id, page)).all()
    return page_of(rows, page, key=lambda one: one.id)


def request_of(merchant_id: str, request_id: str) -> ApiRequest:
    """Return one request of a merchant; raises RequestNotFound for any other."""
    wanted = select(ApiRequest).where(
        ApiRequest.merchant_id == merchant_id, ApiRequest.id == request_id
    )
    found = db.session.scalar(wanted)
    if found is None:
        raise RequestNotFound
    return found


def _bounded(wanted: Select[ApiRequest], asked: RequestFilter) -> Select[ApiRequest]:
    if asked.path:
        wanted = wanted.where(ApiRequest.path.startswith(asked.path, autoescape=True))
    if asked.has_failed is not None:
        failed = ApiRequest.status >= FIRST_FAILURE
        wanted = wanted.where(failed if asked.has_failed else ~failed)
    if asked.by_programs:
        wanted = wanted.where(ApiRequest.key_id.is_not(None), ~ApiRequest.is_by_hand)
    if asked.since:
        wanted = wanted.where(ApiRequest.at >= asked.since)
    if asked.until:
        wanted = wanted.where(ApiRequest.at <= asked.until)
    return wanted
