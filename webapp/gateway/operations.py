"""Operations: planned inside the caller's transaction, dialled outside any, applied inside one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeAlias

import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from webapp.gateway import claims, decisions, policy, providers
from webapp.gateway.calls import Call, Kind, as_stored, call_of
from webapp.gateway.claims import Claim, Operation, operation_of
from webapp.gateway.context import QUIET, Context
from webapp.gateway.decisions import Decision
from webapp.gateway.dialling import QUESTIONS, dial, weigh
from webapp.gateway.errors import (
    NeedsPerson,
    NotWaitingForPerson,
    OperationUnderWay,
    UnknownOutcome,
    Unreachable,
)
from webapp.gateway.models import ProviderOperation, State
from webapp.gateway.port import Failure, Outcome, Result
from webapp.kernel import clock, db, ids, wake
from webapp.kernel.errors import Refusal
from webapp.outbox import Actor

WAKE = "operations"
APPLY_TRIES = 3
#: What is done for good once it succeeded.
DONE_ONCE = frozenset({Kind.CREATE_INTENT, Kind.CANCEL, Kind.EXPIRE_SESSION, Kind.REFUND})
#: Of which a subject needs one at a time, whatever the purpose.
ONE_A_SUBJECT = frozenset(
    {Kind.CREATE_INTENT, Kind.CANCEL, Kind.LOOK_UP, Kind.REFUND, Kind.LOOK_UP_REFUND}
)
APPLY_AGAIN_SECONDS = 1.0
#: The provider turned us away for as long as it would have remembered the key.
NEVER_SENT = "never_sent"
_log = structlog.get_logger(__name__)

Answer: TypeAlias = Outcome | Failure
#: Takes the definite answer to an operation, inside the transaction that closes it. Called again
#: with the same answer it changes nothing; it raises only when nothing was done.
Apply: TypeAlias = Callable[[Operation, Answer], None]


def plan(  # noqa: PLR0913 - the columns of one row, by name
    kind: Kind | str,
    *,
    subject_kind: str,
    subject_id: str,
    purpose: str,
    merchant_id: str,
    livemode: bool,
    request: Mapping[str, Any] | Call,
) -> Operation:
    """Write down a call to the provider, as a step of the caller's transaction; wakes the workers.

    Planning what is already under way for the same purpose returns that; what needs doing only
    once (making the intent, giving it up) is not planned again when it is done. Raises
    OperationUnderWay when another charge of the subject is not settled.
    """
    db.assert_transaction()
    kind = Kind(kind)
    if (existing := _under_way(kind, subject_id, purpose)) is not None:
        return existing
    now = clock.now()
    operation_id = ids.new("operation")
    row = ProviderOperation(
        id=operation_id,
        kind=kind.value,
        provider=providers.DEFAULT,
        subject_kind=subject_kind,
        subject_id=subject_id,
        purpose=purpose,
        merchant_id=merchant_id,
        livemode=livemode,
        request=as_stored(call_of(kind, request), operation_id),
        state=State.PENDING.value,
        tries=0,
        claims=0,
        due_at=func.clock_now(),
        created_at=now,
    )
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as twice:
        raise OperationUnderWay from twice
    wake.soon(WAKE)
    return _view(row)


def withdraw(operation_id: str) -> bool:
    """Give up an operation that was surely never sent, as a worker's step; False if it was."""
    db.assert_transaction()
    statement = text(
        "UPDATE provider_operation SET state = 'failed', due_at = NULL, closed_at = clock_now(),"
        " last_error = 'withdrawn' WHERE id = :id AND state = 'pending' AND first_sent_at IS NULL"
    )
    done = db.session.execute(statement, {"id": operation_id})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def look_again(operation_id: str) -> None:
    """Take up an operation that waits for a person: ask the provider once more, and safely.

    While the provider surely remembers the key it is sent again; later we only look. Raises
    NotWaitingForPerson, and OperationUnderWay while the same question is open. A step of the
    caller's (admin's or worker's) transaction.
    """
    db.assert_transaction()
    _take_up(operation_id, None)


def decide(operation_id: str, decision: Decision, *, by: Actor) -> bool:
    """Say by hand what came of an operation that waits for a person; a worker applies it.

    The worker looks it up first, and what the provider says then wins. Returns False where the
    decision waits for a second admin: when it books money, when an earlier decision came back,
    and when asking about it ends workers. Raises NotWaitingForPerson or BadDecision. A step of the
    caller's (admin's or worker's) transaction.
    """
    row = _waiting_for_person(operation_id)
    came_back = row.decision is not None and not decisions.waits_for_second(row.decision)
    needs_second = came_back or row.last_error == claims.QUARANTINED
    kept = decisions.as_kept(Kind(row.kind), decision, by, needs_second=needs_second)
    if decisions.waits_for_second(kept):
        row.decision = kept
        db.session.flush()
        return False
    _take_up(operation_id, kept)
    return True


def confirm(operation_id: str, *, by: Actor, version: str | None = None) -> None:
    """Sign another admin's decision, so that a worker applies it.

    `version` is that of the proposal which was shown. Raises NotWaitingForPerson,
    NothingToConfirm or SameSigner. A step of the admin's transaction.
    """
    row = _waiting_for_person(operation_id)
    _take_up(operation_id, decisions.confirmed(row.decision, by, version=version))


def hurry(operation_id: str) -> bool:
    """Have an open operation's next try made now, as a step of the caller's transaction.

    Returns False where none is to be made, or one is being made.
    """
    db.assert_transaction()
    statement = text(
        "UPDATE provider_operation SET due_at = clock_now()"
        " WHERE id = :id AND state IN ('pending', 'unknown')"
    )
    done = db.session.execute(statement, {"id": operation_id})
    wake.soon(WAKE)
    return bool(done.rowcount)  # type: ignore[attr-defined]


def drain(
    apply: Apply, *, limit: int = 100, seconds: float = 20.0, context: Context = QUIET
) -> int:
    """Work off due operations, up to `limit` of them or for `seconds`; returns how many.

    Any number of processes may drain at once: each claim has one holder, who holds no
    transaction while the provider thinks.
    """
    db.assert_no_transaction()
    ends = context.clock() + seconds
    for done in range(limit):
        if context.clock() >= ends or not _work_one(apply, context):
            return done
    return limit


def _waiting_for_person(operation_id: str) -> ProviderOperation:
    db.assert_transaction()
    row = db.session.get(
        ProviderOperation, operation_id, populate_existing=True, with_for_update=True
    )
    if row is None or row.state != State.MANUAL:
        raise NotWaitingForPerson
    return row


def _take_up(operation_id: str, decision: Mapping[str, Any] | None) -> None:
    statement = text(
        "UPDATE provider_operation SET state = 'unknown', claims = 0, due_at = clock_now(),"
        " decision = CAST(:decision AS jsonb) WHERE id = :id AND state = 'manual'"
    )
    kept = None if decision is None else json.dumps(decision)
    try:
        done = db.session.execute(statement, {"id": operation_id, "decision": kept})
    except IntegrityError as twice:
        raise OperationUnderWay("The same is being asked already. Wait for its answer.") from twice
    if not done.rowcount:  # type: ignore[attr-defined]
        raise NotWaitingForPerson
    wake.soon(WAKE)


def _work_one(apply: Apply, context: Context) -> bool:
    with db.transaction(db.WORKER):
        claim = claims.take()
    if claim is None:
        return False
    context.hook("operation.claimed")
    try:
        answer = _answer(claim, context)
    except Unreachable as away:
        if claim.is_first and claim.is_old:
            _ask_person(claim, NEVER_SENT, away.code)
        else:
            _try_later(claim, State.PENDING if claim.is_first else State.UNKNOWN, away.code)
    except UnknownOutcome as doubt:
        _try_later(claim, State.UNKNOWN, doubt.code)
    except NeedsPerson as wrong:
        _ask_person(claim, wrong.code, str(wrong))
    else:
        _settle(claim, answer, apply, context)
    context.hook("operation.completed")
    return True


def _answer(claim: Claim, context: Context) -> Answer:
    """Put the operation to the provider while the lease is kept alive.

    One that a person decided is only looked up, and their word weighed against what is found.
    """
    beats = iter(range(policy.MOST_BEATS))

    def beat() -> bool:
        if next(beats, None) is None:
            return False
        with db.transaction(db.WORKER):
            return claims.beat(claim)

    with context.heartbeat(beat):
        context.hook("operation.before_send")
        provider, decision = providers.provider(claim.operation.provider), claim.decision
        answer = dial(provider, claim) if decision is None else weigh(provider, claim, decision)
        context.hook("operation.after_send")
    return answer


def _settle(claim: Claim, answer: Answer, apply: Apply, context: Context) -> None:
    """Apply the answer and close the operation in one transaction.

    When that is not possible now, the answer is not lost: the same key brings it again.
    """
    for attempt in range(1, APPLY_TRIES + 1):
        try:
            _apply_and_close(claim, answer, apply, context)
        except _StaleClaimError:
            _log.warning("claim_lost", operation=claim.operation.id)
            return
        except DBAPIError as wrong:
            if db.is_passing(wrong):
                if attempt < APPLY_TRIES:
                    continue
                _apply_later(claim, type(wrong.orig).__name__, is_passing=True)
                return
            _apply_later(claim, str(wrong.orig), is_passing=False)
            return
        except Refusal as refusal:
            _apply_later(claim, f"{refusal.code}: {refusal.message}", is_passing=False)
            return
        else:
            return


class _StaleClaimError(Exception):
    """Somebody else holds the operation now: walk away, and leave nothing behind."""


def _apply_and_close(claim: Claim, answer: Answer, apply: Apply, context: Context) -> None:
    with db.transaction(db.WORKER):
        if not claims.holds(claim):
            raise _StaleClaimError
        context.hook("operation.before_apply")
        apply(claim.operation, answer)
        context.hook("operation.applied")
        if not _close(claim, answer):
            raise _StaleClaimError


def _close(claim: Claim, answer: Answer) -> bool:
    if isinstance(answer, Failure):
        result = {"refused": answer.code, "message": answer.provider_message}
        return claims.close(claim, State.FAILED, object_id=None, result=result, error=answer.code)
    is_no = answer.result is Result.DECLINED and claim.operation.kind is not Kind.LOOK_UP
    return claims.close(
        claim,
        State.FAILED if is_no else State.SUCCEEDED,
        object_id=answer.refund_id or answer.session_id or answer.intent_id,
        result=_kept(answer),
        error=answer.decline.code if answer.decline else None,
    )


def _kept(outcome: Outcome) -> dict[str, Any]:
    """Return what stays on record of an answer: nothing about the card or the person."""
    return {
        "result": outcome.result.value,
        "intent_id": outcome.intent_id,
        "session_id": outcome.session_id,
        "charge_id": outcome.charge_id,
        "refund_id": outcome.refund_id,
        "failure_code": outcome.failure_code,
        "amount_minor": outcome.amount.minor if outcome.amount else None,
        "currency": outcome.amount.currency if outcome.amount else None,
        "decline_code": outcome.decline.decline_code if outcome.decline else None,
    }


def _try_later(claim: Claim, state: State, code: str) -> None:
    wait = policy.wait_seconds(claim.operation.id, claim.tries + 1)
    _log.warning("provider_gave_no_answer", operation=claim.operation.id, reason=code, wait=wait)
    with db.transaction(db.WORKER):
        claims.let_go(claim, state, error=code, wait=wait)


def _ask_person(claim: Claim, code: str, says: str) -> None:
    _log.error("operation_needs_person", operation=claim.operation.id, reason=code)
    with db.transaction(db.WORKER):
        claims.let_go(claim, State.MANUAL, error=f"{code}: {says}")


def _apply_later(claim: Claim, error: str, *, is_passing: bool) -> None:
    """Keep the operation in doubt; its try is not counted against the provider."""
    report = _log.warning if is_passing else _log.error
    report("answer_not_applied", operation=claim.operation.id, reason=error)
    with db.transaction(db.WORKER):
        claims.put_aside(claim, error=error, wait=APPLY_AGAIN_SECONDS, is_passing=is_passing)


def _under_way(kind: Kind, subject_id: str, purpose: str) -> Operation | None:
    """Return the operation that makes planning this one needless, if there is one."""
    states = [State.PENDING, State.IN_FLIGHT, State.UNKNOWN, State.MANUAL]
    if kind in QUESTIONS:
        states.remove(State.MANUAL)
    stands: ColumnElement[bool] = ProviderOperation.state.in_([state.value for state in states])
    if kind in DONE_ONCE:
        stands = or_(stands, _was_done(kind))
    wanted = select(ProviderOperation).where(
        ProviderOperation.subject_id == subject_id, ProviderOperation.kind == kind.value, stands
    )
    if kind not in ONE_A_SUBJECT:
        wanted = wanted.where(ProviderOperation.purpose == purpose)
    row = db.session.scalars(wanted.order_by(ProviderOperation.id)).first()
    return _view(row) if row else None


def _was_done(kind: Kind) -> ColumnElement[bool]:
    """Return the condition that a call was answered and did what it was for.

    An intent or page that could not be given up just then is answered with where it stands: it is
    open, and is given up again.
    """
    done: ColumnElement[bool] = ProviderOperation.state == State.SUCCEEDED.value
    if kind not in policy.ENDS:
        return done
    ends = [result.value for result in policy.ENDS[kind]]
    return and_(done, ProviderOperation.result["result"].astext.in_(ends))


def _view(row: ProviderOperation) -> Operation:
    return operation_of({field.name: getattr(row, field.name) for field in fields(Operation)})
