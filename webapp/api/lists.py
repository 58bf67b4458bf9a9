"""Lists as the API gives them: newest first, by ids before and after, bounded and filtered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

from flask import request

from webapp.api.errors import CursorUnknown, ParameterInvalid
from webapp.api.models import ListQuery
from webapp.kernel.errors import NotFound
from webapp.kernel.paging import Page, PageRequest

T = TypeVar("T")


def asked_page(query: ListQuery, find: Callable[[str], object]) -> PageRequest:
    """Return what page is asked for; `find` returns None or raises NotFound for an unknown id.

    Raises CursorUnknown naming the parameter: another's id is as unknown as one that never was.
    """
    if query.starting_after is not None and query.ending_before is not None:
        raise ParameterInvalid(
            "Send starting_after or ending_before, not both.", param="ending_before"
        )
    for name in ("starting_after", "ending_before"):
        sent = getattr(query, name)
        if sent is not None and not _is_known(sent, find):
            raise CursorUnknown(param=name)
    return PageRequest(limit=query.limit, before=query.starting_after, after=query.ending_before)


def listing(page: Page[T], shape: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """Return a page as a list object; `has_more` speaks of the direction that was asked for."""
    more = page.newer if "ending_before" in request.args else page.older
    return {
        "object": "list",
        "data": [shape(row) for row in page.rows],
        "has_more": more is not None,
        "url": request.path,
    }


def moment(epoch: int | None) -> dt.datetime | None:
    """Return the moment of a Unix time in seconds."""
    return None if epoch is None else dt.datetime.fromtimestamp(epoch, dt.UTC)


def after(epoch: int | None) -> dt.datetime | None:
    """Return the first moment after a second of Unix time, for bounds that leave it out."""
    return moment(None if epoch is None else epoch + 1)


def _is_known(sent: str, find: Callable[[str], object]) -> bool:
    try:
        return find(sent) is not None
    except NotFound:
        return False
