"""What lists share: tabs with counts, filters that can be taken off, lasting addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from webapp.kernel import words
from webapp.kernel.paging import Page, PageRequest, page_request

PAGE_ROWS = 25


@dataclass(frozen=True, slots=True)
class Tab:
    """One status tab; `count` is None where it is not counted."""

    label: str
    href: str
    active: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in force, and the address of the list without it."""

    label: str
    value: str
    remove_href: str


def status_tabs(
    endpoint: str,
    kept: Mapping[str, str],
    counts: Mapping[str, int],
    tabs: Mapping[str, tuple[str, tuple[str, ...]]],
    *,
    hidden: Collection[str] = (),
) -> list[Tab]:
    """Return a list's tabs: each name's label and the states it shows; none stand for all.

    They are counted where nothing else filters; `hidden` ones show only while chosen.
    """
    chosen = kept.get("status", "")
    counted = not kept.keys() - {"status"}
    return [
        Tab(
            label,
            address(endpoint, kept, status=name),
            active=name == chosen,
            count=sum(counts.get(state, 0) for state in states or counts) if counted else None,
        )
        for name, (label, states) in tabs.items()
        if name not in hidden or name == chosen
    ]


def chips_of(
    endpoint: str, kept: Mapping[str, str], filters: Iterable[tuple[str, str, str]]
) -> list[Chip]:
    """Return the filters in force as chips, from each one's label, value and parameter."""
    return [
        Chip(label, value, address(endpoint, kept, **{name: None}))
        for label, value, name in filters
        if value
    ]


def day_shown(text: str) -> str:
    """Return a day of an address in words; nothing for none."""
    return words.day_text(dt.date.fromisoformat(text)) if text else ""


def asked_page() -> PageRequest:
    """Return which page the address asks for; raises Invalid for a cursor that is not ours."""
    return page_request(
        older=request.args.get("older"), newer=request.args.get("newer"), limit=PAGE_ROWS
    )


def address(endpoint: str, kept: Mapping[str, str], **changes: str | None) -> str:
    """Return a list's address with the filters `kept`, some changed; None takes one off."""
    merged = {**kept, **changes}
    given: dict[str, Any] = {name: value for name, value in merged.items() if value}
    return url_for(endpoint, **given)


def live_address(endpoint: str, kept: Mapping[str, str]) -> str:
    """Return the address of a list's live part, with the filters and page in force."""
    cursors = {name: request.args.get(name) for name in ("older", "newer")}
    return address(endpoint, kept, **cursors)


def older_newer(
    endpoint: str, kept: Mapping[str, str], page: Page[Any]
) -> tuple[str | None, str | None]:
    """Return the addresses of the pages on both sides, or None at an end."""
    older = address(endpoint, kept, older=page.older) if page.older else None
    newer = address(endpoint, kept, newer=page.newer) if page.newer else None
    return older, newer
