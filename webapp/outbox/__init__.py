"""Facts: what happened, written with the change itself, and told to whoever listens afterwards."""

from webapp.outbox.models import NEVER, Due, Fact, Move
from webapp.outbox.queries import (
    SetAside,
    facts_about,
    moves_of,
    oldest_waiting,
    set_aside,
    waiting_counts,
)
from webapp.outbox.service import (
    PROVIDER,
    SYSTEM,
    Actor,
    Moving,
    put_off,
    record,
    route,
    take_due,
    tell_again,
    told,
)

__all__ = [
    "NEVER",
    "PROVIDER",
    "SYSTEM",
    "Actor",
    "Due",
    "Fact",
    "Move",
    "Moving",
    "SetAside",
    "facts_about",
    "moves_of",
    "oldest_waiting",
    "put_off",
    "record",
    "route",
    "set_aside",
    "take_due",
    "tell_again",
    "told",
    "waiting_counts",
]
