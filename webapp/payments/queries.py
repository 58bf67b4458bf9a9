"""Reads of payments, attempts and anomalies; scope first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from webapp import outbox
from webapp.kernel import crypto, db, words
from webapp.kernel.money import Money
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.orders import Order, OrderNotFound
from webapp.outbox import Move
from webapp.payments.errors import AnomalyNotFound, PaymentNotFound
from webapp.payments.models import Anomaly, Attempt, Payment
from webapp.payments.states import LIVE

STREAMED_AT_ONCE = 500
FITTING_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class PaymentDetail:
    """One payment with its order, its tries and its moves, oldest first."""

    payment: Payment
    order: Order
    attempts: Sequence[Attempt]
    moves: Sequence[Move]


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One payment and its order, for lists."""

    payment: Payment
    order: Order


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """What part of the payments is asked for; `text` is an id, order number, last 4 or e-mail.

    `since` and `until` bound the moment of creation: since <= created < until; `ended_since` and
    `ended_until` alike the moment at which it was captured, failed, expired or was cancelled.
    `refunded` says how much of it went back: nothing, part, whole; None is any of these.
    """

    statuses: tuple[str, ...] = ()
    currency: str | None = None
    method: str | None = None
    text: str | None = None
    minor: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    ended_since: dt.datetime | None = None
    ended_until: dt.datetime | None = None
    order_id: str | None = None
    customer_id: str | None = None
    refunded: Literal["nothing", "part", "whole"] | None = None


def payment_of(merchant_id: str, payment_id: str) -> PaymentDetail:
    """Return one payment of a merchant with all that belongs to it; raises PaymentNotFound."""
    return _detail(
        select(Payment).where(Payment.merchant_id == merchant_id, Payment.id == payment_id)
    )


def payment_of_user(user_id: str, payment_id: str) -> PaymentDetail:
    """Return one of a shopper's own payments; raises PaymentNotFound."""
    return _detail(select(Payment).where(Payment.user_id == user_id, Payment.id == payment_id))


def any_payment(payment_id: str) -> PaymentDetail:
    """Return a payment of any merchant, for admins; raises PaymentNotFound."""
    return _detail(select(Payment).where(Payment.id == payment_id))


def payments_of(
    merchant_id: str, *, livemode: bool, asked: PaymentFilter, page: PageRequest
) -> Page[PaymentRow]:
    """Return a page of a merchant's payments, newest first."""
    wanted = _rows().where(Payment.merchant_id == merchant_id, Payment.livemode == livemode)
    return _page(_filtered(wanted, asked), page)


def every_payment_of(
    merchant_id: str, *, livemode: bool, asked: PaymentFilter
) -> Iterator[PaymentRow]:
    """Yield all payments that a filter selects, newest first, a few hundred at a time.

    Between the hundreds no connection is held, however slowly they are taken.
    """
    before: str | None = None
    while True:
        request = PageRequest(limit=STREAMED_AT_ONCE, before=before)
        wanted = _rows().where(Payment.merchant_id == merchant_id, Payment.livemode == livemode)
        rows = _page(_filtered(wanted, asked), request).rows
        db.end_reads()
        yield from rows
        if len(rows) < STREAMED_AT_ONCE:
            return
        before = rows[-1].payment.id


def payments_everywhere(*, asked: PaymentFilter, page: PageRequest) -> Page[PaymentRow]:
    """Return a page of all merchants' payments, newest first, for admins."""
    return _page(_filtered(_rows(), asked), page)


def payments_of_user(
    user_id: str, *, page: PageRequest, asked: PaymentFilter | None = None
) -> Page[PaymentRow]:
    """Return a page of a shopper's payments, newest first."""
    wanted = _rows().where(Payment.user_id == user_id)
    return _page(_filtered(wanted, asked) if asked else wanted, page)


def taken_of_user(user_id: str, *, livemode: bool, page: PageRequest) -> Page[PaymentRow]:
    """Return a page of a shopper's payments that were taken otherwise than from the wallet."""
    wanted = _rows().where(
        Payment.user_id == user_id,
        Payment.livemode == livemode,
        Payment.status == "captured",
        Payment.method_kind.is_distinct_from("wallet"),
    )
    return _page(wanted, page)


def is_being_charged(user_id: str) -> bool:
    """Whether the bank is being asked about one of a shopper's payments."""
    wanted = select(Payment.id).where(Payment.user_id == user_id, Payment.status == "processing")
    return db.session.scalar(wanted.limit(1)) is not None


def held_of(merchant_id: str, *, livemode: bool) -> list[Money]:
    """Return what banks hold of a merchant's payments, by currency, where they hold anything."""
    wanted = select(Payment.currency, func.sum(Payment.authorised_minor)).where(
        Payment.merchant_id == merchant_id,
        Payment.livemode == livemode,
        Payment.status == "authorised",
    )
    rows = db.session.execute(wanted.group_by(Payment.currency).order_by(Payment.currency))
    return [Money(int(held), currency) for currency, held in rows]


def payment_counts(merchant_id: str, *, livemode: bool) -> dict[str, int]:
    """Return how many payments of each status a merchant has."""
    wanted = select(Payment.status, func.count()).where(
        Payment.merchant_id == merchant_id, Payment.livemode == livemode
    )
    return {row[0]: row[1] for row in db.session.execute(wanted.group_by(Payment.status))}


def payments_of_order(order_id: str) -> Sequence[Payment]:
    """Return an order's payments, newest first."""
    wanted = select(Payment).where(Payment.order_id == order_id).order_by(Payment.id.desc())
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def current_payment(order_id: str) -> Payment | None:
    """Return the payment that tells an order's story: captured, else live, else the newest."""
    found = payments_of_order(order_id)
    for wanted in (("captured",), LIVE):
        for payment in found:
            if payment.status in wanted:
                return payment
    return found[0] if found else None


def attempts_of(payment_id: str) -> Sequence[Attempt]:
    """Return a payment's tries, oldest first."""
    wanted = select(Attempt).where(Attempt.payment_id == payment_id).order_by(Attempt.number)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def latest_attempts(payment_ids: Sequence[str]) -> dict[str, Attempt]:
    """Return the last try of each of these payments that has one, by the payment's id."""
    if not payment_ids:
        return {}
    wanted = select(Attempt).where(Attempt.payment_id.in_(payment_ids))
    oldest_first = wanted.order_by(Attempt.payment_id, Attempt.number)
    found = db.session.scalars(oldest_first.execution_options(populate_existing=True))
    return {attempt.payment_id: attempt for attempt in found}


def open_anomalies(page: PageRequest) -> Page[Anomaly]:
    """Return a page of the money that waits in suspense, newest first, for admins."""
    return _anomalies(select(Anomaly).where(Anomaly.closed_at.is_(None)), page)


def anomalies_of(
    merchant_id: str, *, livemode: bool, page: PageRequest, statuses: Sequence[str] = ()
) -> Page[Anomaly]:
    """Return a page of a merchant's money that was set aside, newest first; all, or in states."""
    wanted = select(Anomaly).where(Anomaly.merchant_id == merchant_id, Anomaly.livemode == livemode)
    if statuses:
        wanted = wanted.where(Anomaly.status.in_(statuses))
    return _anomalies(wanted, page)


def anomaly_counts(merchant_id: str, *, livemode: bool) -> dict[str, int]:
    """Return how often a merchant's money was set aside, by where the decision stands."""
    wanted = select(Anomaly.status, func.count()).where(
        Anomaly.merchant_id == merchant_id, Anomaly.livemode == livemode
    )
    return {row[0]: row[1] for row in db.session.execute(wanted.group_by(Anomaly.status))}


def anomaly(anomaly_id: str) -> Anomaly:
    """Return money set aside of any merchant, for admins; raises AnomalyNotFound."""
    return _one_anomaly(select(Anomaly).where(Anomaly.id == anomaly_id))


def anomaly_of(merchant_id: str, anomaly_id: str) -> Anomaly:
    """Return money set aside of a merchant; raises AnomalyNotFound for any other."""
    wanted = select(Anomaly).where(Anomaly.merchant_id == merchant_id, Anomaly.id == anomaly_id)
    return _one_anomaly(wanted)


def has_intent(intent_id: str) -> bool:
    """Whether one of our payments is this intent at the provider; for workers."""
    wanted = select(Payment.id).where(Payment.provider_intent_id == intent_id)
    return db.session.scalar(wanted) is not None


def anomalies_of_payment(payment_id: str) -> Sequence[Anomaly]:
    """Return what was set aside of one payment, oldest first."""
    wanted = select(Anomaly).where(Anomaly.payment_id == payment_id).order_by(Anomaly.id)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def anomalies_of_order(order_id: str) -> Sequence[Anomaly]:
    """Return what was set aside of an order's payments, oldest first."""
    wanted = select(Anomaly).join(Payment, Payment.id == Anomaly.payment_id)
    wanted = wanted.where(Payment.order_id == order_id).order_by(Anomaly.id)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def orders_that_fit(waiting: Anomaly) -> Sequence[Order]:
    """Return the newest open orders of its shopper that money set aside could pay: at most 20."""
    origin = select(Payment).where(Payment.id == waiting.payment_id).subquery()
    by_person = and_(Order.user_id.is_not(None), Order.user_id == origin.c.user_id)
    by_customer = and_(Order.user_id.is_(None), Order.customer_id == origin.c.customer_id)
    wanted = select(Order).join(origin, or_(by_person, by_customer))
    wanted = wanted.where(
        Order.merchant_id == waiting.merchant_id,
        Order.livemode == waiting.livemode,
        Order.status == "pending",
        Order.kind == "sale",
        Order.currency == waiting.currency,
        Order.amount_minor == waiting.amount_minor,
    )
    return db.session.scalars(wanted.order_by(Order.id.desc()).limit(FITTING_AT_MOST)).all()


def order_in_sight(order_id: str) -> Order:
    """Return an order that the scope may see, as it stands; raises OrderNotFound."""
    wanted = select(Order).where(Order.id == order_id)
    found = db.session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise OrderNotFound
    return found


def history_text(amount: Money, order_number: str) -> str:
    """Return the line of history of a payment, such as `₹1,000 paid for Order #123` (S3-11)."""
    return f"{words.money_short(amount)} paid for Order #{order_number}"


def altered_records() -> list[str]:
    """Return the ids of all payments whose record does not carry the right hash, newest first."""
    wanted = select(Payment).order_by(Payment.id.desc())
    every = db.session.scalars(wanted.execution_options(yield_per=STREAMED_AT_ONCE))
    return [payment.id for payment in every if not payment.is_intact()]


def _detail(wanted: Select[Payment]) -> PaymentDetail:
    payment = db.session.scalar(wanted.execution_options(populate_existing=True))
    if payment is None:
        raise PaymentNotFound
    order = db.session.scalars(select(Order).where(Order.id == payment.order_id)).one()
    return PaymentDetail(
        payment, order, attempts_of(payment.id), outbox.moves_of("payment", payment.id)
    )


def _anomalies(wanted: Select[Anomaly], page: PageRequest) -> Page[Anomaly]:
    rows = db.session.scalars(one_page(wanted, Anomaly.id, page)).all()
    return page_of(rows, page, key=lambda one: one.id)


def _one_anomaly(wanted: Select[Anomaly]) -> Anomaly:
    found = db.session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise AnomalyNotFound
    return found


def _rows() -> Select[Payment, Order]:
    return select(Payment, Order).join(Order, Order.id == Payment.order_id)


def _filtered(wanted: Select[Payment, Order], asked: PaymentFilter) -> Select[Payment, Order]:
    conditions: list[ColumnElement[bool]] = []
    if asked.statuses:
        conditions.append(Payment.status.in_(asked.statuses))
    if asked.currency:
        conditions.append(Payment.currency == asked.currency)
    if asked.method:
        conditions.append(Payment.method_kind == asked.method)
    if asked.minor is not None:
        conditions.append(Payment.amount_minor == asked.minor)
    if asked.since:
        conditions.append(Payment.created_at >= asked.since)
    if asked.until:
        conditions.append(Payment.created_at < asked.until)
    if asked.ended_since:
        conditions.append(Payment.finished_at >= asked.ended_since)
    if asked.ended_until:
        conditions.append(Payment.finished_at < asked.ended_until)
    if asked.text:
        conditions.append(_matches(asked.text.strip()))
    return wanted.where(*conditions, *_related(asked))


def _related(asked: PaymentFilter) -> Iterator[ColumnElement[bool]]:
    if asked.order_id:
        yield Payment.order_id == asked.order_id
    if asked.customer_id:
        yield Payment.customer_id == asked.customer_id
    if asked.refunded:
        yield _REFUNDED[asked.refunded]


_REFUNDED: dict[str, ColumnElement[bool]] = {
    "nothing": Payment.refunded_minor == 0,
    "part": and_(Payment.refunded_minor > 0, Payment.refunded_minor < Payment.captured_minor),
    "whole": and_(Payment.refunded_minor > 0, Payment.refunded_minor == Payment.captured_minor),
}


def _matches(typed: str) -> ColumnElement[bool]:
    if "@" in typed:
        return Payment.email_index == crypto.blind_index(typed.lower(), purpose="email")
    if typed.startswith(("pay_", "ord_")):
        return (Payment.id == typed) | (Payment.order_id == typed)
    if typed.startswith("pi_"):
        return Payment.provider_intent_id == typed
    number = typed.lstrip("#")
    return (Order.number == number) | Payment.method_label.endswith(f" {number}", autoescape=True)


def _page(wanted: Select[Payment, Order], page: PageRequest) -> Page[PaymentRow]:
    found = db.session.execute(one_page(wanted, Payment.id, page)).all()
    rows = [PaymentRow(payment, its_order) for payment, its_order in found]
    return page_of(rows, page, key=lambda row: row.payment.id)
