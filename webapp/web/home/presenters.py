"""What the shopper's templates show."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from webapp import accounts, payments, refunds
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.kernel.paging import Page
from webapp.payments import Payment, PaymentRow
from webapp.web.shared.pills import Pill, payment_pill, pill
from webapp.web.shared.refund_words import ASIDE_TO_SHOPPERS, TOLD_TO_SHOPPERS, shopper_says


@dataclass(frozen=True, slots=True)
class OwnPayment:
    """One of the shopper's payments in a list; `href` leads to its receipt or explanation."""

    id: str
    href: str
    seller: str
    text: str
    amount: Money
    pill: Pill
    method: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class OwnRefund:
    """A refund to the shopper: the fact, what comes next, and what to quote to the bank."""

    id: str
    amount: Money
    pill: Pill
    says: str
    next: str
    bank_reference: str | None
    at: dt.datetime


def own_refunds(payment_id: str, seller: str) -> list[OwnRefund]:
    """Return the refunds of one's payment that have left, newest first."""
    told = [one for one in refunds.refunds_of_payment(payment_id) if one.status in TOLD_TO_SHOPPERS]
    return [
        OwnRefund(
            one.id,
            one.amount,
            pill("refund", one.status),
            *shopper_says(one, seller),
            one.bank_reference,
            one.finished_at or one.sent_at or one.created_at,
        )
        for one in reversed(told)
    ]


@dataclass(frozen=True, slots=True)
class OwnAside:
    """Money of the shopper that came and fits no order: how much, and what becomes of it."""

    amount: Money
    says: str


def own_aside(payment: Payment, seller: str) -> list[OwnAside]:
    """Return what of one's own payment came and fits no order: its merchant's rows tell."""
    with db.scoped(db.Scope(merchant_id=payment.merchant_id, livemode=bool(payment.livemode))):
        found = payments.anomalies_of_payment(payment.id)
    return [
        OwnAside(one.amount, ASIDE_TO_SHOPPERS[one.status].format(seller=seller)) for one in found
    ]


def own_payments(page: Page[PaymentRow]) -> list[OwnPayment]:
    """Return the shopper's payments as rows."""
    sellers = accounts.merchant_cards(row.payment.merchant_id or "" for row in page.rows)
    return [_own(row, sellers) for row in page.rows]


def _own(row: PaymentRow, sellers: dict[str, accounts.MerchantCard]) -> OwnPayment:
    payment, order = row.payment, row.order
    seller = sellers.get(payment.merchant_id or "")
    return OwnPayment(
        id=payment.id,
        href=f"/home/payments/{payment.id}",
        seller="Wallet top-up" if order.kind == "top_up" else (seller.name if seller else "–"),
        text=_text(row),
        amount=payment.amount,
        pill=payment_pill(payment),
        method=payment.method_label or "–",
        at=payment.captured_at or payment.created_at,
    )


def _text(row: PaymentRow) -> str:
    payment, order = row.payment, row.order
    if payment.captured_at is None:
        return f"Order #{order.number}"
    if order.kind == "top_up":
        return f"{payment.currency} wallet topped up"
    return payments.history_text(payment.captured, order.number)
