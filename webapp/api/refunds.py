"""Refunds: asked for, approved or refused by a second person, withdrawn."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from webapp import payments, refunds, webhooks
from webapp.api.caller import caller, needs
from webapp.api.errors import ParameterInvalid, ParameterUnknown
from webapp.api.expanding import Expand, Expandable, expanded
from webapp.api.lists import after, asked_page, listing, moment
from webapp.api.models import Body, CreatedQuery, Currency, Metadata, Minor, Query, Thing, Words
from webapp.api.refund_shape import refund_for
from webapp.api.routing import get, post
from webapp.kernel.errors import Forbidden, Invalid
from webapp.kernel.money import Money
from webapp.refunds import RefundFilter

TAG = "Refunds"
Status = Literal["PENDING", "PROCESSING", "SUCCESS", "FAILED", "CANCELLED"]
Reason = Literal["duplicate", "fraudulent", "requested_by_customer", "other"]
Destination = Literal["original", "wallet", "order_credit"]
#: Which of our states a status outside stands for.
STATES: dict[str, tuple[str, ...]] = {
    "PENDING": ("requested", "approved", "unsent"),
    "PROCESSING": ("sent",),
    "SUCCESS": ("succeeded",),
    "FAILED": ("failed",),
    "CANCELLED": ("cancelled",),
}


class Refund(Thing):
    """Money of a payment that goes back to its shopper."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **webhooks.BY_NAME["refund.processed"].example,
        "note": "",
        "needs_approval": False,
        "leaves_at": None,
    }

    object: Literal["refund"]
    status: Status
    amount: int
    currency: str
    state: str = Field(description="Finer than status: requested, approved, unsent, sent …")
    payment: Expandable
    anomaly: str | None = Field(description="The money set aside that goes back, where it is that.")
    reason: str = Field(description="To its shopper one that judges them is told as other.")
    destination: Destination
    target_order: Expandable | None
    bank_reference: str | None = Field(description="What the shopper can quote to their bank.")
    failure_code: str | None
    failure_reason: str | None
    expected_by: str | None
    sent_at: int | None
    note: str
    needs_approval: bool = Field(description="Whether a second person has to approve it.")
    leaves_at: int | None = Field(description="Until then it can be withdrawn.")


class RefundPayment(Body):
    """How much of one payment goes back, and why."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "amount": 20000,
        "reason": "requested_by_customer",
        "metadata": {"ticket": "8841"},
    }

    amount: Minor | None = Field(None, description="All that is left, if left out.")
    reason: Reason = "requested_by_customer"
    note: Annotated[Words, Field(max_length=500)] = ""
    destination: Destination = Field("original", description="What came from a wallet goes there.")
    target_order: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="With order_credit: the unpaid order of the same shopper that it pays."
    )
    seen_available: Annotated[int, Field(ge=0)] | None = Field(
        None, description="What you were shown as left; refused with 409 when that has changed."
    )
    metadata: Metadata = Field({}, validate_default=False)


class CreateRefund(RefundPayment):
    """Which payment is refunded, how much of it, and why."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "payment": "pay_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        **RefundPayment.EXAMPLE,
    }

    payment: Annotated[str, Field(max_length=64, description="The id of a payment that was taken.")]


class RefuseRefund(Body):
    """Why a refund is refused."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"reason": "The goods did not come back."}

    reason: Annotated[Words, Field(min_length=1, max_length=500)]


class RefundsOfPaymentQuery(CreatedQuery):
    """Filters of one payment's refunds."""

    status: Status | None = None
    currency: Currency | None = None
    reason: Reason | None = None
    destination: Destination | None = None
    expand: Expand


class RefundQuery(RefundsOfPaymentQuery):
    """Filters of refunds."""

    payment: str | None = Field(None, max_length=64)


class RefundExpandQuery(Query):
    """What is to be told in full."""

    expand: Expand


@post("/refunds", tag=TAG, gives=Refund)
@needs(scope="refunds:write", act="refund", provider=True)
def create_refund(body: CreateRefund) -> dict[str, Any]:
    """Create a refund.

    Asks for money of a payment to go back. It can be withdrawn until it leaves; more than the
    merchant's limit waits for a second person. The platform keeps its fee.
    """
    return refund_shown(ask_refund(body.payment, body))


@post("/payments/<string:payment_id>/refunds", tag=TAG, gives=Refund)
@needs(scope="refunds:write", act="refund", provider=True)
def refund_payment(payment_id: str, body: RefundPayment) -> dict[str, Any]:
    """Refund a payment.

    The same as creating a refund, at the payment's own address.
    """
    return refund_shown(ask_refund(payment_id, body))


@get("/refunds", tag=TAG, gives=Refund, is_list=True)
@needs(scope="refunds:read", person=True)
def list_refunds(query: RefundQuery) -> dict[str, Any]:
    """List refunds.

    Newest first, by status, payment, currency, reason, destination and when they were asked for.
    People who name no merchant see those to themselves, and leave out reason.
    """
    return _listed(query, payment_id=query.payment)


@get("/payments/<string:payment_id>/refunds", tag=TAG, gives=Refund, is_list=True)
@needs(scope="refunds:read")
def list_refunds_of_payment(payment_id: str, query: RefundsOfPaymentQuery) -> dict[str, Any]:
    """List the refunds of a payment.

    Newest first, by status, currency, reason, destination and when they were asked for.
    """
    payments.payment_of(caller().merchant, payment_id)
    return _listed(query, payment_id=payment_id)


@get("/refunds/<string:refund_id>", tag=TAG, gives=Refund)
@needs(scope="refunds:read", person=True)
def get_refund(refund_id: str, query: RefundExpandQuery) -> dict[str, Any]:
    """Get a refund.

    As it stands now; people who name no merchant read those to themselves.
    """
    return expanded(refund_shown(_refund(refund_id)), query.expand)


@post("/refunds/<string:refund_id>/approve", tag=TAG, gives=Refund, status=200)
@needs(scope="refunds:write", act="approve_refund")
def approve_refund(refund_id: str) -> dict[str, Any]:
    """Approve a refund.

    For people: a second person with the right to, never whoever asked. Keys are refused.
    """
    refund = _refund(refund_id)
    _for_people()
    return refund_shown(refunds.approve(refund.id, by=caller().actor))


@post("/refunds/<string:refund_id>/refuse", tag=TAG, gives=Refund, status=200)
@needs(scope="refunds:write", act="approve_refund")
def refuse_refund(refund_id: str, body: RefuseRefund) -> dict[str, Any]:
    """Refuse a refund.

    For people: one that waits for approval ends, and nothing was refunded. Keys are refused.
    """
    refund = _refund(refund_id)
    _for_people()
    return refund_shown(refunds.refuse(refund.id, because=body.reason, by=caller().actor))


@post("/refunds/<string:refund_id>/withdraw", tag=TAG, gives=Refund, status=200)
@needs(scope="refunds:write", act="refund")
def withdraw_refund(refund_id: str) -> dict[str, Any]:
    """Withdraw a refund.

    Calls one off before it leaves; leaves_at says until when. Refused with 409 afterwards.
    """
    refund = _refund(refund_id)
    return refund_shown(refunds.undo(refund.id, by=caller().actor))


def ask_refund(payment_id: str, body: RefundPayment) -> refunds.Refund:
    """Ask for a refund of the caller's payment; raises PaymentNotFound, and the room's refusals."""
    who = caller()
    payment = payments.payment_of(who.merchant, payment_id).payment
    amount = payment.refundable if body.amount is None else Money(body.amount, payment.currency)
    if not amount:
        raise refunds.RefundNotPossible("Nothing of this payment is left to be refunded.")
    if body.target_order is not None and body.destination != "order_credit":
        raise ParameterInvalid("This goes with destination order_credit.", param="target_order")
    seen = body.seen_available
    try:
        return refunds.request(
            payment.id,
            amount=amount,
            reason=body.reason,
            note=body.note,
            destination=body.destination,
            target_order_id=body.target_order,
            seen_available=None if seen is None else Money(seen, payment.currency),
            details=dict(body.metadata),
            by=who.actor,
        )
    except Invalid as refusal:
        if refusal.param == "target_order_id":
            refusal.param = "target_order"
        raise


def refund_shown(refund: refunds.Refund) -> dict[str, Any]:
    """Return a refund as the API shows it; what was noted of it is the merchant's own."""
    who = caller()
    return {
        **refund_for(who, refund),
        "note": refund.note if who.merchant_id is not None else "",
        "needs_approval": refund.needs_approval,
        "leaves_at": int(refund.leaves_at.timestamp()) if refund.leaves_at else None,
    }


def _listed(query: RefundsOfPaymentQuery, *, payment_id: str | None) -> dict[str, Any]:
    """Return the refunds in the caller's sight that a query selects, of one payment or of all."""
    who = caller()
    page = asked_page(query, _refund)
    asked = RefundFilter(
        statuses=STATES[query.status] if query.status else (),
        payment_id=payment_id,
        currency=query.currency,
        reason=query.reason,
        destination=query.destination,
        since=moment(query.created_gte),
        until=after(query.created_lte),
    )
    if who.merchant_id is not None:
        found = refunds.refunds_of(who.merchant, livemode=who.livemode, asked=asked, page=page)
    elif query.reason is not None:  # some of them judge the shopper, who is not told so
        raise ParameterUnknown("People cannot ask by reason. Leave it out.", param="reason")
    else:
        found = refunds.refunds_of_user(who.user_id or "", page=page, asked=asked)
    return expanded(listing(found, lambda row: refund_shown(row.refund)), query.expand)


def _for_people() -> None:
    if caller().kind == "key":
        raise Forbidden("A second person decides about this: use that person’s own token.")


def _refund(refund_id: str) -> refunds.Refund:
    """Return a refund in the caller's sight; raises RefundNotFound."""
    who = caller()
    if who.merchant_id is None:
        return refunds.refund_of_user(who.user_id or "", refund_id).refund
    return refunds.refund_of(who.merchant, refund_id).refund
