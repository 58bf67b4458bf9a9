"""Facts: what happened, written with the change itself, and told to whoever listens afterwards."""

from webapp.outbox.announcing import announce
from webapp.outbox.holding import Queue, forget, give_back, hold, queues_of
from webapp.outbox.models import NEVER, Due, Fact, Move
from webapp.outbox.queries import (
    facts_about,
    moves_of,
    oldest_waiting,
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
    told,
)
from webapp.outbox.set_aside import CLAIMS_AT_MOST, claim_one, forgive, never_tell, tell_again

__all__ = [
    "CLAIMS_AT_MOST",
    "NEVER",
    "PROVIDER",
    "SYSTEM",
    "Actor",
    "Due",
    "Fact",
    "Move",
    "Moving",
    "Queue",
    "announce",
    "claim_one",
    "facts_about",
    "forget",
    "forgive",
    "give_back",
    "hold",
    "moves_of",
    "never_tell",
    "oldest_waiting",
    "put_off",
    "queues_of",
    "record",
    "route",
    "take_due",
    "tell_again",
    "told",
    "waiting_counts",
]
