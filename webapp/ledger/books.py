"""Checking the books: every balance is the sum of its entries, and all entries sum to zero."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, text

from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.kernel.proof import EXAMPLES, Check, look
from webapp.ledger.checks import CHECKS

_TOTALS = text(
    """
    SELECT a.livemode, a.kind, a.currency, count(DISTINCT a.id),
           coalesce(sum(e.amount_minor), 0)::bigint
    FROM ledger_account a LEFT JOIN entry e ON e.account_id = a.id
    GROUP BY a.livemode, a.kind, a.currency ORDER BY a.livemode, a.currency, a.kind
    """
)
_SIZES = text("SELECT (SELECT count(*) FROM transfer), (SELECT count(*) FROM entry)")
#: Only who sees every row can say that nothing is wrong.
_BLIND = text("SELECT current_user = 'paydeck_web'")
_PATIENCE = text("SET LOCAL statement_timeout = '10min'")


class BooksUnreadable(Exception):
    """The books were to be checked as a role that sees only part of them."""


@dataclass(frozen=True, slots=True)
class Total:
    """All accounts of one kind in one mode and currency, and what they hold together."""

    livemode: bool
    kind: str
    accounts: int
    amount: Money


@dataclass(frozen=True, slots=True)
class BooksReport:
    """What was counted and everything that is wrong, in sentences; no problems means sound."""

    problems: list[str]
    transfers: int
    entries: int
    totals: list[Total]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check_books() -> BooksReport:
    """Check all books as of one moment, reading only; at most 20 rows are named per problem.

    Raises BooksUnreadable under the web role, which would see nothing and find nothing wrong.
    """
    with db.transaction() as session:
        _stand_still()
        session.execute(_PATIENCE)
        if session.scalar(_BLIND):
            message = "check the books as worker, admin or owner"
            raise BooksUnreadable(message)
        problems = [problem for check in CHECKS for problem in _problems(check)]
        transfers, entries = session.execute(_SIZES).one()
        return BooksReport(problems, transfers, entries, totals())


def _stand_still() -> None:
    """See one moment only, and write nothing; under a test's savepoint one connection does."""
    if isinstance(db.session().get_bind(), Engine):
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        db.session.connection(execution_options=options)


def totals() -> list[Total]:
    """Return what the accounts of each kind hold together, by mode, currency and kind."""
    return [
        Total(livemode, kind, accounts, Money(minor, currency))
        for livemode, kind, currency, accounts, minor in db.session.execute(_TOTALS)
    ]


def _problems(check: Check) -> list[str]:
    found = look(check)
    named = [f"{check.broken}: {finding.line}" for finding in found.findings]
    return [*named, f"{check.broken}: and more"] if found.count > EXAMPLES else named
