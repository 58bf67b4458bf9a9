"""Verbs of people: ask for a refund, approve or refuse it, undo it while nothing has left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from webapp import orders, payments
from webapp.kernel import clock, crypto, db, ids
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money, payable
from webapp.orders import Order
from webapp.outbox import SYSTEM, Actor
from webapp.payments import Payment
from webapp.refunds import blockers, origin, policy, steps, switch
from webapp.refunds.errors import (
    AvailableChanged,
    RefundBlocked,
    RefundDecided,
    RefundExceedsAvailable,
    RefundNotPossible,
    UndoTooLate,
)
from webapp.refunds.models import Refund
from webapp.refunds.states import (
    APPROVAL_DEADLINE,
    NOT_DONE,
    Destination,
    Reason,
    Status,
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for, checked as far as that goes without the payment."""

    amount: Money
    reason: Reason
    note: str
    destination: str
    target_order_id: str | None
    details: dict[str, Any]


def request(  # noqa: PLR0913 - what a person fills in on one form
    payment_id: str,
    *,
    amount: Money,
    reason: str,
    note: str = "",
    destination: str = "original",
    target_order_id: str | None = None,
    seen_available: Money | None = None,
    details: Mapping[str, Any] | None = None,
    by: Actor,
) -> Refund:
    """Ask for `amount` of a captured payment to go back; more than the limit waits for approval.

    The platform keeps its fee. `seen_available` is what the caller was shown as left: when that
    has changed, nothing is done. What was paid from a wallet goes back into it. Not idempotent by
    itself: the door remembers the form or the key, and the payment can be refunded once at most.

    Raises Invalid naming the field, PaymentNotFound, RefundNotPossible, RefundBlocked,
    AvailableChanged and RefundExceedsAvailable.
    """
    asked = _checked(amount, reason, note, destination, target_order_id, dict(details or {}))
    with db.transaction():
        if asked.target_order_id is not None:
            _lock_target(asked.target_order_id)
        payment = payments.locked(payment_id)
        order = steps.order_of(payment)
        if seen_available is not None and seen_available != payment.refundable:
            raise AvailableChanged
        _check_payment(payment, order)
        goes_to = _check_destination(payment, asked)
        if amount.currency != payment.currency:
            raise Invalid(f"This payment was made in {payment.currency}.", param="amount")
        if amount > payment.refundable:
            raise RefundExceedsAvailable(param="amount")
        refund = _new(payment, asked, destination=goes_to, by=by)
        _begin(payment, refund, because="It was asked for.", by=by)
        steps.note("refund.requested", refund, by=by, reason=refund.reason)
        return refund


def approve(refund_id: str, *, by: Actor) -> Refund:
    """Approve a refund that waits for a second person; it leaves when it can no longer be undone.

    Approving it again changes nothing. Raises RefundNotFound, SameApprover, RefundDecided and
    RefundBlocked.
    """
    with db.transaction():
        payment, refund = steps.locked(refund_id)
        if refund.status != Status.REQUESTED:
            if refund.approved_by_id is not None and refund.approved_by_id == by.id:
                return refund
            raise RefundDecided
        if refusal := policy.why_not_approve(refund, by):
            raise refusal
        if reasons := blockers.blocked_because(payment):
            raise RefundBlocked(reasons)
        refund.approved_by_kind, refund.approved_by_id = by.kind, by.id
        refund.leaves_at = _leaves_at(refund)
        refund.check_at = refund.deadline_at = None
        refund.move_to(Status.APPROVED, because="A second person approved it.", by=by)
        steps.note("refund.approved", refund, by=by)
        return refund


def refuse(refund_id: str, *, because: str, by: Actor) -> Refund:
    """Refuse a refund that waits for approval; refusing it again changes nothing.

    Whoever asked may withdraw it so. Raises Invalid without a reason, and RefundDecided.
    """
    said = _words(because, param="because")
    if not said:
        raise Invalid("Say why, for the record.", param="because")
    with db.transaction():
        _payment, refund = steps.locked(refund_id)
        if refund.status == Status.CANCELLED:
            return refund
        if refund.status != Status.REQUESTED:
            raise RefundDecided
        steps.cancel(refund, because=said, by=by)
        steps.note("refund.refused", refund, by=by)
        return refund


def undo(refund_id: str, *, by: Actor) -> Refund:
    """Call a refund off before it leaves; calling it off again changes nothing.

    Whoever may refund may stop one, a colleague's too: nothing leaves by it, and it says who.
    While refunds are frozen nothing leaves, so that undoing stays possible. Raises UndoTooLate,
    and RefundNotPossible for set-aside money, which goes back at once when it need not be approved.
    """
    with db.transaction():
        _payment, refund = steps.locked(refund_id)
        if refund.status == Status.CANCELLED:
            return refund
        if refund.anomaly_id is not None and refund.status != Status.REQUESTED:
            raise RefundNotPossible("Money that fits no order goes back at once.")
        if refund.status == Status.APPROVED:
            has_left = refund.leaves_at is not None and refund.leaves_at <= clock.now()
            if has_left and switch.frozen() is None:
                raise UndoTooLate
        elif refund.status != Status.REQUESTED:
            raise UndoTooLate
        action, because = _called_off(refund, by)
        steps.cancel(refund, because=because, by=by)
        steps.note(action, refund, by=by)
        return refund


def _called_off(refund: Refund, by: Actor) -> tuple[str, str]:
    """Return the act and the reason of calling a refund off, by how far it had got and by whom."""
    if refund.status != Status.REQUESTED:
        return "refund.undone", "It was undone before it left."
    if by.id == refund.requested_by_id:
        return "refund.withdrawn", "Whoever asked for it withdrew it."
    return "refund.withdrawn", "Somebody else than who asked for it withdrew it."


def refund_set_aside(anomaly_id: str, *, by: Actor) -> Refund:
    """Send money that fits no order back whole to where it came from; nobody keeps a fee of it.

    Called again it returns the refund under way. The portal itself tries once: after a refund of
    it has failed a person decides, and more than the limit waits for a second person. Raises
    AnomalyNotFound, AnomalyDecided and RefundBlocked.
    """
    with db.transaction():
        payment = payments.locked(payments.anomaly(anomaly_id).payment_id)
        anomaly = payments.locked_anomaly(anomaly_id)
        earlier = db.session.scalars(
            select(Refund).where(Refund.anomaly_id == anomaly_id).order_by(Refund.id.desc())
        ).first()
        if earlier is not None and (anomaly.status != "open" or by.kind == "system"):
            return earlier
        if anomaly.status != "open":
            raise payments.AnomalyDecided
        if reasons := blockers.blocked_because(payment):
            raise RefundBlocked(reasons)
        asked = _Asked(anomaly.amount, Reason.OTHER, "", Destination.ORIGINAL, None, {})
        refund = _new(payment, asked, destination=Destination.ORIGINAL, by=by)
        refund.anomaly_id = anomaly.id
        payments.begin_return(anomaly, by=by)
        _begin(payment, refund, because="It fits no order, so it goes back.", by=by)
        steps.note("refund.requested", refund, by=by, anomaly=anomaly.id)
        return refund


def why_not_refund(payment: Payment) -> list[str]:
    """Return every reason why nothing of this payment can be refunded now; empty when it can."""
    return blockers.why_not_refund(payment, steps.order_of(payment))


def _checked(
    amount: Money,
    reason: str,
    note: str,
    destination: str,
    target_order_id: str | None,
    details: dict[str, Any],
) -> _Asked:
    payable(amount)
    if reason not in set(Reason):
        raise Invalid("Choose a reason from the list.", param="reason")
    if destination not in set(Destination):
        raise Invalid("Choose where the money goes.", param="destination")
    if (destination == Destination.ORDER_CREDIT) != (target_order_id is not None):
        raise Invalid("Name the order that the credit pays.", param="target_order_id")
    if len(details) > policy.MAX_METADATA:
        raise Invalid(f"Metadata has at most {policy.MAX_METADATA} keys.", param="metadata")
    said = _words(note, param="note")
    return _Asked(amount, Reason(reason), said, destination, target_order_id, details)


def _words(typed: str, *, param: str) -> str:
    said = typed.strip()
    if len(said) > policy.MAX_NOTE:
        raise Invalid(f"Keep it to {policy.MAX_NOTE} characters.", param=param)
    if "\x00" in said:
        raise Invalid("It has a character that cannot be stored.", param=param)
    if crypto.looks_like_card_number(said):
        raise Invalid("That looks like a card number. Never write those here.", param=param)
    return said


def _check_payment(payment: Payment, order: Order) -> None:
    if reason := policy.why_not_payment(payment, is_top_up=order.kind == "top_up"):
        raise RefundNotPossible(reason)
    if reasons := blockers.blocked_because(payment):
        raise RefundBlocked(reasons)


def _check_destination(payment: Payment, asked: _Asked) -> str:
    goes_to = origin.goes_to(payment, asked.destination)
    if reason := origin.why_not_destination(payment, goes_to):
        raise RefundNotPossible(reason)
    if goes_to == Destination.ORDER_CREDIT:
        _check_target(payment, asked)
    return goes_to


def _lock_target(order_id: str) -> None:
    """Have two credits of one order wait for each other; orders are locked before payments."""
    try:
        orders.locked(order_id)
    except orders.OrderNotFound as unknown:
        raise Invalid("There is no such order.", param="target_order_id") from unknown


def _check_target(payment: Payment, asked: _Asked) -> None:
    """Check the order that a credit is to pay; it is locked and checked again when it leaves."""
    target = orders.orders_with_ids([asked.target_order_id or ""]).get(asked.target_order_id or "")
    is_own = target is not None and (target.merchant_id, target.livemode) == (
        payment.merchant_id,
        payment.livemode,
    )
    if target is None or not is_own or target.kind != "sale":
        raise Invalid("There is no such order.", param="target_order_id")
    if target.status != "pending":
        raise Invalid("That order is not waiting to be paid.", param="target_order_id")
    if not payments.is_same_shopper(payment, target):
        raise Invalid(
            "That order is not known to be of the shopper whose money it is.",
            param="target_order_id",
        )
    if target.amount != asked.amount:
        raise Invalid("Credit pays an order whole: choose one of this amount.", param="amount")
    on_its_way = select(Refund.id).where(
        Refund.target_order_id == target.id, Refund.status.not_in(NOT_DONE)
    )
    if db.session.scalar(on_its_way.limit(1)) is not None:
        raise Invalid("Another refund is about to pay that order.", param="target_order_id")


def _new(payment: Payment, asked: _Asked, *, destination: str, by: Actor) -> Refund:
    return Refund(
        id=ids.new("refund"),
        merchant_id=payment.merchant_id,
        livemode=payment.livemode,
        user_id=payment.user_id,
        payment_id=payment.id,
        amount_minor=asked.amount.minor,
        currency=asked.amount.currency,
        reason=asked.reason.value,
        note=asked.note,
        destination=str(destination),
        target_order_id=asked.target_order_id,
        needs_approval=False,
        requested_by_kind=by.kind,
        requested_by_id=by.id,
        created_at=clock.now(),
        details=asked.details,
    )


def _begin(payment: Payment, refund: Refund, *, because: str, by: Actor) -> None:
    """Have a refund leave when it can no longer be undone; what people ask for needs two of them.

    What the portal itself sends back is nobody's decision, so nobody approves it.
    """
    is_large = policy.needs_approval(payment, refund.amount, steps.limits())
    refund.needs_approval = is_large and by.kind != SYSTEM.kind
    if refund.needs_approval:
        steps.wait_until(refund, check=APPROVAL_DEADLINE, deadline=APPROVAL_DEADLINE)
        because = "It is more than one person may refund alone."
        refund.begin(Status.REQUESTED, because=because, by=by)
    else:
        refund.leaves_at = _leaves_at(refund)
        refund.begin(Status.APPROVED, because=because, by=by)
    db.session.refresh(payment, ["refund_reserved_minor"])


def _leaves_at(refund: Refund) -> dt.datetime:
    """Return until when it can be undone; what was set aside leaves at once."""
    undo = steps.limits().undo if refund.anomaly_id is None else dt.timedelta(0)
    return clock.now() + undo
