"""Looking: what is due, in turn, each result kept; and everything at once for who waits for it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from webapp import audit, ledger
from webapp.invariants.models import Reach, Result
from webapp.invariants.wall import BY_NAME, INVARIANTS, Invariant
from webapp.kernel import clock, db, wake
from webapp.kernel.errors import NotFound
from webapp.kernel.proof import Found
from webapp.outbox import SYSTEM, Actor

WAKE = "proofs"
EVERY = dt.timedelta(minutes=1)
WINDOW = dt.timedelta(hours=1)
#: Everything is looked at each night at this hour, UTC.
NIGHT = dt.time(2, 30, tzinfo=dt.UTC)
#: Whoever took a look and did not come back is not waited for any longer.
LEASE = dt.timedelta(minutes=10)
_PATIENCE = {
    Reach.HOUR: text("SET LOCAL statement_timeout = '10s'"),
    Reach.ALL: text("SET LOCAL statement_timeout = '10min'"),
}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What the books and every other check say just now."""

    found: list[tuple[Invariant, Found]]
    books: ledger.BooksReport

    @property
    def problems(self) -> list[str]:
        """Everything that is wrong, a line each; no lines mean that all is well."""
        lines = [*self.books.problems]
        for invariant, found in self.found:
            lines += [f"{invariant.broken}: {finding.line}" for finding in found.findings]
            if found.count > len(found.findings):
                lines.append(f"{invariant.broken}: {found.count} in all")
        return lines


def check_everything() -> Report:
    """Look at everything now, reading only.

    Raises BooksUnreadable under the web role, which would see nothing and find nothing wrong.
    """
    books = ledger.check_books()
    of_the_books = {check.name for check in ledger.CHECKS}
    others = [one for one in INVARIANTS if one.name not in of_the_books]
    return Report([(one, _looked(one, Reach.ALL, None)[0]) for one in others], books)


def is_due() -> bool:
    """Whether a check waits to be made; true also before the first one ever."""
    now = clock.now()
    known = _schedule()
    found = any(known.get(key, now) <= now for key in _wanted())
    db.end_reads()
    return found


def run_due(*, seconds: float, clock_seconds: Callable[[], float] = time.monotonic) -> int:
    """Make the checks that are due, one after the other, for so long; returns how many.

    Two may run side by side: each takes another check, and one that dies is replaced in time.
    """
    _add_missing()
    began, made = clock_seconds(), 0
    while clock_seconds() - began < seconds:
        taken = _take()
        if taken is None:
            break
        _make(*taken)
        made += 1
    return made


def run(name: str, reach: Reach) -> Found:
    """Make one check now and keep what it found; raises NotFound for one that is not there."""
    if name not in BY_NAME or (name, reach.value) not in _wanted():
        raise NotFound
    _add_missing()
    return _make(name, reach)


def ask_for_all(*, by: Actor) -> None:
    """Have every check made as soon as a worker is free, because a person wants to see it."""
    with db.transaction():
        db.session.execute(update(Result).values(due_at=clock.now()))
        audit.record("invariants.asked", "invariants", "all", by=by)
        wake.soon(WAKE)


def _make(name: str, reach: Reach) -> Found:
    invariant = BY_NAME[name]
    before = db.session.execute(
        select(Result.red_since).where(Result.name == name, Result.reach == reach.value)
    ).scalar_one_or_none()
    since = None if reach is Reach.ALL else min(before or clock.now(), clock.now()) - WINDOW
    found, milliseconds = _looked(invariant, reach, since)
    _keep(invariant, reach, found, milliseconds)
    return found


def _looked(invariant: Invariant, reach: Reach, since: dt.datetime | None) -> tuple[Found, int]:
    began = time.monotonic()
    with db.transaction() as session:
        session.execute(_PATIENCE[reach])
        found = invariant.find(since)
    return found, round((time.monotonic() - began) * 1000)


def _keep(invariant: Invariant, reach: Reach, found: Found, milliseconds: int) -> None:
    now = clock.now()
    mine = (Result.name == invariant.name, Result.reach == reach.value)
    with db.transaction() as session:
        was = session.execute(select(Result.red_since).where(*mine).with_for_update()).scalar_one()
        red_since = (was or now) if found.count else None
        session.execute(
            update(Result)
            .where(*mine)
            .values(
                due_at=next_look(reach, now),
                ran_at=now,
                milliseconds=milliseconds,
                found=found.count,
                rows=[{"subject": one.subject, "says": one.says} for one in found.findings],
                red_since=red_since,
            )
        )
        if (was is None) != (red_since is None):
            turned = "invariant.turned_red" if red_since else "invariant.turned_green"
            data = {"reach": reach.value, "found": found.count}
            audit.record(turned, "invariant", invariant.name, by=SYSTEM, data=data)
    if found.count:
        examples = [finding.line for finding in found.findings[:3]]
        _log.error(
            "invariant_broken",
            invariant=invariant.name,
            says=invariant.broken,
            reach=reach.value,
            found=found.count,
            examples=examples,
        )


def next_look(reach: Reach, now: dt.datetime) -> dt.datetime:
    """Return when a check is made again: in a minute, or in the next night."""
    if reach is Reach.HOUR:
        return now + EVERY
    tonight = dt.datetime.combine(now.astimezone(dt.UTC).date(), NIGHT)
    return tonight if tonight > now else tonight + dt.timedelta(days=1)


def _take() -> tuple[str, Reach] | None:
    """Take the check that has been due for longest, for as long as a lease lasts."""
    with db.transaction() as session:
        now = clock.now()
        due = (
            select(Result.name, Result.reach)
            .where(Result.due_at <= now, Result.name.in_(BY_NAME))
            .order_by(Result.reach.desc(), Result.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = session.execute(due).one_or_none()
        if row is None:
            return None
        mine = (Result.name == row.name, Result.reach == row.reach)
        session.execute(update(Result).where(*mine).values(due_at=now + LEASE))
        return row.name, Reach(row.reach)


def _add_missing() -> None:
    known = _schedule()
    missing = [key for key in _wanted() if key not in known]
    if not missing:
        return
    with db.transaction() as session:
        now = clock.now()
        rows = [
            {"name": name, "reach": reach, "due_at": now, "rows": []} for name, reach in missing
        ]
        session.execute(insert(Result).on_conflict_do_nothing(), rows)


def _wanted() -> list[tuple[str, str]]:
    quick = [(one.name, Reach.HOUR.value) for one in INVARIANTS if one.is_quick]
    return [*quick, *((one.name, Reach.ALL.value) for one in INVARIANTS)]


def _schedule() -> dict[tuple[str, str], dt.datetime]:
    rows = db.session.execute(select(Result.name, Result.reach, Result.due_at))
    return {(name, reach): due_at for name, reach, due_at in rows}
