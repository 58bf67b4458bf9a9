"""Reads of refunds; scope first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select

from webapp import outbox
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.orders import Order
from webapp.outbox import Move
from webapp.payments import Payment
from webapp.refunds.errors import RefundNotFound
from webapp.refunds.models import Refund
from webapp.refunds.states import UNDER_WAY, WAITING, Status

STREAMED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RefundDetail:
    """One refund with its payment, that payment's order, and its moves, oldest first."""

    refund: Refund
    payment: Payment
    order: Order
    moves: Sequence[Move]


@dataclass(frozen=True, slots=True)
class RefundRow:
    """One refund with its payment and order, for lists."""

    refund: Refund
    payment: Payment
    order: Order


@dataclass(frozen=True, slots=True)
class RefundFilter:
    """What part of the refunds is asked for; `text` is an id, order number or bank reference.

    `since` and `until` bound the moment of asking: since <= created < until.
    """

    statuses: tuple[str, ...] = ()
    currency: str | None = None
    reason: str | None = None
    destination: str | None = None
    text: str | None = None
    not_dealt_with: bool = False
    payment_id: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def refund_of(merchant_id: str, refund_id: str) -> RefundDetail:
    """Return one refund of a merchant; raises RefundNotFound."""
    return _detail(Refund.merchant_id == merchant_id, Refund.id == refund_id)


def refund_of_user(user_id: str, refund_id: str) -> RefundDetail:
    """Return a refund to a shopper, for that shopper; raises RefundNotFound."""
    return _detail(Refund.user_id == user_id, Refund.id == refund_id)


def any_refund(refund_id: str) -> RefundDetail:
    """Return a refund of any merchant, for admins; raises RefundNotFound."""
    return _detail(Refund.id == refund_id)


def refunds_of(
    merchant_id: str, *, livemode: bool, asked: RefundFilter, page: PageRequest
) -> Page[RefundRow]:
    """Return a page of a merchant's refunds, newest first."""
    wanted = _rows().where(Refund.merchant_id == merchant_id, Refund.livemode == livemode)
    return _page(_filtered(wanted, asked), page)


def every_refund_of(
    merchant_id: str, *, livemode: bool, asked: RefundFilter
) -> Iterator[RefundRow]:
    """Yield all refunds that a filter selects, newest first, a few hundred at a time.

    Between the hundreds no connection is held, however slowly they are taken.
    """
    before: str | None = None
    while True:
        request = PageRequest(limit=STREAMED_AT_ONCE, before=before)
        rows = refunds_of(merchant_id, livemode=livemode, asked=asked, page=request).rows
        db.end_reads()
        yield from rows
        if len(rows) < STREAMED_AT_ONCE:
            return
        before = rows[-1].refund.id


def refunds_everywhere(*, asked: RefundFilter, page: PageRequest) -> Page[RefundRow]:
    """Return a page of all merchants' refunds, newest first, for admins."""
    return _page(_filtered(_rows(), asked), page)


def refunds_of_user(
    user_id: str, *, page: PageRequest, asked: RefundFilter | None = None
) -> Page[RefundRow]:
    """Return a page of the refunds to a shopper, newest first."""
    wanted = _rows().where(Refund.user_id == user_id)
    return _page(_filtered(wanted, asked) if asked else wanted, page)


def leaving_of(merchant_id: str, *, livemode: bool) -> list[Money]:
    """Return what is promised back and still on the merchant's account, by currency."""
    wanted = select(Refund.currency, func.sum(Refund.amount_minor)).where(
        Refund.merchant_id == merchant_id,
        Refund.livemode == livemode,
        Refund.anomaly_id.is_(None),
        Refund.status.in_(WAITING),
    )
    rows = db.session.execute(wanted.group_by(Refund.currency).order_by(Refund.currency))
    return [Money(int(leaving), currency) for currency, leaving in rows]


def refunds_of_payment(payment_id: str) -> Sequence[Refund]:
    """Return a payment's refunds, oldest first."""
    wanted = select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def refunds_of_anomaly(anomaly_id: str) -> Sequence[Refund]:
    """Return the refunds of money that was set aside, oldest first: at most one has not failed."""
    wanted = select(Refund).where(Refund.anomaly_id == anomaly_id).order_by(Refund.id)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def returning(anomaly_ids: Sequence[str]) -> dict[str, Refund]:
    """Return the refunds under way of money that was set aside, by the id of that money."""
    if not anomaly_ids:
        return {}
    wanted = select(Refund).where(
        Refund.anomaly_id.in_(anomaly_ids), Refund.status.in_((*WAITING, *UNDER_WAY))
    )
    found = db.session.scalars(wanted.execution_options(populate_existing=True))
    return {refund.anomaly_id: refund for refund in found if refund.anomaly_id}


def waiting_for_approval(merchant_id: str, *, livemode: bool) -> int:
    """Return how many of a merchant's refunds wait for a second person."""
    return refund_counts(merchant_id, livemode=livemode).get(Status.REQUESTED, 0)


def refund_counts(merchant_id: str, *, livemode: bool) -> dict[str, int]:
    """Return how many refunds of each status a merchant has."""
    wanted = select(Refund.status, func.count()).where(
        Refund.merchant_id == merchant_id, Refund.livemode == livemode
    )
    return {row[0]: row[1] for row in db.session.execute(wanted.group_by(Refund.status))}


def _detail(*conditions: ColumnElement[bool]) -> RefundDetail:
    wanted = _rows().where(*conditions).execution_options(populate_existing=True)
    found = db.session.execute(wanted).one_or_none()
    if found is None:
        raise RefundNotFound
    refund, payment, order = found
    return RefundDetail(refund, payment, order, outbox.moves_of("refund", refund.id))


def _rows() -> Select[Refund, Payment, Order]:
    return (
        select(Refund, Payment, Order)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Payment.order_id)
    )


def _filtered(
    wanted: Select[Refund, Payment, Order], asked: RefundFilter
) -> Select[Refund, Payment, Order]:
    conditions: list[ColumnElement[bool]] = []
    if asked.statuses:
        conditions.append(Refund.status.in_(asked.statuses))
    if asked.currency:
        conditions.append(Refund.currency == asked.currency)
    if asked.reason:
        conditions.append(Refund.reason == asked.reason)
    if asked.destination:
        conditions.append(Refund.destination == asked.destination)
    if asked.not_dealt_with:
        conditions.append(Refund.dealt_with_at.is_(None))
    if asked.text:
        conditions.append(_matches(asked.text.strip()))
    return wanted.where(*conditions, *_bounds(asked))


def _bounds(asked: RefundFilter) -> Iterator[ColumnElement[bool]]:
    if asked.payment_id:
        yield Refund.payment_id == asked.payment_id
    if asked.since:
        yield Refund.created_at >= asked.since
    if asked.until:
        yield Refund.created_at < asked.until


def _matches(typed: str) -> ColumnElement[bool]:
    if typed.startswith(("re_", "pay_", "ord_")):
        return (
            (Refund.id == typed)
            | (Refund.provider_refund_id == typed)
            | (Refund.payment_id == typed)
            | (Payment.order_id == typed)
        )
    return (Order.number == typed.lstrip("#")) | (Refund.bank_reference == typed)


def _page(wanted: Select[Refund, Payment, Order], page: PageRequest) -> Page[RefundRow]:
    found = db.session.execute(one_page(wanted, Refund.id, page)).all()
    rows = [RefundRow(refund, payment, order) for refund, payment, order in found]
    return page_of(rows, page, key=lambda row: row.refund.id)
