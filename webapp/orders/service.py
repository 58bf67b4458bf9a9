"""Verbs: create and cancel an order, open a checkout, and the steps that payments take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from webapp import audit
from webapp.kernel import clock, crypto, db, emails, ids
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money, payable
from webapp.orders.errors import CheckoutNotFound, OrderNotFound, OrderNotPayable
from webapp.orders.models import CheckoutSession, Customer, Order, OrderCounter
from webapp.orders.payment_links import count_payment
from webapp.orders.policy import check_description, check_details
from webapp.outbox import SYSTEM, Actor

CHECKOUT_LASTS = dt.timedelta(minutes=15)
FIRST_NUMBER = 1001


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What a merchant (or a top-up) asks to be paid.

    With `capture_later` a card's money is only held; the merchant takes it, or part of it, later.
    """

    merchant_id: str
    livemode: bool
    amount: Money
    description: str = ""
    customer_email: str | None = None
    kind: str = "sale"
    user_id: str | None = None
    capture_later: bool = False
    payment_link_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opened:
    """A fresh checkout: its token is shown now and never again."""

    session_id: str
    order_id: str
    token: str
    expires_at: dt.datetime


def create(asked: NewOrder, *, by: Actor = SYSTEM) -> Order:
    """Create an order that waits to be paid; raises Invalid naming the field that is wrong.

    Not idempotent by itself: the door remembers the form or the key.
    """
    payable(asked.amount)
    _check_text(asked)
    with db.transaction():
        customer = None
        if asked.customer_email:
            customer = customer_with_email(
                asked.merchant_id,
                asked.customer_email,
                livemode=asked.livemode,
                user_id=asked.user_id,
            )
        order = Order(
            id=ids.new("order"),
            merchant_id=asked.merchant_id,
            livemode=asked.livemode,
            user_id=asked.user_id,
            customer_id=customer.id if customer else None,
            kind=asked.kind,
            number=_next_number(asked.merchant_id, livemode=asked.livemode),
            amount_minor=asked.amount.minor,
            currency=asked.amount.currency,
            description=asked.description.strip(),
            capture_later=asked.capture_later,
            details=asked.details,
            created_at=clock.now(),
            created_by=by.id,
            payment_link_id=asked.payment_link_id,
        )
        order.begin("pending", because="The order was created.", by=by)
        return order


def describe(
    order_id: str, *, description: str | None, details: Mapping[str, Any] | None, by: Actor
) -> Order:
    """Change what an order is called, and its metadata as a whole; None leaves it as it is.

    Raises OrderNotFound, and Invalid naming the field that is wrong.
    """
    with db.transaction():
        order = locked(order_id)
        if description is not None:
            check_description(description)
            order.description = description.strip()
        if details is not None:
            order.details = dict(details)
        audit.record(
            "order.described",
            "order",
            order.id,
            by=by,
            merchant_id=order.merchant_id,
            livemode=order.livemode,
        )
        return order


def cancel(order_id: str, *, by: Actor) -> Order:
    """Cancel an order that is not paid, and end its open link; calling it twice changes nothing.

    Raises OrderNotFound, and OrderNotPayable when it is paid. A payment under way is the caller's
    to refuse first (payments knows them).
    """
    with db.transaction():
        order = locked(order_id)
        if order.status == "cancelled":
            return order
        if order.status != "pending":
            raise OrderNotPayable("A paid order cannot be cancelled. Refund it instead.")
        order.move_to("cancelled", because="The order was cancelled.", by=by)
        close_open_checkout(order.id, "expired", because="The order was cancelled.", by=by)
        return order


def open_checkout(order_id: str, *, by: Actor = SYSTEM) -> Opened:
    """Open a fresh 15-minute link for an order; an older open link of it expires at once.

    Raises OrderNotFound, and OrderNotPayable when the order is paid or cancelled. The caller has
    made sure that no payment is under way through the older link.
    """
    with db.transaction():
        order = locked(order_id)
        if order.status != "pending":
            raise OrderNotPayable
        close_open_checkout(order.id, "expired", because="A fresh link was made.", by=by)
        token = ids.secret_token()
        now = clock.now()
        session = CheckoutSession(
            id=ids.new("checkout_session"),
            merchant_id=order.merchant_id,
            livemode=order.livemode,
            user_id=order.user_id,
            order_id=order.id,
            token_hash=ids.token_hash(token),
            opened_at=now,
            expires_at=now + CHECKOUT_LASTS,
        )
        session.begin("open", because="The checkout was opened.", by=by)
        return Opened(session.id, order.id, token, session.expires_at)


def customer_with_email(
    merchant_id: str, email: str, *, livemode: bool, user_id: str | None
) -> Customer:
    """Return the merchant's customer with that address, made now if there is none (a step).

    Raises Invalid naming `customer_email` where it is no address.
    """
    db.assert_transaction()
    address = emails.checked(email, param="customer_email")
    index = crypto.blind_index(address.lower(), purpose="email")
    wanted = select(Customer).where(
        Customer.merchant_id == merchant_id,
        Customer.livemode == livemode,
        Customer.email_index == index,
    )
    found = db.session.scalar(wanted)
    if found is None:
        customer_id = ids.new("customer")
        sealed = crypto.seal(address, context=f"customer:email:{customer_id}")
        row = {
            "id": customer_id,
            "merchant_id": merchant_id,
            "livemode": livemode,
            "user_id": user_id,
            "email_sealed": sealed,
            "email_index": index,
            "created_at": clock.now(),
            "details": {},
        }
        db.session.execute(insert(Customer).values(row).on_conflict_do_nothing())
        found = db.session.scalars(wanted).one()
    if user_id and found.user_id is None:
        found.user_id = user_id
    return found


def locked(order_id: str) -> Order:
    """Return an order with its row locked (a step); raises OrderNotFound."""
    db.assert_transaction()
    wanted = select(Order).where(Order.id == order_id).with_for_update()
    order = db.session.scalar(wanted.execution_options(populate_existing=True))
    if order is None:
        raise OrderNotFound
    return order


def locked_checkout(session_id: str) -> CheckoutSession:
    """Return a checkout session with its row locked (a step); raises CheckoutNotFound."""
    db.assert_transaction()
    wanted = select(CheckoutSession).where(CheckoutSession.id == session_id).with_for_update()
    session = db.session.scalar(wanted.execution_options(populate_existing=True))
    if session is None:
        raise CheckoutNotFound
    return session


def mark_paid(order: Order, *, by: Actor) -> None:
    """Complete a locked order and its open checkout (a step of the payment that captured).

    Where it came by a payment link, and was the last payment that the link takes, the link ends.
    """
    order.completed_at = clock.now()
    order.move_to("completed", because="The order was paid.", by=by)
    close_open_checkout(order.id, "complete", because="The order was paid.", by=by)
    if order.payment_link_id is not None:
        count_payment(order.payment_link_id)


def close_open_checkout(order_id: str, status: str, *, because: str, by: Actor) -> None:
    """End the open link of a locked order, if it has one (a step)."""
    db.assert_transaction()
    wanted = select(CheckoutSession).where(
        CheckoutSession.order_id == order_id, CheckoutSession.status == "open"
    )
    session = db.session.scalar(wanted.with_for_update())
    if session is not None:
        session.closed_at = clock.now()
        session.move_to(status, because=because, by=by)


def _next_number(merchant_id: str, *, livemode: bool) -> str:
    first = insert(OrderCounter).values(
        merchant_id=merchant_id, livemode=livemode, last=FIRST_NUMBER
    )
    counted = first.on_conflict_do_update(
        index_elements=["merchant_id", "livemode"], set_={"last": OrderCounter.last + 1}
    ).returning(OrderCounter.last)
    return str(db.session.execute(counted).scalar_one())


def _check_text(asked: NewOrder) -> None:
    check_description(asked.description)
    if asked.capture_later and asked.kind != "sale":
        raise Invalid("A wallet is topped up at once, not later.", param="capture_later")
    check_details(asked.details)
