"""Customers as a merchant’s program keeps them: made, changed, found; their data stays sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webapp import audit
from webapp.kernel import clock, crypto, db, ids
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.orders.errors import CustomerExists, CustomerNotFound
from webapp.orders.models import Customer
from webapp.outbox import Actor

ONE_ADDRESS = "uq_customer_merchant_id_livemode_email_index"


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """Somebody who buys from a merchant; the address is one that can be written to."""

    merchant_id: str
    livemode: bool
    email: str = field(repr=False)
    name: str | None = field(repr=False, default=None)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CustomerChange:
    """What is to be otherwise; None leaves a thing as it is."""

    email: str | None = field(repr=False, default=None)
    name: str | None = field(repr=False, default=None)
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """What part of a merchant's customers is asked for: since <= created < until."""

    email: str | None = field(repr=False, default=None)
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def create_customer(asked: NewCustomer, *, by: Actor) -> Customer:
    """Make a customer; raises CustomerExists where the merchant has one with that address."""
    customer_id = ids.new("customer")
    customer = Customer(
        id=customer_id,
        merchant_id=asked.merchant_id,
        livemode=asked.livemode,
        email_sealed="",
        email_index="",
        created_at=clock.now(),
        details=dict(asked.details),
    )
    customer.set_email(asked.email)
    customer.set_name(asked.name)
    with db.transaction():
        _refuse_twin(customer)
        _flushed(customer)
        _note("customer.created", customer, by)
        return customer


def change_customer(
    merchant_id: str, customer_id: str, change: CustomerChange, *, by: Actor
) -> Customer:
    """Change a customer; raises CustomerNotFound, and CustomerExists for another's address."""
    with db.transaction():
        wanted = select(Customer).where(
            Customer.merchant_id == merchant_id, Customer.id == customer_id
        )
        fresh = wanted.with_for_update().execution_options(populate_existing=True)
        customer = db.session.scalar(fresh)
        if customer is None:
            raise CustomerNotFound
        if change.email is not None:
            customer.set_email(change.email)
            _refuse_twin(customer)
        if change.name is not None:
            customer.set_name(change.name)
        if change.details is not None:
            customer.details = dict(change.details)
        _flushed(customer)
        _note("customer.changed", customer, by)
        return customer


def customers_of(
    merchant_id: str, *, livemode: bool, asked: CustomerFilter, page: PageRequest
) -> Page[Customer]:
    """Return a page of a merchant's customers, newest first."""
    wanted = select(Customer).where(
        Customer.merchant_id == merchant_id, Customer.livemode == livemode
    )
    if asked.email:
        wanted = wanted.where(Customer.email_index == _index(asked.email))
    if asked.since:
        wanted = wanted.where(Customer.created_at >= asked.since)
    if asked.until:
        wanted = wanted.where(Customer.created_at < asked.until)
    rows = db.session.scalars(one_page(wanted, Customer.id, page)).all()
    return page_of(rows, page, key=lambda one: one.id)


def _index(email: str) -> str:
    return crypto.blind_index(email.strip().lower(), purpose="email")


def _refuse_twin(customer: Customer) -> None:
    with db.session.no_autoflush:
        twin = db.session.scalar(
            select(Customer.id).where(
                Customer.merchant_id == customer.merchant_id,
                Customer.livemode == customer.livemode,
                Customer.email_index == customer.email_index,
                Customer.id != customer.id,
            )
        )
    if twin is not None:
        raise CustomerExists(param="email")


def _flushed(customer: Customer) -> None:
    db.session.add(customer)
    try:
        db.session.flush()
    except IntegrityError as twice:
        if ONE_ADDRESS not in str(twice.orig):
            raise
        raise CustomerExists(param="email") from twice


def _note(action: str, customer: Customer, by: Actor) -> None:
    audit.record(
        action,
        "customer",
        customer.id,
        by=by,
        merchant_id=customer.merchant_id,
        livemode=customer.livemode,
    )
