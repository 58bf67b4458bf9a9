"""The inbox: every message of the provider is kept once, then applied once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from webapp.gateway import policy, providers
from webapp.gateway.context import QUIET, Context
from webapp.gateway.models import ProviderEvent
from webapp.gateway.port import Event, Outcome
from webapp.kernel import clock, db, wake
from webapp.kernel.errors import Refusal

WAKE = "inbox"
IGNORED = "ignored"
NOT_OURS = "not_ours"
PASSING_TRIES = 3
#: How long one turn may take before the event is another worker's.
TURN_SECONDS = 10
_log = structlog.get_logger(__name__)

#: Takes an event's news, inside the transaction that marks it as processed. Called again with
#: the same news, or with older news, it changes nothing.
Apply: TypeAlias = Callable[[Event, Outcome], None]

#: Fields that say who the shopper is, or open something: not needed, so not kept.
NOT_KEPT = frozenset(
    {
        "billing_details",
        "cancel_url",
        "client_secret",
        "customer_details",
        "customer_email",
        "fingerprint",
        "receipt_email",
        "receipt_url",
        "return_url",
        "shipping",
        "success_url",
    }
)


@dataclass(frozen=True, slots=True)
class Received:
    """What came of a delivery: `is_new` is False for one that was kept before."""

    event_id: str
    is_new: bool


def receive(body: bytes, signature: str, *, provider: str = providers.DEFAULT) -> Received:
    """Check and keep one message; raises BadSignature or BadEvent and then keeps nothing.

    Any number of deliveries of one event, at once or ever again, keep one row.
    """
    event = providers.provider(provider).parse_event(body, signature)
    now = clock.now()
    statement = (
        insert(ProviderEvent.__table__)  # type: ignore[arg-type]
        .values(
            provider=provider,
            event_id=event.id,
            kind=event.kind,
            object_id=event.object_id,
            subject_id=event.subject_id,
            livemode=event.livemode,
            payload=without_personal_data(event.payload),
            received_at=now,
            tries=0,
            due_at=now,
        )
        .on_conflict_do_nothing()
        .execution_options(preserve_rowcount=True)
    )
    with db.transaction(db.NOBODY):
        done = db.session.execute(statement)
        is_new = done.rowcount == 1  # type: ignore[attr-defined]
        if is_new:
            wake.soon(WAKE)
    return Received(event.id, is_new=is_new)


def drain(
    apply: Apply, *, limit: int = 100, seconds: float = 20.0, context: Context = QUIET
) -> int:
    """Apply due events, up to `limit` of them or for `seconds`; returns how many were looked at.

    Any number of processes may drain at once, and in any order: news only moves things forward.
    """
    db.assert_no_transaction()
    ends = context.clock() + seconds
    for done in range(limit):
        if context.clock() >= ends or not _work_one(apply, context):
            return done
    return limit


def retry(event_id: str, *, provider: str = providers.DEFAULT) -> None:
    """Have an event that was set aside applied again; a step of an admin's transaction."""
    db.assert_transaction()
    row = db.session.get(ProviderEvent, (provider, event_id))
    if row is not None and row.processed_at is None:
        row.due_at, row.tries, row.error = clock.now(), 0, None
        wake.soon(WAKE)


def without_personal_data(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without the fields in NOT_KEPT, at any depth, and without NULs."""
    return {
        _cleaned(name): None if name in NOT_KEPT else _cleaned(value)
        for name, value in payload.items()
    }


def _cleaned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return without_personal_data(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return value.replace("\x00", "") if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class _Taken:
    """An event whose turn it is; `tries` counts this one."""

    provider: str
    event_id: str
    tries: int


_TAKE = text(
    """
    WITH due AS (
      SELECT provider, event_id FROM provider_event
      WHERE due_at <= (SELECT clock_now())
      ORDER BY due_at, event_id LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE provider_event AS e SET
      tries = e.tries + 1,
      due_at = clock_now() + make_interval(secs => :turn)
    FROM due WHERE e.provider = due.provider AND e.event_id = due.event_id
    RETURNING e.provider, e.event_id, e.tries
    """
)
_PUT_OFF = text(
    """
    UPDATE provider_event SET
      tries = CAST(:tries AS int), error = left(:error, 500),
      due_at = CASE WHEN NOT :aside THEN clock_now() + make_interval(secs => :wait) END
    WHERE provider = :provider AND event_id = :event_id AND processed_at IS NULL
    """
)


def _work_one(apply: Apply, context: Context) -> bool:
    """Give the event that has been due longest its turn; returns False when none is due.

    The turn is counted first, in a transaction of its own: an event whose content ends its worker
    is set aside like one that is refused.
    """
    with db.transaction(db.WORKER):
        row = db.session.execute(_TAKE, {"turn": TURN_SECONDS}).first()
    if row is None:
        return False
    taken = _Taken(*row)
    context.hook("inbox.claimed")
    if taken.tries > policy.INBOX_TRIES:
        _put_off(taken, "ended its worker each time", is_counted=True)
    else:
        _try(taken, apply, context)
    context.hook("inbox.completed")
    return True


def _try(taken: _Taken, apply: Apply, context: Context) -> None:
    for attempt in range(1, PASSING_TRIES + 1):
        try:
            _apply_and_mark(taken, apply, context)
        except Refusal as refusal:
            _put_off(taken, f"{refusal.code}: {refusal.message}", is_counted=True)
        except DBAPIError as wrong:
            is_passing = db.is_passing(wrong)
            if is_passing and attempt < PASSING_TRIES:
                continue
            _put_off(taken, str(wrong.orig), is_counted=not is_passing)
        return


def _apply_and_mark(taken: _Taken, apply: Apply, context: Context) -> None:
    with db.transaction(db.WORKER):
        wanted = (
            select(ProviderEvent)
            .where(
                ProviderEvent.provider == taken.provider,
                ProviderEvent.event_id == taken.event_id,
                ProviderEvent.processed_at.is_(None),
            )
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
        row = db.session.scalars(wanted).first()
        if row is None:
            return
        row.error = _apply(row, apply)
        row.processed_at, row.due_at = clock.now(), None
        context.hook("inbox.applied")


def _apply(row: ProviderEvent, apply: Apply) -> str | None:
    """Hand the event's news on; returns a word instead where it has none for us."""
    event = providers.provider(row.provider).read_event(row.payload)
    if event.outcome is None:
        return IGNORED
    if event.subject_id is None:
        _log.warning("event_not_ours", event_id=row.event_id, kind=row.kind)
        return NOT_OURS
    apply(event, event.outcome)
    return None


def _put_off(taken: _Taken, error: str, *, is_counted: bool) -> None:
    """Try the event later; after the last counted try it is set aside, where people see it."""
    is_aside = is_counted and taken.tries >= policy.INBOX_TRIES
    report = _log.error if is_aside else _log.warning
    report("event_not_applied", event_id=taken.event_id, tries=taken.tries, reason=error)
    params = {
        "provider": taken.provider,
        "event_id": taken.event_id,
        "tries": taken.tries if is_counted else taken.tries - 1,
        "error": error,
        "aside": is_aside,
        "wait": policy.wait_seconds(taken.event_id, taken.tries),
    }
    with db.transaction(db.WORKER):
        db.session.execute(_PUT_OFF, params)
