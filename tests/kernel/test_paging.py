"""Pages go there and back without losing or repeating a row, and foreign cursors are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kernel.errors import Invalid
from webapp.kernel.paging import MAX_LIMIT, Page, PageRequest, encode, page_of, page_request


def fetched(rows: list[str], asked: PageRequest) -> Page[str]:
    """Return a page of ids as a query would: newest first, or from `after` on, oldest first."""
    if asked.after:
        found = sorted(row for row in rows if row > asked.after)
    else:
        found = sorted((r for r in rows if not asked.before or r < asked.before), reverse=True)
    return page_of(found[: asked.limit + 1], asked, key=lambda row: row)


@given(st.integers(0, 40), st.integers(1, 12))
def test_all_rows_come_once_there_and_once_back(number: int, limit: int) -> None:
    rows = [f"pay_{place:03d}" for place in range(number)]
    page = fetched(rows, page_request(older=None, newer=None, limit=limit))
    assert page.newer is None
    there = [page]
    while page.older:
        page = fetched(rows, page_request(older=page.older, newer=None, limit=limit))
        there.append(page)
    assert [row for one in there for row in one.rows] == sorted(rows, reverse=True)
    back = [page]
    while page.newer:
        page = fetched(rows, page_request(older=None, newer=page.newer, limit=limit))
        back.append(page)
    assert [one.rows for one in back] == [one.rows for one in reversed(there)]


def test_an_empty_list_has_no_ends() -> None:
    assert fetched([], PageRequest()) == Page(rows=(), older=None, newer=None)


def test_rows_that_came_meanwhile_do_not_move_the_older_pages() -> None:
    rows = [f"pay_{place}" for place in range(6)]
    first = fetched(rows, PageRequest(limit=2))
    later = [*rows, "pay_9"]
    second = fetched(later, page_request(older=first.older, newer=None, limit=2))
    assert list(second.rows) == ["pay_3", "pay_2"]


@pytest.mark.parametrize(
    "cursor",
    ["x", "====", "!!!!", "a" * 5, "%00", encode("pay 1"), encode("pay_1'; --"), encode("\x00"),
     encode("<script>"), "é", encode("pay_1") + "!", "\ud800"],
)  # fmt: skip
@pytest.mark.parametrize("way", ["older", "newer"])
def test_a_cursor_that_is_not_ours_is_refused_by_its_name(cursor: str, way: str) -> None:
    older, newer = (cursor, None) if way == "older" else (None, cursor)
    with pytest.raises(Invalid) as refused:
        page_request(older=older, newer=newer)
    assert refused.value.param == way


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_a_page_has_a_sensible_length(limit: int) -> None:
    with pytest.raises(Invalid) as refused:
        page_request(older=None, newer=None, limit=limit)
    assert refused.value.param == "limit"


@given(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=1, max_size=40))
def test_every_id_survives_its_cursor(tail: str) -> None:
    assert page_request(older=encode(f"pay_{tail}"), newer=None).before == f"pay_{tail}"
