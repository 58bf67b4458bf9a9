"""Every check there is, by group, on one page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from webapp import ledger
from webapp.invariants import elsewhere
from webapp.invariants.money import CORRECTIONS, PAYMENTS, REFUNDS, WALLETS
from webapp.invariants.stories import STORIES
from webapp.invariants.waiting import WAITING
from webapp.kernel.proof import Check, Found, look
from webapp.webhooks import CHECKS as WEBHOOKS


@dataclass(frozen=True, slots=True)
class Invariant:
    """A sentence that must be true, and how to find where it is not.

    `find` looks at what is younger than a moment, or at everything; where `is_quick` it is asked
    every minute about the last hour, and in any case every night about everything.
    """

    name: str
    group: str
    holds: str
    broken: str
    find: Callable[[dt.datetime | None], Found]
    is_quick: bool = True


def _asked(check: Check, since: dt.datetime | None) -> Found:
    return look(check, since=since)


def _of(group: str, checks: tuple[Check, ...]) -> list[Invariant]:
    return [
        Invariant(
            check.name, group, check.holds, check.broken, partial(_asked, check), check.is_quick
        )
        for check in checks
    ]


def _whole(
    name: str, group: str, sentences: tuple[str, str], find: Callable[[], Found]
) -> Invariant:
    def everything(_since: dt.datetime | None) -> Found:
        return find()

    return Invariant(name, group, *sentences, everything, is_quick=False)


BOOKS: Final = "The books"
CHARGES: Final = "Payments"
GIVEN_BACK: Final = "Refunds and money set aside"
TOLD: Final = "Records"
HOOKS: Final = "Webhooks"
WAITS: Final = "Nothing waits for ever"

#: In the order in which the wall shows them.
INVARIANTS: Final[tuple[Invariant, ...]] = (
    *_of(BOOKS, ledger.CHECKS),
    *_of(BOOKS, CORRECTIONS),
    *_of(BOOKS, WALLETS),
    *_of(CHARGES, PAYMENTS),
    *_of(GIVEN_BACK, REFUNDS),
    *_of(TOLD, STORIES),
    _whole(
        "records_are_intact",
        TOLD,
        ("Every payment’s record carries its hash.", "a payment’s record was changed"),
        elsewhere.altered_records,
    ),
    _whole(
        "figures_are_their_facts",
        TOLD,
        ("The merchants’ figures are the sum of what was told.", "figures and facts differ"),
        elsewhere.figures_and_facts,
    ),
    _whole(
        "figures_are_the_books",
        TOLD,
        ("The merchants’ figures are what the books say.", "figures and books differ"),
        elsewhere.figures_and_books,
    ),
    _whole(
        "audit_trail_is_whole",
        TOLD,
        ("The audit trail is as it was sealed.", "the audit trail was changed"),
        elsewhere.broken_seals,
    ),
    *_of(HOOKS, WEBHOOKS),
    *_of(WAITS, WAITING),
)
BY_NAME: Final = {invariant.name: invariant for invariant in INVARIANTS}
