"""Bugs in how the provider is called and its answers and messages are taken."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import count
from typing import Any

from sqlalchemy import text

from tests.simulation.product import room
from webapp.gateway import (
    CallKey,
    CreateIntent,
    Failure,
    Outcome,
    Result,
    UnknownOutcome,
)
from webapp.kernel import clock, db

claims, dialling, inbox = room("gateway.claims"), room("gateway.dialling"), room("gateway.inbox")
operations, policy = room("gateway.operations"), room("gateway.policy")
payments, start, sweep = room("payments"), room("payments.start"), room("payments.sweep")
_seen: set[bytes] = set()


def a_fresh_key_for_each_try() -> None:
    """A call that is sent again goes under a new key."""
    numbers = count(1)
    dialling.CallKey = lambda op, subject: CallKey(f"{op}_{next(numbers)}", subject)


def a_timeout_counts_as_failure() -> None:
    """No answer in time is taken for a no."""
    _answering(lambda doubt: Failure("provider_unavailable") if "lost" in doubt.code else None)


def a_server_error_counts_as_failure() -> None:
    """A 500 is taken for a no."""
    _answering(
        lambda doubt: (
            Failure("provider_unavailable")
            if doubt.code in {"provider_error", "500_before", "500_after"}
            else None
        )
    )


def a_conflict_counts_as_failure() -> None:
    """A 409, the first call still at work, is taken for a no."""
    _answering(
        lambda doubt: (
            Failure("provider_unavailable") if doubt.code in {"409", "key_in_use"} else None
        )
    )


def a_decline_counts_as_unknown() -> None:
    """A definite decline is asked about again and again."""
    dial = operations.dial

    def asks_again(*words: Any) -> Outcome | Failure:
        answer: Outcome | Failure = dial(*words)
        if isinstance(answer, Outcome) and answer.result is Result.DECLINED:
            raise UnknownOutcome("declined")
        return answer

    operations.dial = asks_again


def nothing_found_counts_as_failure() -> None:
    """A look-up that finds nothing yet is taken for a no, though the call may still arrive."""
    look = dialling._look

    def gives_up(*words: Any) -> Outcome | Failure:
        return look(*words) or Failure("not_found")

    dialling._look = gives_up
    policy.LOOK_FIRST_AFTER_TRIES = 1


def sent_again_after_a_day() -> None:
    """A key is believed to last for ever, so that nobody looks before sending again."""
    policy.KEY_LASTS = dt.timedelta(days=3650)
    policy.LOOK_FIRST_AFTER_TRIES = 1_000_000


def the_request_is_made_anew() -> None:
    """The same key sends other bytes the second time."""
    kept = claims.from_stored

    def made_anew(*words: Any) -> Any:
        call = kept(*words)
        if isinstance(call, CreateIntent):
            return replace(call, description=f"asked at {clock.now()}")
        return call

    claims.from_stored = made_anew


def an_answer_is_closed_before_it_is_applied() -> None:
    """A call counts as answered first; what the answer means is written afterwards."""

    def closes_first(claim: Any, answer: Any, apply: Any, context: Any) -> None:
        with db.transaction(db.WORKER):
            if not operations._close(claim, answer):
                raise operations._StaleClaimError
        with db.transaction(db.WORKER):
            context.hook("operation.before_apply")
            apply(claim.operation, answer)
            context.hook("operation.applied")

    operations._apply_and_close = closes_first


def claims_are_never_forgiven() -> None:
    """Each unanswered call counts as a death of its worker."""
    let_go = str(claims._LET_GO)
    claims._LET_GO = text(
        let_go.replace(
            "CASE WHEN :forgiven THEN 0 ELSE claims END",
            "CASE WHEN :forgiven THEN claims ELSE claims END",
        )
    )


def the_next_try_is_forgotten() -> None:
    """After a failure the call is due in ten years."""
    policy.wait_seconds = lambda _operation, _tries: 3e8


def a_message_counts_as_seen_before_it_is_kept() -> None:
    """A delivery is remembered, and only then stored."""
    receive = inbox.receive

    def forgets(body: bytes, signature: str, **more: Any) -> Any:
        if body in _seen:
            return None
        _seen.add(body)
        return receive(body, signature, **more)

    inbox.receive = forgets


def a_message_counts_as_done_before_it_is_applied() -> None:
    """The mark is committed first, the news applied afterwards."""

    def marks_first(taken: Any, apply: Any, context: Any) -> None:
        with db.transaction(db.WORKER) as session:
            row = session.get(inbox.ProviderEvent, (taken.provider, taken.event_id))
            if row is None or row.processed_at is not None:
                return
            row.processed_at, row.due_at = clock.now(), None
        with db.transaction(db.WORKER):
            inbox._apply(row, apply)
            context.hook("inbox.applied")

    inbox._apply_and_mark = marks_first


def a_message_that_fails_counts_as_done() -> None:
    """What could not be applied now is never tried again."""
    put_off = str(inbox._PUT_OFF)
    inbox._PUT_OFF = text(
        put_off.replace(
            "due_at = CASE WHEN NOT :aside THEN clock_now() + make_interval(secs => :wait) END",
            "processed_at = clock_now(), due_at = CASE WHEN :aside AND false "
            "THEN clock_now() + make_interval(secs => :wait) END",
        )
    )


def nobody_looks_again() -> None:
    """Payments that wait for the bank are never asked about."""
    _replace_everywhere("look_again", payments, sweep, lambda: 0)


def nothing_is_given_up_at_the_provider() -> None:
    """What ends here stays open there."""
    start.plan_cancel = lambda *_words, **_more: None


BUGS = (
    a_fresh_key_for_each_try,
    a_timeout_counts_as_failure,
    a_server_error_counts_as_failure,
    a_conflict_counts_as_failure,
    a_decline_counts_as_unknown,
    nothing_found_counts_as_failure,
    sent_again_after_a_day,
    the_request_is_made_anew,
    an_answer_is_closed_before_it_is_applied,
    claims_are_never_forgiven,
    the_next_try_is_forgotten,
    a_message_counts_as_seen_before_it_is_kept,
    a_message_counts_as_done_before_it_is_applied,
    a_message_that_fails_counts_as_done,
    nobody_looks_again,
    nothing_is_given_up_at_the_provider,
)


def _answering(read: Any) -> None:
    dial = operations.dial

    def guesses(*words: Any) -> Outcome | Failure:
        try:
            answered: Outcome | Failure = dial(*words)
        except UnknownOutcome as doubt:
            guessed: Failure | None = read(doubt)
            if guessed is None:
                raise
            return guessed
        return answered

    operations.dial = guesses


def _replace_everywhere(name: str, plate: Any, inner: Any, bug: Any) -> None:
    real = getattr(plate, name)
    setattr(plate, name, bug)
    setattr(inner, name, bug)
    from tests.simulation import machines  # noqa: PLC0415 - it holds the chores by value

    machines.CHORES["look"] = bug
    schedule = room("jobs.schedule")
    schedule.SWEEPER = tuple(
        replace(chore, do=bug) if chore.do is real else chore for chore in schedule.SWEEPER
    )
