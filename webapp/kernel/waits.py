"""What waits for its moment: read with the soonest first, and brought nearer by the test clock.

Time itself is never moved. The rooms say what of theirs waits and in which columns; the database’s
clock alone is compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, Update, func, select

from webapp.kernel import db

#: So many of one kind come nearer at once, the soonest first.
MOST = 10_000
#: The shortest time that a column of moments tells.
INSTANT = dt.timedelta(microseconds=1)
#: One moment for all rows of a statement, so that what comes due together keeps its order.
NOW: ColumnElement[dt.datetime] = select(func.clock_now(type_=db.Moment)).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of what waits, and what happens at its moment, in a sentence."""

    name: str
    then: str


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that waits; `about` is the id of the object whose page tells of it."""

    kind: Kind
    id: str
    at: dt.datetime
    about: str
    label: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of a kind wait and when the next one's moment comes; the soonest of them."""

    kind: Kind
    count: int
    next_at: dt.datetime | None
    soonest: Sequence[Wait]


def ahead(at: SQLColumnExpression[dt.datetime | None]) -> ColumnElement[bool]:
    """Return the condition that a moment is still to come."""
    return at > NOW


def nearer(
    at: SQLColumnExpression[dt.datetime | None],
    by: dt.timedelta,
    *,
    after: SQLColumnExpression[dt.datetime] | None = None,
) -> SQLColumnExpression[dt.datetime | None]:
    """Return a moment that much earlier, no earlier than now, and where asked `after` another."""
    floor = () if after is None else (after + INSTANT,)
    return func.greatest(at - by, NOW, *floor)


def read(
    kind: Kind, rows: Select[*tuple[Any, ...]], *, limit: int, label: Callable[..., str]
) -> Waiting:
    """Return what waits of a kind, at most `limit` of it by name.

    `rows` selects columns named id, at and about, and then what `label` is called with.
    """
    found = rows.subquery()
    count, next_at = db.session.execute(select(func.count(), func.min(found.c.at))).one()
    wanted = select(found).order_by(found.c.at, found.c.id).limit(limit)
    soonest = [
        Wait(kind, row.id, row.at, row.about, label(*row[3:]))
        for row in (db.session.execute(wanted) if limit and count else ())
    ]
    return Waiting(kind, count, next_at, soonest)


def soonest(rows: Select[str], *, of: type[db.Base] | None = None) -> Select[str]:
    """Return the ids of what shall come nearer, in order, locked (in one table) and not too many.

    They are found once, before anything is changed: a plain subquery may be asked again and again.
    """
    found = rows.limit(MOST).with_for_update(of=of).cte("soonest")
    return select(found.c.id)


def moved(change: Update) -> int:
    """Make a change (a step); returns how many rows it changed."""
    db.assert_transaction()
    done = db.session.execute(change, execution_options={"synchronize_session": "fetch"})
    return int(done.rowcount)  # type: ignore[attr-defined]
