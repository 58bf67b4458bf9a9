"""Keyset pages: newest first by id, never an OFFSET; the cursor is an opaque text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, TypeVarTuple

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from webapp.kernel.errors import Invalid

MAX_LIMIT = 100
T = TypeVar("T")
Ts = TypeVarTuple("Ts")
KeyColumn: TypeAlias = InstrumentedAttribute[str]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of rows, newest first; `older` and `newer` are cursors or None at an end."""

    rows: Sequence[T]
    older: str | None
    newer: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What part of a list is asked for: at most one of `before` and `after` (ids) is set."""

    limit: int = 25
    before: str | None = None
    after: str | None = None


def page_request(*, older: str | None, newer: str | None, limit: int = 25) -> PageRequest:
    """Read cursors as they came in a URL; raises Invalid when one is not ours."""
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(f"A page has 1 to {MAX_LIMIT} rows.", param="limit")
    return PageRequest(
        limit=limit,
        before=_decode(older, "older") if older else None,
        after=_decode(newer, "newer") if newer else None,
    )


def one_page(wanted: Select[*Ts], key: KeyColumn, asked: PageRequest) -> Select[*Ts]:
    """Return `wanted` bounded and ordered by its unique, sortable `key`: one page and a row more.

    What is fetched goes to `page_of` with the same request.
    """
    if asked.after:
        wanted = wanted.where(key > asked.after)
    if asked.before:
        wanted = wanted.where(key < asked.before)
    ordered = wanted.order_by(key if asked.after else key.desc())
    return ordered.limit(asked.limit + 1)


def page_of(rows: Sequence[T], asked: PageRequest, key: Callable[[T], str]) -> Page[T]:
    """Make a page of up to `limit + 1` rows fetched in the direction that was asked for.

    Rows come newest first, or oldest first where `asked.after` is set.
    """
    more = len(rows) > asked.limit
    kept = list(rows[: asked.limit])
    if asked.after:
        kept.reverse()
    if not kept:
        return Page(rows=(), older=None, newer=None)
    older = more if not asked.after else True
    newer = more if asked.after else asked.before is not None
    return Page(
        rows=tuple(kept),
        older=encode(key(kept[-1])) if older else None,
        newer=encode(key(kept[0])) if newer else None,
    )


def encode(position: str) -> str:
    """Return the cursor for a row's key."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def _decode(cursor: str, param: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError) as wrong:
        raise Invalid("That page address is not one of ours.", param=param) from wrong
    if not text or not text.replace("_", "").isalnum():
        raise Invalid("That page address is not one of ours.", param=param)
    return text
