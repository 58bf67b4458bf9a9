"""Keeping a request after it was answered, and forgetting it after thirty days."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.api_log.masking import masked_body, masked_query
from webapp.kernel import clock, db, ids, wake
from webapp.kernel.batches import in_batches

KEPT_DAYS = 30
SWEEP_AT_ONCE = 5_000
#: Its commit does not wait for the disk: a row of this log may be lost with the machine.
_NOTE = text(
    """
    WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO api_request (id, merchant_id, livemode, key_id, user_id, method, path, query,
      status, duration_ms, at, request_body, response_body, error_code, object_id, version,
      idempotency_key, is_replay, is_by_hand)
    SELECT :id, :merchant_id, :livemode, :key_id, :user_id, :method, :path, :query,
      :status, :duration_ms, clock_now(), :request_body, :response_body, :error_code, :object_id,
      :version, :idempotency_key, :is_replay, :is_by_hand FROM quick
    """
)
_SWEEP = text(
    "DELETE FROM api_request WHERE ctid = ANY (ARRAY("
    " SELECT ctid FROM api_request WHERE id < :before LIMIT :at_most))"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; `body` and `query` are masked before they are kept.

    `is_by_hand` says that a person made it in the explorer.
    """

    id: str
    livemode: bool
    merchant_id: str | None
    key_id: str | None
    user_id: str | None
    method: str
    path: str
    query: str
    body: bytes
    version: str
    idempotency_key: str | None
    is_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered, and how long it took."""

    status: int
    body: bytes
    duration_ms: int
    error_code: str | None = None
    object_id: str | None = None
    is_replay: bool = False


def note(asked: Asked, told: Told) -> None:
    """Keep one request of a merchant or a person, in the scope in force; one statement."""
    row = asdict(asked) | asdict(told)
    row |= {"query": masked_query(asked.query), "request_body": masked_body(asked.body)}
    row["response_body"] = masked_body(told.body)
    del row["body"]
    with db.transaction() as session:
        session.execute(_NOTE, row)
        if asked.merchant_id is not None:
            wake.look("api_request", asked.merchant_id, livemode=asked.livemode)


def sweep(*, at_once: int = SWEEP_AT_ONCE) -> int:
    """Forget requests older than thirty days and return how many; an id tells its moment.

    In batches, for as long as a chore may take: the next run goes on.
    """
    ends = clock.now() - dt.timedelta(days=KEPT_DAYS)
    before = ids.seeded("request", int(ends.timestamp() * 1000), 0)

    def forget_some(session: Session) -> int:
        done = session.execute(_SWEEP, {"before": before, "at_most": at_once})
        return int(done.rowcount)  # type: ignore[attr-defined]

    return in_batches(forget_some, of=at_once)
