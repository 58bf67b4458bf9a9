"""Claiming an operation with a lease and a fence, and closing it only while the claim holds.

Every step is one statement of the caller's transaction; the database's clock alone is compared.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import RowMapping, text

from webapp.gateway import policy
from webapp.gateway.calls import Call, Kind, from_stored
from webapp.gateway.models import State
from webapp.kernel import db

_log = structlog.get_logger(__name__)
LEASE_SECONDS = policy.LEASE.total_seconds()
QUARANTINED = "claimed several times without an outcome"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call to a provider as others see it; `id` is the provider's key for ever."""

    id: str
    kind: Kind
    provider: str
    subject_kind: str
    subject_id: str
    purpose: str
    merchant_id: str
    livemode: bool
    request: Mapping[str, Any]
    state: State
    created_at: dt.datetime

    @property
    def call(self) -> Call:
        """What is asked of the provider; raises CannotOpen when its seals do not open here."""
        return from_stored(self.kind, self.id, self.request)


@dataclass(frozen=True, slots=True)
class Claim:
    """An operation that is ours until the lease ends; `token` fences off whoever had it before.

    `is_first` says that nobody can have sent it before us; `is_late` that its key may have been
    forgotten by the provider, so that it must not be sent again. `decision` is what a person
    found came of it, where one did: then it is only looked up. `has_ended_workers` says that since
    then whoever asked about it died each time, so that its word must do without asking. `is_old`
    says that it was asked for so long ago that a person should know if it was never sent. `is_held`
    says that it is a refund and those are frozen: it is looked up, and not sent.
    """

    operation: Operation
    token: int
    tries: int
    is_first: bool
    is_late: bool
    decision: Mapping[str, Any] | None = None
    has_ended_workers: bool = False
    is_old: bool = False
    is_held: bool = False


_CLAIM = text(
    """
    WITH due AS (
      SELECT id, claims, first_sent_at FROM provider_operation
      WHERE state IN ('pending', 'in_flight', 'unknown') AND due_at <= (SELECT clock_now())
        AND NOT (kind = 'refund' AND first_sent_at IS NULL AND refunds_are_frozen())
      ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE provider_operation AS o SET
      state = CASE WHEN due.claims >= :most THEN 'manual' ELSE 'in_flight' END,
      claims = due.claims + CASE WHEN due.claims >= :most THEN 0 ELSE 1 END,
      lease_token = nextval('fence'),
      lease_until = CASE WHEN due.claims < :most
        THEN clock_now() + make_interval(secs => :lease) END,
      due_at = CASE WHEN due.claims < :most THEN clock_now() + make_interval(secs => :lease) END,
      first_sent_at = coalesce(o.first_sent_at, CASE WHEN due.claims < :most THEN clock_now() END),
      last_error = CASE WHEN due.claims >= :most THEN :quarantine ELSE o.last_error END
    FROM due WHERE o.id = due.id
    RETURNING o.*, due.first_sent_at IS NULL AS is_first,
      coalesce(due.first_sent_at < clock_now() - make_interval(secs => :lasts), false) AS is_late,
      o.created_at < clock_now() - make_interval(secs => :lasts) AS is_old,
      o.kind = 'refund' AND refunds_are_frozen() AS is_held
    """
)
_BEAT = text(
    """
    UPDATE provider_operation SET
      lease_until = clock_now() + make_interval(secs => :lease),
      due_at = clock_now() + make_interval(secs => :lease)
    WHERE id = :id AND lease_token = :token AND state = 'in_flight'
    """
)
_HOLDS = text(
    "SELECT 1 FROM provider_operation"
    " WHERE id = :id AND lease_token = :token AND state = 'in_flight'"
)
_LET_GO = text(
    """
    UPDATE provider_operation SET
      state = :state, lease_until = NULL, last_error = left(:error, 500),
      tries = CAST(:tries AS int),
      claims = CASE WHEN :forgiven THEN 0 ELSE claims END,
      first_sent_at = CASE WHEN :unsent THEN NULL ELSE first_sent_at END,
      due_at = CASE WHEN :state <> 'manual' THEN clock_now() + make_interval(secs => :wait) END
    WHERE id = :id AND lease_token = :token AND state = 'in_flight'
    """
)
_CLOSE = text(
    """
    UPDATE provider_operation SET
      state = :state, lease_until = NULL, due_at = NULL, claims = 0, closed_at = clock_now(),
      provider_object_id = :object_id, result = CAST(:result AS jsonb), last_error = :error
    WHERE id = :id AND lease_token = :token AND state = 'in_flight'
    """
)


def take() -> Claim | None:
    """Claim the operation that has been due longest, or return None when nothing is due.

    One that was claimed three times without any outcome is set aside for a person instead: its
    own content may be what ends its workers. Refunds that were never sent wait while refunds are
    frozen, and the database would not let them go either; those in doubt are claimed as held.
    """
    while True:
        row = (
            db.session.execute(
                _CLAIM,
                {
                    "most": policy.QUARANTINE_AFTER_CLAIMS,
                    "lease": LEASE_SECONDS,
                    "lasts": policy.KEY_LASTS.total_seconds(),
                    "quarantine": QUARANTINED,
                },
            )
            .mappings()
            .first()
        )
        if row is None:
            return None
        if row["state"] == State.IN_FLIGHT:
            return _claim(row)
        _log.error("operation_quarantined", operation=row["id"], kind=row["kind"])


def beat(claim: Claim) -> bool:
    """Prolong the lease; returns False when the claim is no longer ours."""
    return _changed(_BEAT, claim, {"lease": LEASE_SECONDS})


def holds(claim: Claim) -> bool:
    """Whether the claim is still ours, without locking anything."""
    params = {"id": claim.operation.id, "token": claim.token}
    return db.session.execute(_HOLDS, params).first() is not None


def close(
    claim: Claim,
    state: State,
    *,
    object_id: str | None,
    result: Mapping[str, Any],
    error: str | None = None,
) -> bool:
    """Close the operation with its result; returns False when the claim is no longer ours."""
    return _changed(
        _CLOSE,
        claim,
        {"state": state, "object_id": object_id, "result": json.dumps(result), "error": error},
    )


def let_go(claim: Claim, state: State, *, error: str, wait: float = 0.0) -> bool:
    """Give the claim back as `pending` (surely unsent), `unknown` or `manual`, due after `wait` s.

    One try more is counted against the provider. Returns False when the claim is no longer ours.
    """
    return _changed(
        _LET_GO,
        claim,
        {
            "state": state,
            "error": error,
            "wait": wait,
            "tries": claim.tries + 1,
            "forgiven": True,
            "unsent": state is State.PENDING,
        },
    )


def put_aside(claim: Claim, *, error: str, wait: float, is_passing: bool) -> bool:
    """Give the claim back as `unknown` because its answer could not be applied here.

    That counts as a claim without an outcome unless the cause is a passing one, such as a lock.
    Returns False when the claim is no longer ours.
    """
    return _changed(
        _LET_GO,
        claim,
        {
            "state": State.UNKNOWN,
            "error": error,
            "wait": wait,
            "tries": claim.tries,
            "forgiven": is_passing,
            "unsent": False,
        },
    )


def operation_of(row: Mapping[str, Any] | RowMapping) -> Operation:
    """Return the operation in a row of provider_operation."""
    return Operation(
        id=row["id"],
        created_at=row["created_at"],
        kind=Kind(row["kind"]),
        provider=row["provider"],
        subject_kind=row["subject_kind"],
        subject_id=row["subject_id"],
        purpose=row["purpose"],
        merchant_id=row["merchant_id"],
        livemode=row["livemode"],
        request=row["request"],
        state=State(row["state"]),
    )


def _claim(row: RowMapping) -> Claim:
    return Claim(
        operation=operation_of(row),
        token=row["lease_token"],
        tries=row["tries"],
        is_first=row["is_first"],
        is_late=row["is_late"],
        decision=row["decision"],
        has_ended_workers=row["claims"] >= policy.QUARANTINE_AFTER_CLAIMS
        and row["last_error"] == QUARANTINED,
        is_old=row["is_old"],
        is_held=row["is_held"],
    )


def _changed(statement: Any, claim: Claim, params: Mapping[str, Any]) -> bool:
    done = db.session.execute(statement, {"id": claim.operation.id, "token": claim.token, **params})
    return bool(done.rowcount)  # type: ignore[attr-defined]
