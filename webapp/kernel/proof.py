"""Checks that prove a sentence about the data: SQL that finds every row for which it is false."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text

from webapp.kernel import db, ids

EXAMPLES = 20
_COUNTED = "SELECT subject, says, count(*) OVER () AS found FROM ("
_SOME = ") AS wrong (subject, says) LIMIT 20"


@dataclass(frozen=True, slots=True)
class Check:
    """A sentence that must be true, what it is called when it is not, and SQL that looks.

    `sql` gives (id of what is wrong, what is wrong with it). It may bound ids from below by their
    prefix, such as `id >= :tr`: bound to the first id of a moment, or to '' for everything. Where
    that makes it no cheaper, `is_quick` is False and it is not asked every minute.
    """

    name: str
    holds: str
    broken: str
    sql: str
    is_quick: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: its id or name, and how."""

    subject: str
    says: str

    @property
    def line(self) -> str:
        """Both in one line."""
        return f"{self.subject} {self.says}".strip()


@dataclass(frozen=True, slots=True)
class Found:
    """How many things are wrong, and the first 20 of them."""

    count: int
    findings: list[Finding]


NOTHING = Found(0, [])


def look(check: Check, *, since: dt.datetime | None = None) -> Found:
    """Find where a check is false, among what is younger than `since` or among everything."""
    rows = db.session.execute(text(_COUNTED + check.sql + _SOME), bounds(since)).all()
    findings = [Finding(row.subject, row.says) for row in rows]
    return Found(rows[0].found, findings) if rows else NOTHING


def some_of(findings: list[Finding]) -> Found:
    """Return what was found in another way than by SQL."""
    return Found(len(findings), findings[:EXAMPLES])


def bounds(since: dt.datetime | None) -> dict[str, str]:
    """Return for each prefix the first id of the moment `since`, or '' for everything."""
    millis = int(since.timestamp() * 1000) if since else 0
    return {
        prefix: ids.seeded(kind, millis, 0) if since else ""
        for kind, prefix in ids.PREFIXES.items()
    }
