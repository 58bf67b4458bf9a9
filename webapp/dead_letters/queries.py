"""Reads of the one list of what gave up; for admins, who alone see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, text

from webapp.dead_letters.errors import LetterNotFound
from webapp.dead_letters.models import Letter, LetterKind
from webapp.kernel import db
from webapp.kernel.paging import Page, PageRequest, page_of

_LETTERS = """
SELECT * FROM (
  SELECT letter.*, to_char(began_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') || '_' || kind
    || '_' || regexp_replace(id, '[^A-Za-z0-9_]', '', 'g') AS place
  FROM dead_letter AS letter) AS placed
"""
_FILTER = """
WHERE (CAST(:kind AS text) IS NULL OR kind = :kind)
  AND (CAST(:before AS text) IS NULL OR place < :before)
  AND (CAST(:after AS text) IS NULL OR place > :after)
"""
_NEWEST_FIRST = text(f"{_LETTERS} {_FILTER} ORDER BY place DESC LIMIT :limit")
_OLDEST_FIRST = text(f"{_LETTERS} {_FILTER} ORDER BY place LIMIT :limit")
_ONE = text(f"{_LETTERS} WHERE kind = :kind AND id = :id")
_LIKE = text(
    f"{_LETTERS} WHERE kind = :kind AND what = :what AND reason = :reason"
    " ORDER BY place LIMIT :limit"
)
_COUNT_LIKE = text(
    "SELECT count(*) FROM dead_letter WHERE kind = :kind AND what = :what AND reason = :reason"
)
_COUNTS = text("SELECT kind, count(*) FROM dead_letter GROUP BY kind")


def listed(kind: LetterKind | None = None, *, page: PageRequest) -> Page[Letter]:
    """Return a page of what gave up, what began last first."""
    params = {
        "kind": kind.value if kind else None,
        "before": page.before,
        "after": page.after,
        "limit": page.limit + 1,
    }
    rows = _letters(_OLDEST_FIRST if page.after else _NEWEST_FIRST, params)
    return page_of(rows, page, lambda one: one.place)


def letter(kind: LetterKind, letter_id: str) -> Letter:
    """Return one letter; raises LetterNotFound."""
    found = _letters(_ONE, {"kind": kind.value, "id": letter_id})
    if not found:
        raise LetterNotFound
    return found[0]


def letters_like(one: Letter, *, at_most: int) -> list[Letter]:
    """Return the letters that are like one, itself among them, the oldest first."""
    return _letters(_LIKE, _likeness(one) | {"limit": at_most})


def how_many_like(one: Letter) -> int:
    """Return how many letters are like one, itself among them."""
    return int(db.session.scalar(_COUNT_LIKE, _likeness(one)) or 0)


def counts() -> dict[LetterKind, int]:
    """Return how many letters there are of each kind, 0 where there is none."""
    found = {row[0]: int(row[1]) for row in db.session.execute(_COUNTS)}
    return {kind: found.get(kind.value, 0) for kind in LetterKind}


def _likeness(one: Letter) -> dict[str, Any]:
    return {"kind": one.kind.value, "what": one.what, "reason": one.reason}


def _letters(statement: Any, params: Mapping[str, Any]) -> list[Letter]:
    return [_letter(row) for row in db.session.execute(statement, params).mappings()]


def _letter(row: RowMapping) -> Letter:
    return Letter(
        kind=LetterKind(row["kind"]),
        id=row["id"],
        what=row["what"],
        reason=row["reason"],
        error=row["error"] or "",
        about_id=row["subject_id"],
        merchant_id=row["merchant_id"],
        livemode=row["livemode"],
        tries=row["tries"],
        began_at=row["began_at"],
        place=row["place"],
    )
