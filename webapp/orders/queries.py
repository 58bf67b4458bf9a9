"""Reads of orders, checkout sessions and customers; scope first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select, text

from webapp.kernel import crypto, db, ids
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.orders.errors import CheckoutNotFound, OrderNotFound
from webapp.orders.models import CheckoutSession, Customer, Order

_BY_TOKEN = text("SELECT * FROM checkout_by_token(:hash)")


@dataclass(frozen=True, slots=True)
class CheckoutRef:
    """What a checkout's token proves: nothing but these ids."""

    session_id: str
    order_id: str
    merchant_id: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What part of a merchant's orders is asked for; `text` is a number, id or e-mail address.

    `since` and `until` bound when they were created: since <= created < until.
    """

    status: str | None = None
    text: str | None = None
    customer_id: str | None = None
    currency: str | None = None
    payment_link_id: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckoutFilter:
    """What part of a merchant's checkout sessions is asked for: since <= opened < until."""

    order_id: str | None = None
    status: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def checkout_for(token: str) -> CheckoutRef:
    """Return the ids behind a checkout's token; raises CheckoutNotFound."""
    found = db.session.execute(_BY_TOKEN, {"hash": ids.token_hash(token)}).one_or_none()
    if found is None:
        raise CheckoutNotFound
    return CheckoutRef(found.session_id, found.order_id, found.merchant_id, found.livemode)


def checkout_of(session_id: str) -> CheckoutSession:
    """Return a checkout session that the scope may see; raises CheckoutNotFound."""
    wanted = select(CheckoutSession).where(CheckoutSession.id == session_id)
    session = db.session.scalar(wanted.execution_options(populate_existing=True))
    if session is None:
        raise CheckoutNotFound
    return session


def open_checkout_of(order_id: str) -> CheckoutSession | None:
    """Return an order's link that has not ended, or None; its time may be over all the same."""
    wanted = select(CheckoutSession).where(
        CheckoutSession.order_id == order_id, CheckoutSession.status == "open"
    )
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def checkouts_of(
    merchant_id: str, *, livemode: bool, asked: CheckoutFilter, page: PageRequest
) -> Page[CheckoutSession]:
    """Return a page of a merchant's checkout sessions, newest first."""
    wanted = select(CheckoutSession).where(
        CheckoutSession.merchant_id == merchant_id, CheckoutSession.livemode == livemode
    )
    if asked.order_id:
        wanted = wanted.where(CheckoutSession.order_id == asked.order_id)
    if asked.status:
        wanted = wanted.where(CheckoutSession.status == asked.status)
    if asked.since:
        wanted = wanted.where(CheckoutSession.opened_at >= asked.since)
    if asked.until:
        wanted = wanted.where(CheckoutSession.opened_at < asked.until)
    rows = db.session.scalars(one_page(wanted, CheckoutSession.id, page)).all()
    return page_of(rows, page, key=lambda one: one.id)


def checkouts_of_order(order_id: str) -> Sequence[CheckoutSession]:
    """Return the links that an order has had, newest first."""
    wanted = select(CheckoutSession).where(CheckoutSession.order_id == order_id)
    return db.session.scalars(wanted.order_by(CheckoutSession.id.desc()).limit(20)).all()


def order_of(merchant_id: str, order_id: str) -> Order:
    """Return one order of a merchant; raises OrderNotFound for any other."""
    wanted = select(Order).where(Order.merchant_id == merchant_id, Order.id == order_id)
    order = db.session.scalar(wanted.execution_options(populate_existing=True))
    if order is None:
        raise OrderNotFound
    return order


def orders_of(
    merchant_id: str, *, livemode: bool, asked: OrderFilter, page: PageRequest
) -> Page[Order]:
    """Return a page of a merchant's orders, newest first."""
    wanted = select(Order).where(Order.merchant_id == merchant_id, Order.livemode == livemode)
    if asked.status:
        wanted = wanted.where(Order.status == asked.status)
    if asked.text:
        wanted = wanted.where(_matches(merchant_id, asked.text.strip()))
    if asked.customer_id:
        wanted = wanted.where(Order.customer_id == asked.customer_id)
    if asked.currency:
        wanted = wanted.where(Order.currency == asked.currency)
    if asked.payment_link_id:
        wanted = wanted.where(Order.payment_link_id == asked.payment_link_id)
    if asked.since:
        wanted = wanted.where(Order.created_at >= asked.since)
    if asked.until:
        wanted = wanted.where(Order.created_at < asked.until)
    return _page(wanted, page)


def order_counts(merchant_id: str, *, livemode: bool) -> dict[str, int]:
    """Return how many orders of each status a merchant has."""
    wanted = select(Order.status, func.count()).where(
        Order.merchant_id == merchant_id, Order.livemode == livemode
    )
    return {row[0]: row[1] for row in db.session.execute(wanted.group_by(Order.status))}


def orders_of_user(user_id: str, *, page: PageRequest) -> Page[Order]:
    """Return a page of the orders that a shopper has paid or was asked to pay, newest first."""
    return _page(select(Order).where(Order.user_id == user_id), page)


def orders_with_ids(order_ids: Sequence[str]) -> dict[str, Order]:
    """Return the orders among those ids that the scope may see, by id."""
    found = db.session.scalars(select(Order).where(Order.id.in_(order_ids)))
    return {order.id: order for order in found}


def customer_of(merchant_id: str, customer_id: str | None) -> Customer | None:
    """Return a merchant's customer, or None."""
    if customer_id is None:
        return None
    wanted = select(Customer).where(Customer.merchant_id == merchant_id, Customer.id == customer_id)
    return db.session.scalar(wanted)


def _matches(merchant_id: str, typed: str) -> ColumnElement[bool]:
    if "@" in typed:
        index = crypto.blind_index(typed.lower(), purpose="email")
        customers = select(Customer.id).where(
            Customer.merchant_id == merchant_id, Customer.email_index == index
        )
        return Order.customer_id.in_(customers)
    return (Order.number == typed.lstrip("#")) | (Order.id == typed)


def _page(wanted: Select[Order], page: PageRequest) -> Page[Order]:
    rows = db.session.scalars(one_page(wanted, Order.id, page)).all()
    return page_of(rows, page, key=lambda one: one.id)
