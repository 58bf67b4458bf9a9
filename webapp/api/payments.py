"""Payments: begun, read, confirmed, captured, cancelled."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from webapp import accounts, payments
from webapp.api import paying
from webapp.api.caller import caller, needs, settings
from webapp.api.errors import ParameterInvalid, ParameterUnknown
from webapp.api.expanding import Expand, expanded
from webapp.api.lists import after, asked_page, listing, moment
from webapp.api.models import (
    MAX_METADATA,
    Body,
    CreatedQuery,
    Currency,
    MailAddress,
    Metadata,
    Minor,
    Query,
    Words,
)
from webapp.api.paying import CARD, UPI
from webapp.api.payment_shape import Payment, State, Status, iso, payment_shown, payments_shown
from webapp.api.routing import Key, get, post
from webapp.api.upi import UpiDetails, upi_link, upi_picture
from webapp.kernel import crypto
from webapp.kernel.money import Money
from webapp.kernel.paging import Page
from webapp.orders import checkout_of

TAG = "Payments"
ADDRESS = re.compile(r"https?://[^\s]+")
#: Which of our states, and how much went back, a status outside stands for.
STATES: dict[str, tuple[tuple[str, ...], Literal["nothing", "part", "whole"] | None]] = {
    "PENDING": (("created", "awaiting_method"), None),
    "REQUIRES_ACTION": (("requires_action",), None),
    "PROCESSING": (("processing", "authorised"), None),
    "SUCCESS": (("captured",), "nothing"),
    "FAILED": (("failed",), None),
    "EXPIRED": (("expired",), None),
    "CANCELLED": (("cancelled",), None),
    "PARTIALLY_REFUNDED": (("captured",), "part"),
    "REFUNDED": (("captured",), "whole"),
}


def _web_address(typed: str) -> str:
    if not ADDRESS.fullmatch(typed) or (typed.startswith("http://") and settings().livemode):
        raise ValueError("Write a whole address that begins with https://.")
    return typed


WebAddress = Annotated[
    Words,
    AfterValidator(_web_address),
    Field(max_length=2048, json_schema_extra={"pattern": f"^{ADDRESS.pattern}$"}),
]
Id = Annotated[str, Field(min_length=1, max_length=64)]
Method = Annotated[
    str,
    Field(
        pattern=r"^(pm_[A-Za-z0-9_]{1,120}|wallet|UPI|CARD)$",
        description="pm_… from the provider’s card fields; wallet for a person’s own; UPI or CARD"
        " with amount_paisa.",
    ),
]


class CreatePayment(Body):
    """What is to be paid: an order, the amount of a new one, or a checkout; and how."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "amount": 50000,
        "currency": "INR",
        "payment_method": "pm_card_visa",
        "customer_email": "asha@people.example",
        "return_url": "https://shop.example/thanks",
        "metadata": {"basket": "7731"},
    }

    order: Id | None = Field(None, description="An order to be paid; or send amount and currency.")
    amount: Minor | None = None
    currency: Currency | None = None
    checkout: Annotated[str, Field(max_length=128)] | None = Field(
        None, description="For people: the token of the checkout that they pay."
    )
    payment_method: Method | None = Field(
        None, description="Left out, the payment waits; send its checkout_url to the shopper."
    )
    confirm: bool = Field(
        default=True,
        description="With a payment_method: pay at once. To wait, leave the method out.",
    )
    capture: Literal["automatic", "manual"] | None = Field(
        None, description="Of a new order; manual only holds a card’s money."
    )
    customer: Id | None = None
    customer_email: MailAddress | None = None
    description: Annotated[Words, Field(max_length=200)] = ""
    return_url: WebAddress | None = Field(
        None, description="Where the shopper comes back to after the bank’s check."
    )
    metadata: Metadata = Field({}, validate_default=False)
    user_id: Id | None = Field(None, description="With amount_paisa: your own id of the user.")
    merchant_id: Id | None = Field(None, description="With amount_paisa: yours, or your own name.")
    amount_paisa: Minor | None = Field(None, description="The amount in paise; implies INR.")
    payment_details: UpiDetails | None = None
    callback_url: Annotated[WebAddress, Field(max_length=500)] | None = Field(
        None, description="With amount_paisa: kept with the payment; events go to your endpoints."
    )


class ConfirmPayment(Body):
    """With what a waiting payment is paid."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "payment_method": "pm_card_visa",
        "return_url": "https://shop.example/thanks",
    }

    payment_method: Annotated[str, Field(pattern=r"^pm_[A-Za-z0-9_]{1,120}$")]
    return_url: WebAddress | None = None


class CapturePayment(Body):
    """How much of held money is taken."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"amount": 30000}

    amount: Minor | None = Field(None, description="All of it, if left out; the rest is let go.")


class CancelPayment(Body):
    """Why a payment is cancelled."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"reason": "Out of stock"}

    reason: Annotated[Words, Field(max_length=200)] = "It was cancelled by the merchant."


class PaymentQuery(CreatedQuery):
    """Filters of payments."""

    status: Status | None = None
    state: State | None = Field(
        None, description="Finer than status: authorised is money that waits to be captured."
    )
    order: str | None = Field(None, max_length=64)
    customer: str | None = Field(None, max_length=64)
    currency: Currency | None = None
    method: Literal["card", "hosted", "wallet", "credit"] | None = None
    expand: Expand


class PaymentExpandQuery(Query):
    """What is to be told in full."""

    expand: Expand


def enter(body: CreatePayment) -> None:
    """Read for whom is paid before anything is done; raises KeyMissing, CheckoutNotFound.

    What an older contract sends (amount_paisa) needs no key; everything else does.
    """
    if body.amount_paisa is None:
        paying.must_have_key()
    if body.checkout is not None:
        if caller().person is None or caller().merchant_id is not None:
            raise ParameterUnknown(
                "A checkout is paid by people; name its order.", param="checkout"
            )
        paying.enter_checkout(body.checkout)


@post("/payments", tag=TAG, gives=Payment, key=Key.OPTIONAL, before=enter)
@needs(scope="payments:write", act="create_order", person=True, provider=True)
def create_payment(body: CreatePayment) -> dict[str, Any]:
    """Create a payment.

    For an order, or for the amount of a new one. With a payment_method it is paid at once and the
    answer tells where it stands; the bank’s word comes by event, or by reading it again. Without
    one it waits 15 minutes for its checkout_url. With amount_paisa and UPI the answer holds a UPI
    link and its QR code, which are simulated in test mode: the checkout_url pays it. People send
    the token of a checkout, and wallet or pm_… . An Idempotency-Key is required except with
    amount_paisa.
    """
    who = caller()
    paying.refuse_unheard(body.model_dump(exclude_unset=True))
    if who.merchant_id is None:
        payment_id = paying.pay_as_person(body.checkout or "", body.payment_method, body.return_url)
        return payment_shown(payments.any_payment(payment_id).payment)
    is_upi = body.payment_method == UPI
    begun = paying.begin_for_merchant(_asked(body))
    payment = payments.payment_of(who.merchant, begun.payment_id).payment
    shown = payment_shown(payment)
    if begun.checkout_url is not None:
        shown["checkout_url"] = begun.checkout_url
    if body.amount_paisa is not None:
        shown["expires_at"] = iso(checkout_of(begun.session_id or "").expires_at)
    if is_upi:
        link = upi_link(payment, note=body.description)
        shown |= {"payment_url": link, "qr_code": upi_picture(link)}
    return shown


@get("/payments", tag=TAG, gives=Payment, is_list=True)
@needs(scope="payments:read", person=True)
def list_payments(query: PaymentQuery) -> dict[str, Any]:
    """List payments.

    Newest first, by status, state, order, customer, currency, method and when they were created.
    What a bank holds until it is captured has the state authorised. People who name no merchant
    see their own.
    """
    who, asked = caller(), _filter(query)
    page = asked_page(query, _payment)
    if who.merchant_id is None:
        rows = payments.payments_of_user(who.user_id or "", page=page, asked=asked)
    else:
        rows = payments.payments_of(who.merchant, livemode=who.livemode, asked=asked, page=page)
    shown = payments_shown([row.payment for row in rows.rows])
    told = listing(Page(shown, rows.older, rows.newer), lambda one: one)
    return expanded(told, query.expand)


@get("/payments/<string:payment_id>", tag=TAG, gives=Payment)
@needs(scope="payments:read", person=True)
def get_payment(payment_id: str, query: PaymentExpandQuery) -> dict[str, Any]:
    """Get a payment.

    As it stands now; people who name no merchant read their own.
    """
    return expanded(payment_shown(_payment(payment_id)), query.expand)


@post("/payments/<string:payment_id>/confirm", tag=TAG, gives=Payment, status=200)
@needs(scope="payments:write", act="create_order", provider=True)
def confirm_payment(payment_id: str, body: ConfirmPayment) -> dict[str, Any]:
    """Confirm a payment.

    Pays one that waits for a method, or tries again after a decline. Refused with 409 while the
    bank is being asked.
    """
    payment = _payment(payment_id)
    paying.confirm_for_merchant(payment, body.payment_method, body.return_url)
    return _again(payment_id)


@post("/payments/<string:payment_id>/capture", tag=TAG, gives=Payment, status=200)
@needs(scope="payments:write", act="capture", provider=True)
def capture_payment(payment_id: str, body: CapturePayment) -> dict[str, Any]:
    """Capture a payment.

    Takes money that a bank holds: all of it, or an amount. The provider’s answer moves the payment
    to SUCCESS. Capturing twice changes nothing.
    """
    payment = _payment(payment_id)
    amount = Money(body.amount, payment.currency) if body.amount is not None else None
    payments.capture(payment_id, amount=amount, by=caller().actor)
    return _again(payment_id)


@post("/payments/<string:payment_id>/cancel", tag=TAG, gives=Payment, status=200)
@needs(scope="payments:write", act="capture", provider=True)
def cancel_payment(payment_id: str, body: CancelPayment) -> dict[str, Any]:
    """Cancel a payment.

    Lets held money go, or ends a payment that waits. Refused with 409 while the bank is being
    asked, and for one that was taken: refund that.
    """
    payment, by = _payment(payment_id), caller().actor
    if payment.status in {payments.Status.AUTHORISED, payments.Status.CAPTURED}:
        payments.void(payment_id, because=body.reason, by=by)
    else:
        payments.give_up(payment_id, by=by, because=body.reason or "It was cancelled.")
    return _again(payment_id)


@post("/payments/<string:payment_id>/check", tag=TAG, gives=Payment, status=200)
@needs(scope="payments:write", act="create_order", provider=True)
def check_payment(payment_id: str) -> dict[str, Any]:
    """Check a payment now.

    Asks the provider where a payment under way stands; its answer comes by event. Refused with 429
    when that was asked often a moment ago.
    """
    payment = _payment(payment_id)
    accounts.note_try(accounts.CHECK_PAYMENT, payment.id, "")
    payments.check_now(payment.id)
    return _again(payment_id)


def _asked(body: CreatePayment) -> paying.Asked:
    amount = None
    if body.amount is not None:
        if body.currency is None:
            raise ParameterInvalid("Send the currency too.", param="currency")
        amount = Money(body.amount, body.currency)
    if body.amount_paisa is not None:
        return _asked_in_paise(body)
    if body.payment_method in {UPI, CARD}:
        raise ParameterInvalid("Send amount_paisa with this method.", param="payment_method")
    return paying.Asked(
        order_id=body.order,
        amount=amount,
        currency=body.currency,
        description=body.description,
        customer_id=body.customer,
        customer_email=body.customer_email,
        capture_later=body.capture == "manual" if body.capture else None,
        method=body.payment_method,
        return_url=body.return_url,
        details=dict(body.metadata),
    )


def _asked_in_paise(body: CreatePayment) -> paying.Asked:
    """Read the older contract: its own ids are kept as metadata, the key says whose money it is."""
    for other in ("order", "amount", "capture", "customer"):
        if getattr(body, other) is not None:
            raise ParameterInvalid("Leave this out with amount_paisa.", param=other)
    if body.currency not in {None, "INR"}:
        raise ParameterInvalid("Paise are of INR.", param="currency")
    who, named = caller(), body.merchant_id or ""
    if named.startswith("mer_") and named != who.merchant:
        raise ParameterInvalid("That is not the merchant of this key.", param="merchant_id")
    details = body.payment_details
    vpa, token = (details.vpa, details.token) if details else (None, None)
    own = {
        "user_id": body.user_id,
        "merchant_id": body.merchant_id,
        "callback_url": body.callback_url,
        "vpa": crypto.mask_email(vpa) if vpa else None,
    }
    if (body.payment_method == CARD) != (token is not None):
        raise ParameterInvalid(
            "Send a card’s token with payment_method CARD, and with no other.",
            param="payment_details.token",
        )
    if body.payment_method not in {None, UPI} and not body.confirm:
        raise ParameterInvalid("To wait, leave payment_method out.", param="confirm")
    kept = {name: value for name, value in own.items() if value}
    room = MAX_METADATA - len(kept)
    if len(body.metadata) > room:
        raise ParameterInvalid(
            f"Keep this to {room} names: {', '.join(kept)} are kept with them.", param="metadata"
        )
    return paying.Asked(
        amount=Money(body.amount_paisa or 0, "INR"),
        description=body.description,
        customer_email=body.customer_email or body.metadata.get("customer_email"),
        method={CARD: token, UPI: None}.get(body.payment_method or UPI, body.payment_method),
        return_url=body.return_url,
        details=kept | body.metadata,
    )


def _filter(query: PaymentQuery) -> payments.PaymentFilter:
    """Return what is asked for; raises ParameterInvalid where no payment could be that."""
    states, refunded = STATES[query.status] if query.status else ((), None)
    if query.state is not None:
        if states and query.state not in states:
            raise ParameterInvalid("No payment of that status is in that state.", param="state")
        states = (query.state,)
    return payments.PaymentFilter(
        statuses=states,
        refunded=refunded,
        order_id=query.order,
        customer_id=query.customer,
        currency=query.currency,
        method=query.method,
        since=moment(query.created_gte),
        until=after(query.created_lte),
    )


def _payment(payment_id: str) -> payments.Payment:
    """Return a payment in the caller's sight; raises PaymentNotFound."""
    who = caller()
    if who.merchant_id is None:
        return payments.payment_of_user(who.user_id or "", payment_id).payment
    return payments.payment_of(who.merchant, payment_id).payment


def _again(payment_id: str) -> dict[str, Any]:
    return payment_shown(_payment(payment_id))
