"""What the shopper's templates show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webapp import accounts, outbox, payments, refunds, wallets
from webapp.kernel import db, words
from webapp.kernel.money import Money
from webapp.kernel.paging import Page
from webapp.outbox import Move
from webapp.payments import Payment, PaymentDetail, PaymentRow
from webapp.wallets import WalletLine
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


@dataclass(frozen=True, slots=True)
class OwnMoment:
    """One thing that happened to one's payment or to a refund of it; `about` leads to the refund.

    Shaped as the timeline's macro reads it.
    """

    sentence: str
    at: str
    tone: str
    icon: str
    about: dict[str, str] | None = None


#: What a shopper reads of each step; of the others they are not told.
STEPS: dict[tuple[str, str], str] = {
    ("payment", "created"): "You began to pay",
    ("payment", "requires_action"): "Your bank asked you to confirm",
    ("payment", "authorised"): "Your bank holds the money",
    ("payment", "captured"): "You paid",
    ("payment", "failed"): "The payment failed",
    ("payment", "cancelled"): "The payment was cancelled",
    ("payment", "expired"): "The payment expired",
    ("refund", "unsent"): "It is on its way to the bank",
    ("refund", "sent"): "It was sent to your bank",
    ("refund", "succeeded"): "The money went back to you",
    ("refund", "failed"): "It did not reach you",
}


def own_story(detail: PaymentDetail, refunded: Sequence[OwnRefund], zone: str) -> list[OwnMoment]:
    """Return what happened to one's payment and to its refunds that have left, newest first."""
    named = {one.id: f"Refund of {words.money_text(one.amount)}" for one in refunded}
    moves = [*detail.moves, *outbox.moves_of("refund", *named)]
    newest_first = sorted(moves, key=lambda move: (move.at, move.noun, move.version), reverse=True)
    return [_moment(move, named, zone) for move in newest_first if _step(move)]


def _step(move: Move) -> str | None:
    if (move.noun, move.target) == ("payment", "awaiting_method") and move.source != "created":
        return "The try was declined; no money moved"
    return STEPS.get((move.noun, move.target)) if move.source != move.target else None


def _moment(move: Move, named: dict[str, str], zone: str) -> OwnMoment:
    shown, name = pill(move.noun, move.target), named.get(move.subject_id)
    return OwnMoment(
        _step(move) or "",
        words.moment_text(move.at, zone),
        "neutral" if shown.tone == "progress" else shown.tone,
        shown.icon,
        {"name": name, "href": f"#row-{move.subject_id}"} if name else None,
    )


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


@dataclass(frozen=True, slots=True)
class OwnLine:
    """One line of a wallet's history; `href` leads to money that people sent each other."""

    text: str
    at: dt.datetime
    amount: Money
    href: str | None = None


def own_lines(page: Page[WalletLine]) -> Page[OwnLine]:
    """Return a wallet's history as the person reads it: with the name of the other person."""
    sendings = [sent for line in page.rows if (sent := wallets.sending_in(line.reference))]
    names = wallets.counterparts(sendings)
    rows = [_own_line(line, names) for line in page.rows]
    return Page(rows=rows, older=page.older, newer=page.newer)


def _own_line(line: WalletLine, names: Mapping[str, str]) -> OwnLine:
    sent = wallets.sending_in(line.reference)
    if sent is None or sent not in names:
        return OwnLine(line.text, line.at, line.amount)
    amount = words.money_short(Money(abs(line.amount.minor), line.amount.currency))
    went = f"sent to {names[sent]}" if line.amount.minor < 0 else f"from {names[sent]}"
    return OwnLine(f"{amount} {went}", line.at, line.amount, f"/wallet/transfers/{sent}")


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
