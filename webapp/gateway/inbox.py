"""The inbox: every message of the provider is kept once, then applied once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from webapp.gateway import policy, providers
from webapp.gateway.context import QUIET, Context
from webapp.gateway.errors import ForeignObject, NotOurEvent, UnknownOperation
from webapp.gateway.models import ProviderEvent, ProviderOperation, RefusedEvent
from webapp.gateway.port import Event, Outcome
from webapp.kernel import clock, db, wake
from webapp.kernel.errors import Refusal

WAKE = "inbox"
IGNORED = "ignored"
NOT_OURS = "not_ours"
DISCARDED = "discarded"
ENDED_WORKERS = "ended its worker each time"
MAX_KIND = 100
PASSING_TRIES = 3
#: How long one turn may take before the event is another worker's.
TURN_SECONDS = 10
_log = structlog.get_logger(__name__)

#: Takes an event's news, inside the transaction that marks it as processed. Called again with
#: the same news, or with older news, it changes nothing. A refund may name nobody: then it raises
#: RefundMadeElsewhere where the payment is one of ours.
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
    """Check and keep one message; raises BadSignature or BadEvent and then keeps nothing of it.

    Any number of deliveries of one event, at once or ever again, keep one row. One that is signed
    and yet of another account or mode is refused, and listed by its id for admins to see.
    """
    now = clock.now()
    try:
        event = providers.provider(provider).parse_event(body, signature)
    except NotOurEvent as stray:
        _list_refused(stray, provider, now)
        raise
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
            due_at=func.clock_now(),
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


def retry(event_id: str, *, provider: str = providers.DEFAULT) -> bool:
    """Have an event that is not applied yet applied now; a step of an admin's transaction.

    Returns False when there is no such event, or it was applied.
    """
    db.assert_transaction()
    row = db.session.get(ProviderEvent, (provider, event_id), populate_existing=True)
    if row is None or row.processed_at is not None:
        return False
    row.tries, row.claims, row.error = 0, 0, None
    row.due_at = func.clock_now()
    wake.soon(WAKE)
    return True


def discard(event_id: str, *, because: str, provider: str = providers.DEFAULT) -> bool:
    """Close an event that was set aside without applying it; a step of an admin's transaction.

    Returns False when there is no such event, or it waits for no person.
    """
    db.assert_transaction()
    row = db.session.get(ProviderEvent, (provider, event_id), populate_existing=True)
    if row is None or row.processed_at is not None or row.due_at is not None:
        return False
    row.processed_at, row.error = clock.now(), f"{DISCARDED}: {because}"[:500]
    return True


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


def _list_refused(stray: NotOurEvent, provider: str, now: dt.datetime) -> None:
    statement = (
        insert(RefusedEvent.__table__)  # type: ignore[arg-type]
        .values(
            provider=provider,
            event_id=_cleaned(stray.event_id),
            reason=stray.reason,
            kind=_cleaned(stray.kind)[:MAX_KIND],
            account=_cleaned(stray.account or "")[:MAX_KIND] or None,
            livemode=stray.livemode,
            received_at=now,
        )
        .on_conflict_do_nothing()
    )
    with db.transaction(db.NOBODY):
        db.session.execute(statement)


@dataclass(frozen=True, slots=True)
class _Taken:
    """An event whose turn it is; `tries` and `claims` count this one."""

    provider: str
    event_id: str
    tries: int
    claims: int


_TAKE = text(
    """
    WITH due AS (
      SELECT provider, event_id FROM provider_event
      WHERE due_at <= (SELECT clock_now())
      ORDER BY due_at, event_id LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE provider_event AS e SET
      tries = e.tries + 1,
      claims = e.claims + 1,
      due_at = clock_now() + make_interval(secs => :turn)
    FROM due WHERE e.provider = due.provider AND e.event_id = due.event_id
    RETURNING e.provider, e.event_id, e.tries, e.claims
    """
)
_PUT_OFF = text(
    """
    UPDATE provider_event SET
      tries = CAST(:tries AS int), claims = 0, error = left(:error, 500),
      due_at = CASE WHEN NOT :aside THEN clock_now() + make_interval(secs => :wait) END
    WHERE provider = :provider AND event_id = :event_id AND processed_at IS NULL
    """
)


def _work_one(apply: Apply, context: Context) -> bool:
    """Give the event that has been due longest its turn; returns False when none is due.

    The turn is counted first, in a transaction of its own: an event whose content ends its worker
    three times over is set aside, and lets the others pass.
    """
    with db.transaction(db.WORKER):
        row = db.session.execute(_TAKE, {"turn": TURN_SECONDS}).first()
    if row is None:
        return False
    taken = _Taken(*row)
    context.hook("inbox.claimed")
    if taken.claims > policy.QUARANTINE_AFTER_CLAIMS:
        _put_off(taken, ENDED_WORKERS, is_counted=True, is_aside=True)
    else:
        _try(taken, apply, context)
    context.hook("inbox.completed")
    return True


def _try(taken: _Taken, apply: Apply, context: Context) -> None:
    for attempt in range(1, PASSING_TRIES + 1):
        try:
            _apply_and_mark(taken, apply, context)
        except ForeignObject as foreign:
            _put_off(taken, f"{foreign.code}: {foreign.message}", is_counted=True, is_aside=True)
        except Refusal as refusal:
            _put_off(taken, f"{refusal.code}: {refusal.message}", is_counted=True)
        except DBAPIError as wrong:
            is_passing = db.is_passing(wrong)
            if is_passing and attempt < PASSING_TRIES:
                continue
            _put_off(taken, str(wrong.orig), is_counted=not is_passing)
        return


def _apply_and_mark(taken: _Taken, apply: Apply, context: Context) -> None:
    """Apply the event under its lock; where another worker did so meanwhile there is no more to do.

    The lock is waited for: whoever looks for due events may hold it for a moment.
    """
    with db.transaction(db.WORKER):
        wanted = (
            select(ProviderEvent)
            .where(
                ProviderEvent.provider == taken.provider,
                ProviderEvent.event_id == taken.event_id,
                ProviderEvent.processed_at.is_(None),
            )
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        row = db.session.scalars(wanted).first()
        if row is None:
            return
        row.error = _apply(row, apply)
        row.processed_at, row.due_at, row.claims = clock.now(), None, 0
        context.hook("inbox.applied")


def _apply(row: ProviderEvent, apply: Apply) -> str | None:
    """Hand the event's news on; returns a word instead where it has none for us."""
    event = providers.provider(row.provider).read_event(row.payload)
    if event.outcome is None:
        return IGNORED
    if event.subject_id is None:
        if event.outcome.result in policy.REFUND_RESULTS:
            apply(event, event.outcome)
        _log.warning("event_not_ours", event_id=row.event_id, kind=row.kind)
        return NOT_OURS
    _check_whose(event, event.outcome)
    apply(event, event.outcome)
    return None


def _check_whose(event: Event, outcome: Outcome) -> None:
    """Return if one of our own calls made the object for the very payment that it names.

    Whoever can make objects in our account could name any payment of any merchant in them; what
    our calls made carries their id, and each call belongs to one subject.
    """
    if outcome.operation_id is None:
        raise ForeignObject
    asked = select(ProviderOperation.subject_id, ProviderOperation.livemode)
    found = db.session.execute(asked.where(ProviderOperation.id == outcome.operation_id)).first()
    if found is None:
        raise UnknownOperation
    if tuple(found) != (event.subject_id, event.livemode):
        raise ForeignObject


def _put_off(taken: _Taken, error: str, *, is_counted: bool, is_aside: bool = False) -> None:
    """Try the event later; after the last counted try it is set aside, where people see it."""
    is_aside = is_aside or (is_counted and taken.tries >= policy.INBOX_TRIES)
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
