"""Facts: what happened, written with the change itself, and told to whoever listens afterwards."""

from webapp.outbox.models import Due, Fact, Move
from webapp.outbox.queries import facts_about, moves_of, oldest_waiting, waiting_counts
from webapp.outbox.service import (
    PROVIDER,
    SYSTEM,
    Actor,
    Moving,
    put_off,
    record,
    route,
    take_due,
    told,
)

__all__ = [
    "PROVIDER",
    "SYSTEM",
    "Actor",
    "Due",
    "Fact",
    "Move",
    "Moving",
    "facts_about",
    "moves_of",
    "oldest_waiting",
    "put_off",
    "record",
    "route",
    "take_due",
    "told",
    "waiting_counts",
]
