"""Who did what: plain rows written with the deed, sealed into a chain of hashes soon after."""

from webapp.audit.chain import START, canonical, hash_of
from webapp.audit.models import Entry, Seal
from webapp.audit.queries import entries_about, entry_of, head, recent
from webapp.audit.service import EVENTS, WAKE, record, seal_pending
from webapp.audit.verify import Head, Verification, verify

__all__ = [
    "EVENTS",
    "START",
    "WAKE",
    "Entry",
    "Head",
    "Seal",
    "Verification",
    "canonical",
    "entries_about",
    "entry_of",
    "hash_of",
    "head",
    "recent",
    "record",
    "seal_pending",
    "verify",
]
