"""Applying what the provider says of a refund: the same result for any order and number of words.

An answer, a webhook, a look-up and an operator all end here. A refund that succeeded may still
fail, days later; one that has failed at the provider stays failed, whatever older news comes.
"""

from __future__ import annotations

import structlog

from webapp import gateway, payments
from webapp.gateway import Failure, Outcome, Result
from webapp.kernel import clock, db
from webapp.payments import Payment
from webapp.refunds import books, steps
from webapp.refunds.errors import RefundMismatch, RefundWithoutRoom
from webapp.refunds.failures import advice_on
from webapp.refunds.models import Refund
from webapp.refunds.states import CHECK_SENT, SENT_DEADLINE, UNDER_WAY, WAITING, Status

BY = gateway.ACTOR
_RESULTS = frozenset({Result.REFUND_PENDING, Result.REFUND_SUCCEEDED, Result.REFUND_FAILED})
_log = structlog.get_logger(__name__)


def apply(refund_id: str, answer: Outcome | Failure, *, purpose: str | None = None) -> None:
    """Apply one definite answer about a refund; calling it again changes nothing.

    `purpose` is that of the operation which was answered, where one was: a refusal counts only
    when it answers the sending itself. Raises RefundNotFound, RefundMismatch and
    RefundWithoutRoom.
    """
    with db.transaction():
        payment, refund = steps.locked(refund_id)
        if isinstance(answer, Failure):
            if purpose == steps.PURPOSE:
                _refused(refund, answer)
            return
        if answer.result not in _RESULTS:
            return
        _check_same(refund, answer)
        match answer.result:
            case Result.REFUND_PENDING:
                _pending(payment, refund, answer)
            case Result.REFUND_SUCCEEDED:
                _succeeded(payment, refund, answer)
            case _:
                _failed(refund, answer)


def _check_same(refund: Refund, answer: Outcome) -> None:
    """Let nothing through that is about another refund, or about one that we never sent."""
    known = refund.provider_refund_id
    is_other = known is not None and answer.refund_id not in {None, known}
    is_unlike = answer.amount is not None and answer.amount != refund.amount
    was_unsent = refund.status in {*WAITING, Status.CANCELLED}
    if is_other or is_unlike or was_unsent:
        _log.error("refund_mismatch", refund=refund.id, provider_refund=answer.refund_id)
        raise RefundMismatch


def _remember(refund: Refund, answer: Outcome) -> None:
    if refund.provider_refund_id is None:
        refund.provider_refund_id = answer.refund_id
    if answer.bank_reference:
        refund.bank_reference = answer.bank_reference[:100]


def _pending(payment: Payment, refund: Refund, answer: Outcome) -> None:
    is_news = refund.status != Status.SENT and _is_open(payment, refund)
    _remember(refund, answer)
    if not is_news:
        return
    refund.sent_at = clock.now()
    refund.finished_at = None
    steps.lives_again(refund)
    steps.wait_until(refund, check=CHECK_SENT, deadline=SENT_DEADLINE)
    refund.move_to(Status.SENT, because="The provider has it.", by=BY)


def _succeeded(payment: Payment, refund: Refund, answer: Outcome) -> None:
    is_news, known = _is_open(payment, refund), refund.bank_reference
    if is_news:
        books.settle(refund, order_number=steps.order_of(payment).number)
    _remember(refund, answer)
    if is_news:
        steps.succeed(refund, because="The provider has paid it out.", by=BY)
    elif refund.status == Status.SUCCEEDED and refund.bank_reference != known:
        refund.move_to(Status.SUCCEEDED, because="The bank has given its reference.", by=BY)


def _is_open(payment: Payment, refund: Refund) -> bool:
    """Whether good news moves the refund: it is under way, or was given up without being known.

    The latter is booked anew, and set-aside money is no longer there to be decided about. Where
    that was decided otherwise meanwhile (AnomalyDecided), or other refunds have left no room for it
    (RefundWithoutRoom), nothing is booked and the message waits for a person with that reason.
    """
    if refund.status in UNDER_WAY:
        return True
    if refund.status != Status.FAILED or refund.provider_refund_id is not None:
        return False
    if refund.anomaly_id is None and refund.amount.minor > payment.refundable.minor:
        _log.error("refund_without_room", refund=refund.id)
        raise RefundWithoutRoom
    if refund.anomaly_id is not None:
        payments.begin_return(payments.locked_anomaly(refund.anomaly_id), by=BY)
    books.leave(refund, order_number=steps.order_of(payment).number, again=True)
    return True


def _failed(refund: Refund, answer: Outcome) -> None:
    code = answer.failure_code or "unknown"
    _remember(refund, answer)
    if refund.status in {*UNDER_WAY, Status.SUCCEEDED}:
        steps.fail(refund, code, because=advice_on(code).says, by=BY)


def _refused(refund: Refund, failure: Failure) -> None:
    """The provider refused the request itself: it was not done and never will be."""
    if refund.status == Status.UNSENT and refund.provider_refund_id is None:
        steps.fail(refund, failure.code, because=advice_on(failure.code).says, by=BY)
