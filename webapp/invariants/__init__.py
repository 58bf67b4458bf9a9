"""The wall: what must be true of all money and records, looked at every minute and every night."""

from webapp.invariants.models import Reach, Result
from webapp.invariants.queries import Brick, Look, counts, red_count, wall
from webapp.invariants.service import (
    WAKE,
    Report,
    ask_for_all,
    check_everything,
    is_due,
    next_look,
    run,
    run_due,
)
from webapp.invariants.stories import NOUNS
from webapp.invariants.wall import BY_NAME, INVARIANTS, Invariant

__all__ = [
    "BY_NAME",
    "INVARIANTS",
    "NOUNS",
    "WAKE",
    "Brick",
    "Invariant",
    "Look",
    "Reach",
    "Report",
    "Result",
    "ask_for_all",
    "check_everything",
    "counts",
    "is_due",
    "next_look",
    "red_count",
    "run",
    "run_due",
    "wall",
]
