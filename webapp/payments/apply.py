"""Applying what the provider says: the same result for any order and number of messages.

An API answer, a webhook, a look-up and an operator all end here. Whoever comes first moves the
payment; the rest find it moved and change nothing. Only forward moves exist.
"""

from __future__ import annotations

from sqlalchemy import exists, select

from webapp import gateway, ledger, orders
from webapp.gateway import Failure, Outcome, Result
from webapp.kernel import clock, db, ids, words
from webapp.kernel.money import Money
from webapp.orders import Order
from webapp.payments import entries, holds, start, steps
from webapp.payments.anomalies import SET_ASIDE
from webapp.payments.models import Anomaly, Attempt, Payment
from webapp.payments.states import (
    ACTION_DEADLINE,
    AUTHORISED_DEADLINE,
    BEFORE_THE_BANK,
    CHECK_ACTION,
    CHECK_AUTHORISED,
    LIVE,
    LOST,
    UNDER_WAY,
    AnomalyKind,
    Status,
)
from webapp.payments.steps import MAX_ATTEMPTS

BY = gateway.ACTOR
#: A try's 3-D Secure check that was asked for and has not ended.
CHALLENGED = "challenged"
CHECK_FAILED = "payment_intent_authentication_failure"
#: The states that wait for the answer to an open try.
CAN_BE_DECLINED = (Status.PROCESSING, Status.REQUIRES_ACTION)
#: An answer to a cancel after which the bank may hold the money, or come to hold it.
MAY_BE_HELD = frozenset({Result.PROCESSING, Result.REQUIRES_ACTION, Result.AUTHORISED})
#: How often we go on by ourselves where a provider will not let an intent go.
MOST_CANCELS = 5


def apply(payment_id: str, outcome: Outcome | Failure, *, purpose: str | None = None) -> None:
    """Apply one definite answer about a payment; calling it again changes nothing.

    `purpose` is that of the operation which was answered, where one was. Raises PaymentNotFound.
    """
    with db.transaction():
        order, payment = steps.locked_with_order(payment_id)
        if isinstance(outcome, Failure):
            _refused(order, payment, outcome, purpose)
        else:
            _remember_ids(payment, outcome)
            _answered(order, payment, outcome)
            _not_done(payment, outcome, purpose)


def _answered(order: Order, payment: Payment, outcome: Outcome) -> None:
    match outcome.result:
        case Result.CREATED:
            _created(payment)
        case Result.REQUIRES_ACTION:
            _requires_action(payment, outcome)
        case Result.SESSION_OPEN:
            _session_open(payment, outcome)
        case Result.AUTHORISED:
            _authorised(order, payment, outcome)
        case Result.SUCCEEDED:
            _succeeded(order, payment, outcome)
        case Result.DECLINED:
            _declined(order, payment, outcome)
        case Result.CANCELLED:
            _cancelled(payment)
        case Result.SESSION_EXPIRED:
            _session_expired(order, payment)
        case Result.PROCESSING:
            pass


def _remember_ids(payment: Payment, outcome: Outcome) -> None:
    if outcome.intent_id and payment.provider_intent_id is None:
        payment.provider_intent_id = outcome.intent_id
    if outcome.session_id and payment.provider_session_id is None:
        payment.provider_session_id = outcome.session_id


def _created(payment: Payment) -> None:
    attempt = steps.open_attempt(payment)
    if payment.status != Status.PROCESSING or attempt is None or attempt.method_kind != "card":
        return
    if not gateway.has_operation(payment.id, purpose=attempt.id, kind=gateway.Kind.CONFIRM):
        start.plan_confirm(payment, attempt)


def _requires_action(payment: Payment, outcome: Outcome) -> None:
    attempt = _attempt_of(payment, outcome)
    if attempt is None or attempt.status != "processing" or not outcome.next_url:
        return
    if payment.status != Status.PROCESSING:
        return
    steps.remember_card(payment, attempt, outcome.card)
    attempt.three_d_secure = CHALLENGED
    _await_shopper(payment, attempt, outcome.next_url)
    payment.move_to(Status.REQUIRES_ACTION, because="The bank asks the shopper to confirm.", by=BY)


def _session_open(payment: Payment, outcome: Outcome) -> None:
    attempt = steps.open_attempt(payment)
    if attempt is None or attempt.status != "processing" or not outcome.next_url:
        return
    if payment.status != Status.PROCESSING:
        return
    _await_shopper(payment, attempt, outcome.next_url)
    payment.move_to(Status.REQUIRES_ACTION, because="The provider’s payment page is open.", by=BY)


def _await_shopper(payment: Payment, attempt: Attempt, next_url: str) -> None:
    now = clock.now()
    attempt.status = "awaiting_shopper"
    attempt.next_url_sealed = attempt.sealed("next_url", next_url)
    payment.check_at = now + CHECK_ACTION
    payment.deadline_at = now + ACTION_DEADLINE


def _authorised(order: Order, payment: Payment, outcome: Outcome) -> None:
    """The bank holds the money: the shopper is done. What nobody can take any more is let go."""
    if payment.status in LOST:
        start.plan_cancel(payment, is_held=True)
        return
    if payment.status == Status.AUTHORISED:
        _hold_ends(payment, outcome)
    if not payment.can_move_to(Status.AUTHORISED):
        return
    attempt = _attempt_of(payment, outcome)
    _note_charge(payment, attempt, outcome, checked="authenticated")
    if attempt is not None and attempt.is_open:
        steps.end_attempt(attempt, "succeeded")
    held = outcome.amount if outcome.amount is not None else payment.amount
    now = clock.now()
    payment.authorised_minor = min(held.minor, payment.amount_minor)
    payment.capture_before = payment.deadline_at = now + AUTHORISED_DEADLINE
    _hold_ends(payment, outcome)
    payment.check_at = now + CHECK_AUTHORISED
    payment.move_to(Status.AUTHORISED, because="The bank holds the money.", by=BY)
    if order.status != "pending" or held.currency != payment.currency:
        holds.let_go(payment, because="The order could not take the money any more.")
        return
    orders.close_open_checkout(order.id, "complete", because="The bank holds the money.", by=BY)


def _hold_ends(payment: Payment, outcome: Outcome) -> None:
    """Bring the end of a hold forward where the bank lets go sooner than most do."""
    if outcome.held_until is None or payment.capture_before is None:
        return
    last = max(clock.now(), outcome.held_until - BEFORE_THE_BANK)
    if last < payment.capture_before:
        payment.capture_before = last
        payment.deadline_at = min(payment.deadline_at or last, last)


def _succeeded(order: Order, payment: Payment, outcome: Outcome) -> None:
    if not outcome.amount:
        return
    if payment.status == Status.CAPTURED and _came_beside(payment, outcome):
        _set_aside(payment, outcome.amount, AnomalyKind.DOUBLE_PAYMENT, None)
        return
    attempt = _attempt_of(payment, outcome)
    _note_charge(payment, attempt, outcome, checked="authenticated")
    if payment.status == Status.CAPTURED:
        return
    kind = _why_not_take(order, payment, outcome.amount)
    if kind is not None and kind != AnomalyKind.OVERPAID:
        _set_aside(payment, outcome.amount, kind, attempt)
        return
    _end_other_live_payment(order, payment)
    source = ledger.clearing(bool(payment.livemode), payment.currency)
    taken = min(outcome.amount, payment.amount, key=lambda money: money.minor)
    start.take(order, payment, attempt, source=source, amount=taken)
    if kind is not None:
        _set_aside(payment, outcome.amount - payment.amount, kind, None)


def _came_beside(payment: Payment, outcome: Outcome) -> bool:
    """Whether money came beside what the payment took: it paid by wallet, or by another intent.

    The charge that a try of it knows is the one that was taken, whatever intent it names.
    """
    if payment.method_kind == "wallet":
        return True
    if outcome.intent_id is None or outcome.intent_id == payment.provider_intent_id:
        return False
    known = exists().where(Attempt.payment_id == payment.id, Attempt.charge_id == outcome.charge_id)
    return not db.session.scalar(select(known))


def _why_not_take(order: Order, payment: Payment, came: Money) -> AnomalyKind | None:
    """Return why money that came does not just pay the order, or None; too much pays it too."""
    if order.status != "pending":
        is_late = payment.status in LOST and order.status != "completed"
        return AnomalyKind.LATE_SUCCESS if is_late else AnomalyKind.DOUBLE_PAYMENT
    if came.currency != payment.currency:
        return AnomalyKind.AMOUNT_MISMATCH
    if came.minor > payment.amount_minor:
        return AnomalyKind.OVERPAID
    is_part = 0 < came.minor < payment.amount_minor
    if came == payment.amount or (is_part and order.capture_later):
        return None
    return AnomalyKind.UNDERPAID


def _note_charge(
    payment: Payment, attempt: Attempt | None, outcome: Outcome, *, checked: str
) -> None:
    """Note what a message tells of the card and its charge; later ones fill in what was missing.

    `checked` is how a bank's check ended that was asked for, where the message does not say.
    """
    steps.remember_card(payment, attempt, outcome.card)
    if attempt is None:
        return
    attempt.charge_id = attempt.charge_id or outcome.charge_id
    attempt.approval_code = attempt.approval_code or outcome.approval_code
    attempt.network_reference = attempt.network_reference or outcome.network_reference
    asked = attempt.three_d_secure == CHALLENGED
    attempt.three_d_secure = outcome.three_d_secure or (
        checked if asked else attempt.three_d_secure
    )


def _end_other_live_payment(order: Order, payment: Payment) -> None:
    """Let a late success pay the order: another payment that waits for a method gives way."""
    if payment.status in LIVE:
        return
    other = steps.live_payment(order.id)
    if other is None:
        return
    if other.status == Status.AUTHORISED:
        holds.let_go(other, because="An earlier payment of this order succeeded.")
        return
    if other.status in UNDER_WAY:
        if other.status == Status.REQUIRES_ACTION:
            start.plan_cancel(other)
        return
    start.plan_cancel(other)
    because = "An earlier payment of this order succeeded."
    steps.finish(other, Status.CANCELLED, because=because, by=BY)


def _set_aside(payment: Payment, amount: Money, kind: AnomalyKind, attempt: Attempt | None) -> None:
    """Record money that fits no order: into suspense, with an anomaly to be decided, once."""
    livemode = bool(payment.livemode)
    posted = ledger.post(
        f"{SET_ASIDE}:{payment.id}",
        entries.set_aside(livemode=livemode, amount=amount),
        kind=SET_ASIDE,
        merchant_id=payment.merchant_id or "",
        livemode=livemode,
        because="Money came that fits no open order.",
    )
    if posted is None:
        return
    anomaly = Anomaly(
        id=ids.new("anomaly"),
        payment_id=payment.id,
        merchant_id=payment.merchant_id,
        livemode=livemode,
        user_id=payment.user_id,
        kind=kind.value,
        amount_minor=amount.minor,
        currency=amount.currency,
        note=_note(payment, amount, kind),
        opened_at=clock.now(),
    )
    anomaly.begin("open", because=anomaly.note, by=BY)
    if attempt is not None and attempt.is_open:
        steps.end_attempt(attempt, "abandoned")
    if payment.status in LIVE:
        because = "The money came but the order could not take it; it is set aside."
        steps.finish(payment, Status.FAILED, because=because, by=BY)


def _note(payment: Payment, amount: Money, kind: AnomalyKind) -> str:
    """Return why money was set aside, for whoever decides what becomes of it."""
    came, asked = words.money_short(amount), words.money_short(payment.amount)
    match kind:
        case AnomalyKind.LATE_SUCCESS:
            return f"{came} came after the order had been cancelled."
        case AnomalyKind.DOUBLE_PAYMENT:
            return f"{came} came for an order that was paid already."
        case AnomalyKind.OVERPAID:
            return f"{came} more came than the {asked} that the order asked for."
        case AnomalyKind.UNDERPAID | AnomalyKind.AMOUNT_MISMATCH:
            return f"{came} came; the order asks for {asked}."


def _declined(order: Order, payment: Payment, outcome: Outcome) -> None:
    attempt = _attempt_of(payment, outcome)
    if attempt is None or not attempt.is_open or payment.status not in CAN_BE_DECLINED:
        return
    decline = outcome.decline
    code = (decline.decline_code or decline.code) if decline else "generic_decline"
    checked = "failed" if code == CHECK_FAILED else "authenticated"
    _note_charge(payment, attempt, outcome, checked=checked)
    _back_to_method(order, payment, attempt, status="declined", code=code)


def _cancelled(payment: Payment) -> None:
    if payment.status not in LIVE:
        return
    attempt = steps.open_attempt(payment)
    if attempt is not None:
        steps.end_attempt(attempt, "abandoned")
    because = "It was cancelled at the provider."
    if payment.status == Status.AUTHORISED:
        because = payment.void_because or "The bank let go of the money before it was taken."
    steps.finish(payment, Status.CANCELLED, because=because, by=BY)


def _session_expired(order: Order, payment: Payment) -> None:
    """End the try on the provider's page; a second message about it finds it ended."""
    attempt = steps.open_attempt(payment)
    if attempt is None or attempt.method_kind != "hosted":
        return
    if payment.status in CAN_BE_DECLINED:
        _back_to_method(order, payment, attempt, status="abandoned", code="abandoned")


def _refused(order: Order, payment: Payment, failure: Failure, purpose: str | None) -> None:
    """A request of ours was refused: the try that it belongs to ends, with no money moved.

    Held money that could not be taken or let go stays held, and either can be asked for again.
    """
    if purpose == start.CAPTURE:
        payment.capturing_minor = None
        return
    if purpose == start.cancel_of(payment):
        payment.void_because = None
        return
    attempt = steps.open_attempt(payment)
    if attempt is None or attempt.id != purpose or payment.status not in CAN_BE_DECLINED:
        return
    known = failure.code in steps.DECLINE_CODES
    code = failure.code if known else "provider_unavailable"
    _back_to_method(order, payment, attempt, status="declined", code=code)


def _not_done(payment: Payment, outcome: Outcome, purpose: str | None) -> None:
    """Let held money be asked for again where the answer says that it is neither taken nor let go.

    Where nobody would ask any more we look where it stands now: a bank may hold it just since.
    """
    if outcome.result in {Result.SUCCEEDED, Result.CANCELLED}:
        return
    if purpose == start.CAPTURE:
        payment.capturing_minor = None
    elif purpose == start.cancel_of(payment):
        payment.void_because = None
        if payment.status in LOST and outcome.result in MAY_BE_HELD:
            tried = [one for one in gateway.operations_of(payment.id) if one.purpose == purpose]
            if len(tried) <= MOST_CANCELS:
                start.plan_look_up(payment)


def _back_to_method(
    order: Order, payment: Payment, attempt: Attempt, *, status: str, code: str
) -> None:
    steps.end_attempt(attempt, status, decline_code=code)
    payment.last_decline_code = code
    payment.check_at = payment.deadline_at = None
    if order.status != "pending":
        because = "The try ended after its order had been paid in another way."
    elif payment.attempt_count >= MAX_ATTEMPTS:
        because = "It was tried too many times."
    else:
        said = "The bank declined." if status == "declined" else "The try was not finished."
        payment.move_to(Status.AWAITING_METHOD, because=said, by=BY)
        return
    steps.finish(payment, Status.FAILED, because=because, by=BY)
    start.plan_cancel(payment)


def _attempt_of(payment: Payment, outcome: Outcome) -> Attempt | None:
    """Return the try that an outcome is about: by its method where named, else the open one."""
    if outcome.method_id:
        named = steps.attempt_with_method(payment, outcome.method_id)
        if named is not None:
            return named
    attempt = steps.open_attempt(payment)
    if attempt is not None and outcome.method_id and attempt.provider_method_id:
        return None
    return attempt
