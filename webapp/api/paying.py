"""How the API begins to pay: the same verbs as the checkout, called by a program or a person.

A merchant's program names an order, or the amount of a new one. A person pays what a checkout's
token stands for. Without a method the payment waits, and its link can be sent to the shopper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import g, request

from webapp import accounts, idempotency, orders, payments
from webapp.api import once
from webapp.api.caller import Caller, caller, settings
from webapp.api.checkout_sessions import checkout_url
from webapp.api.errors import ParameterInvalid, ParameterMissing
from webapp.kernel import clock, db
from webapp.kernel.errors import Conflict, Declined
from webapp.kernel.money import Money
from webapp.orders import CheckoutRef, Order
from webapp.payments import Payer

WALLET = "wallet"
UPI = "UPI"
CARD = "CARD"
#: What a person may say beside a checkout; all else of the payment stands in its order.
OF_PEOPLE = frozenset({"checkout", "payment_method", "confirm", "return_url"})
#: What is heard with amount_paisa alone.
OF_PAISE = ("user_id", "merchant_id", "payment_details", "callback_url")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be paid and how, whichever shape it was asked in."""

    order_id: str | None = None
    amount: Money | None = None
    currency: str | None = None
    description: str = ""
    customer_id: str | None = None
    customer_email: str | None = field(repr=False, default=None)
    capture_later: bool | None = None
    method: str | None = None
    return_url: str | None = field(repr=False, default=None)
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun:
    """A payment that was begun, and where its shopper can pay, if a link was opened for it."""

    payment_id: str
    checkout_url: str | None = field(repr=False, default=None)
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Link:
    ref: CheckoutRef
    token: str | None = field(repr=False, default=None)


def enter_checkout(token: str) -> None:
    """Put what a checkout's token proves in force for the person who sent it.

    Called before any transaction; raises CheckoutNotFound.
    """
    who = caller()
    db.use_scope(db.NOBODY)
    ref = orders.checkout_for(token)
    db.use_scope(db.Scope(merchant_id=ref.merchant_id, livemode=ref.livemode, user_id=who.user_id))
    g.checkout = ref


def must_have_key() -> None:
    """Refuse a request without an Idempotency-Key; raises KeyMissing."""
    idempotency.check_key(request.headers.get(once.HEADER))


def refuse_unheard(sent: Mapping[str, object]) -> None:
    """Refuse what would be dropped: a payment is what was asked for, or none.

    `sent` is the body as it came. Raises ParameterInvalid, naming the field.
    """
    given = {name for name, value in sent.items() if value not in (None, "", {})}
    if caller().merchant_id is None:
        if "checkout" in given:
            for name in sorted(given - OF_PEOPLE):
                raise ParameterInvalid("The checkout says this. Leave it out.", param=name)
    elif "amount_paisa" not in given:
        for name in OF_PAISE:
            if name in given:
                raise ParameterInvalid("This goes with amount_paisa alone.", param=name)
    if sent.get("payment_method") not in {None, UPI} and sent.get("confirm") is False:
        raise ParameterInvalid("To wait, leave payment_method out.", param="confirm")


def begin_for_merchant(asked: Asked) -> Begun:
    """Begin a payment as a merchant's program; raises what the room refuses."""
    who = caller()
    if asked.method == WALLET:
        raise payments.SignInToPay("A wallet is paid from by its owner, with their own token.")
    order = _order(who, asked)
    link = _link(order, asked, who)
    payer = Payer(email=asked.customer_email, by=who.actor)
    payment_id = payments.start_waiting(link.ref, payer=payer, details=asked.details or None)
    if asked.method is not None:
        payments.refuse_anothers(asked.method, who.merchant)
        payment_id = payments.start_card(
            link.ref, asked.method, return_url=_return_url(asked, link), payer=payer
        )
    url = checkout_url(link.token) if link.token else None
    return Begun(payment_id, url, link.ref.session_id)


def confirm_for_merchant(payment: payments.Payment, method: str, return_url: str | None) -> None:
    """Try to pay a payment that waits with a method; raises what the room refuses.

    Raises Conflict, and nothing is done, where another payment of the order would be charged.
    """
    who = caller()
    order = orders.order_of(who.merchant, payment.order_id)
    asked = Asked(method=method, return_url=return_url)
    link = _link(order, asked, who)
    payer = Payer(by=who.actor)
    back = _return_url(asked, link)
    payments.refuse_anothers(method, who.merchant)
    with db.transaction():
        if payments.start_card(link.ref, method, return_url=back, payer=payer) != payment.id:
            raise Conflict("This payment is not the one that waits for its order.")


def pay_as_person(token: str, method: str | None, return_url: str | None) -> str:
    """Pay what the checkout stands for that was entered; returns the payment's id."""
    who, ref = caller(), _entered()
    person = who.person
    if person is None:
        raise payments.SignInToPay
    payer = Payer(person.user_id, person.email)
    if method in {UPI, CARD}:
        raise ParameterInvalid("People pay with wallet or pm_….", param="payment_method")
    if method == WALLET:
        if reason := accounts.why_not_pay_from_wallet(person):
            raise Declined(reason, param="payment_method")
        return payments.pay_from_wallet(ref, payer=payer)
    if method is None:
        return payments.start_waiting(ref, payer=payer)
    payments.refuse_anothers(method, ref.merchant_id)
    back = return_url or f"{checkout_url(token)}/return"
    return payments.start_card(ref, method, return_url=back, payer=payer)


def _entered() -> CheckoutRef:
    ref: CheckoutRef | None = g.get("checkout")
    if ref is None:
        raise ParameterMissing(
            "Send the checkout’s token: the last part of its address.", param="checkout"
        )
    return ref


def _order(who: Caller, asked: Asked) -> Order:
    if asked.order_id is None:
        return orders.create(_new_order(who, asked), by=who.actor)
    try:
        order = orders.order_of(who.merchant, asked.order_id)
    except orders.OrderNotFound as unknown:
        raise ParameterInvalid("There is no such order.", param="order") from unknown
    if asked.amount is not None and asked.amount != order.amount:
        raise ParameterInvalid("The order asks for another amount.", param="amount")
    contradictions = {
        "currency": asked.currency not in {None, order.currency},
        "capture": asked.capture_later not in {None, order.capture_later},
        "customer": asked.customer_id not in {None, order.customer_id},
        "description": asked.description not in {"", order.description},
    }
    for name, is_one in contradictions.items():
        if is_one:
            raise ParameterInvalid("The order says otherwise; leave this out.", param=name)
    return order


def _new_order(who: Caller, asked: Asked) -> orders.NewOrder:
    if asked.amount is None:
        raise ParameterMissing("Send an order, or amount and currency.", param="order")
    email = asked.customer_email
    if asked.customer_id is not None:
        customer = orders.customer_of(who.merchant, asked.customer_id)
        if customer is None:
            raise ParameterInvalid("There is no such customer.", param="customer")
        if email is not None and email.casefold() != customer.email.casefold():
            raise ParameterInvalid("The customer has another address.", param="customer_email")
        email = customer.email
    return orders.NewOrder(
        who.merchant,
        livemode=who.livemode,
        amount=asked.amount,
        description=asked.description,
        customer_email=email,
        capture_later=bool(asked.capture_later),
        details=dict(asked.details),
    )


def _link(order: Order, asked: Asked, who: Caller) -> _Link:
    """Return the order's open link where no new address is needed, else a fresh one."""
    if asked.method is not None and asked.return_url is not None:
        session = orders.open_checkout_of(order.id)
        if session is not None and session.expires_at > clock.now():
            return _Link(_ref(session.id, order))
    opened = payments.fresh_link(order.id, by=who.actor)
    return _Link(_ref(opened.session_id, order), opened.token)


def _ref(session_id: str, order: Order) -> CheckoutRef:
    return CheckoutRef(session_id, order.id, order.merchant_id or "", bool(order.livemode))


def _return_url(asked: Asked, link: _Link) -> str:
    if asked.return_url is not None:
        return asked.return_url
    return f"{checkout_url(link.token)}/return" if link.token else settings().public_url
