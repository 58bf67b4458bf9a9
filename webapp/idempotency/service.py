"""Running work once per key, in one transaction with the answer that is remembered.

The row is inserted after the work, together with the answer: until the commit nobody else could
see it anyway, and the advisory lock keeps a second request with the same key out meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.idempotency.errors import KeyInUse, KeyReused
from webapp.idempotency.keys import check_key, request_hash
from webapp.idempotency.models import Remembered
from webapp.kernel import clock, db
from webapp.kernel.batches import in_batches

SWEEP_AT_ONCE = 5_000
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_SWEEP = text(
    "DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY("
    " SELECT ctid FROM idempotency_key WHERE created_at < clock_now() - interval '72 hours'"
    " LIMIT :at_most))"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: an HTTP status of 200 to 499, the body's bytes, and some headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False


class Refused(Exception):
    """Raised by `work` to undo all it did and yet have its refusal remembered under the key."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(str(answer.status))


@dataclass(frozen=True, slots=True)
class _Request:
    actor_kind: str
    actor_id: str
    livemode: bool
    key: str
    hash: str

    @property
    def row(self) -> dict[str, Any]:
        return {
            "actor_kind": self.actor_kind,
            "actor_id": self.actor_id,
            "livemode": self.livemode,
            "key": self.key,
        }

    @property
    def lock_name(self) -> str:
        parts = request_hash(self.actor_kind, self.actor_id, str(self.livemode), self.key)
        return f"idempotency:{parts}"


def once(
    actor_kind: str,
    actor_id: str,
    livemode: bool,  # noqa: FBT001 - part of the key's name, given by keyword
    key: str,
    request_hash: str,
    work: Callable[[], Answer],
) -> Answer:
    """Return the answer of `work`, run at most once for this actor, mode and key.

    Effects and answer commit together. A second request gets the same status and bytes with
    `replayed` set; while the first still runs it gets KeyInUse (409), with another `request_hash`
    KeyReused (422), with an unusable key KeyMalformed (400). When `work` raises, nothing is
    remembered and the key is free again, except for Refused, whose answer is.
    """
    request = _Request(actor_kind, actor_id, livemode, check_key(key), request_hash)
    try:
        return _work_once(request, work)
    except IntegrityError as wrong:
        # The key is there, and its answer was for somebody whom this scope may not see.
        if "pk_idempotency_key" in str(wrong.orig):
            raise KeyReused from wrong
        raise


def sweep(*, at_once: int = SWEEP_AT_ONCE) -> int:
    """Forget keys older than 72 hours and return how many; the database keeps younger ones.

    In batches, for as long as a chore may take: the next run goes on.
    """

    def forget_some(session: Session) -> int:
        done = session.execute(_SWEEP, {"at_most": at_once})
        return int(done.rowcount)  # type: ignore[attr-defined]

    return in_batches(forget_some, of=at_once)


def _work_once(request: _Request, work: Callable[[], Answer]) -> Answer:
    try:
        with db.transaction():
            if (earlier := _claim(request)) is not None:
                return earlier
            answer = work()
            _remember(request, answer)
            return answer
    except Refused as refused:
        return _remember_refusal(request, refused.answer)


def _claim(request: _Request) -> Answer | None:
    if not db.session.scalar(_TRY_LOCK, {"name": request.lock_name}):
        raise KeyInUse
    found = db.session.scalar(select(Remembered).filter_by(**request.row))
    if found is None:
        return None
    if found.request_hash != request.hash:
        raise KeyReused
    return Answer(found.status, found.body, found.headers, replayed=True)


def _remember(request: _Request, answer: Answer) -> None:
    scope = db.current_scope()
    db.session.flush()
    db.session.execute(
        insert(Remembered).values(
            **request.row,
            request_hash=request.hash,
            status=answer.status,
            body=answer.body,
            headers=dict(answer.headers),
            merchant_id=scope.merchant_id,
            user_id=scope.user_id,
            created_at=clock.now(),
        )
    )


def _remember_refusal(request: _Request, answer: Answer) -> Answer:
    """Store a refusal whose work was undone, unless somebody with the key was quicker."""
    with db.transaction():
        if (earlier := _claim(request)) is not None:
            return earlier
        _remember(request, answer)
        return answer
