"""Recording deeds inside the transaction that does them, and sealing them afterwards."""

from __future__ import annotations

import json
from typing import Any, TypedDict, Unpack

import structlog
from sqlalchemy import delete, insert, select, text

from webapp.audit.chain import START, hash_of
from webapp.audit.models import Entry, Seal, Unsealed
from webapp.kernel import clock, db, ids, wake
from webapp.outbox import Actor, announce

WAKE = "audit"
SEAL_AT_MOST = 1_000
#: What is announced of each row once it is sealed; a sign-in has a name of its own.
RECORDED = "audit.recorded"
SIGNED_IN = "user.signed_in"
EVENTS = (RECORDED, SIGNED_IN)
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('paydeck audit seal', 0))")
_SEAL = text(
    "INSERT INTO audit_seal (seq, audit_id, hash, previous)"
    " SELECT seq, audit_id, hash, previous FROM jsonb_to_recordset(CAST(:seals AS jsonb))"
    " AS seal (seq bigint, audit_id text, hash text, previous text) ORDER BY seq"
)


class Whose(TypedDict, total=False):
    """The merchant and mode that a deed concerns, where there is one."""

    merchant_id: str | None
    livemode: bool | None


def record(
    action: str,
    subject_kind: str,
    subject_id: str,
    *,
    by: Actor,
    data: dict[str, Any] | None = None,
    **whose: Unpack[Whose],
) -> None:
    """Write who did what inside the transaction that does it; wakes the sealer after the commit.

    `data` is JSON-able and holds no personal data and no secret.
    """
    db.assert_transaction()
    db.session.execute(
        insert(Entry).values(
            id=ids.new("audit"),
            at=clock.now(),
            actor_kind=by.kind,
            actor_id=by.id,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            merchant_id=whose.get("merchant_id"),
            livemode=whose.get("livemode"),
            data=data or {},
            request_id=structlog.contextvars.get_contextvars().get("request_id"),
        )
    )
    wake.soon(WAKE)


def seal_pending(*, at_most: int = SEAL_AT_MOST) -> int:
    """Seal the rows that wait, oldest first, and return how many; 0 while another one seals.

    Each is announced in the same transaction: who did what to what, without its details. The lock
    is held until the commit, so that the chain has one end.
    """
    with db.transaction():
        if not db.session.scalar(_LOCK):
            return 0
        waiting = list(
            db.session.scalars(
                select(Entry)
                .join(Unsealed, Unsealed.audit_id == Entry.id)
                .order_by(Entry.id)
                .limit(at_most)
            )
        )
        if waiting:
            _append(waiting)
        return len(waiting)


def _append(waiting: list[Entry]) -> None:
    last = db.session.execute(
        select(Seal.seq, Seal.hash).order_by(Seal.seq.desc()).limit(1)
    ).one_or_none()
    seq, previous = (last.seq, last.hash) if last else (0, START)
    seals = []
    for entry in waiting:
        seq += 1
        hashed = hash_of(previous, entry)
        seals.append({"seq": seq, "audit_id": entry.id, "hash": hashed, "previous": previous})
        previous = hashed
        _announce(entry, seq, hashed)
    db.session.execute(_SEAL, {"seals": json.dumps(seals)})
    db.session.execute(delete(Unsealed).where(Unsealed.audit_id.in_([e.id for e in waiting])))


def _announce(entry: Entry, seq: int, hashed: str) -> None:
    said = {
        "id": entry.id,
        "seq": seq,
        "hash": hashed,
        "action": entry.action,
        "subject_kind": entry.subject_kind,
        "subject": entry.subject_id,
        "merchant": entry.merchant_id,
        "livemode": entry.livemode,
        "actor": entry.actor_id,
        "request": entry.request_id,
        "at": entry.at.isoformat(),
    }
    announce(
        SIGNED_IN if entry.action == SIGNED_IN else RECORDED,
        "audit_entry",
        entry.id,
        said,
        because=entry.action,
        by=Actor(entry.actor_kind, entry.actor_id),
    )
