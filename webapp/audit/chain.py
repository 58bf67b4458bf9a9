"""The chain itself, pure: what is hashed of an audit row, and what is wrong with a link."""

from __future__ import annotations

import datetime as dt
import json

from webapp.audit.models import Entry, Seal
from webapp.kernel import crypto

START = ""
COLUMNS = (
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "action",
    "subject_kind",
    "subject_id",
    "merchant_id",
    "livemode",
    "data",
    "request_id",
)


def canonical(entry: Entry) -> str:
    """Return every column of an audit row as one JSON text that is the same wherever it is made."""
    row = {name: _plain(getattr(entry, name)) for name in COLUMNS}
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def hash_of(previous: str, entry: Entry) -> str:
    """Return the seal's hash (hex) over the seal before and this row; keyed, so not forgeable."""
    return crypto.record_hash("audit", previous, canonical(entry))


def what_is_wrong(seal: Seal, entry: Entry | None, *, before: Seal | None) -> str | None:
    """Return what is wrong with one link of the chain in a sentence, or None."""
    if seal.seq != (before.seq if before else 0) + 1:
        return f"seal {seal.seq}: the seals before it are missing"
    if seal.previous != (before.hash if before else START):
        return f"seal {seal.seq}: does not continue the seal before it"
    if entry is None:
        return f"seal {seal.seq}: audit row {seal.audit_id} is missing"
    if seal.hash != hash_of(seal.previous, entry):
        return f"seal {seal.seq}: audit row {entry.id} is not as it was sealed"
    return None


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return value
