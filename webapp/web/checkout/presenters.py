"""What the checkout's templates show: one frozen view per page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from webapp import accounts, orders, payments, wallets
from webapp.kernel import clock
from webapp.kernel.money import Money
from webapp.orders import CheckoutRef, Order, PaymentLinkRef
from webapp.payments import DeclineAdvice, Payment
from webapp.web.shared.refund_words import aside_says


class Stage(StrEnum):
    """What the shopper sees now."""

    PAY = "pay"
    CONFIRMING = "confirming"
    ACTION = "action"
    HELD = "held"
    PAID = "paid"
    EXPIRED = "expired"
    CLOSED = "closed"


#: What is seen while a payment is under way; it has no end of time then.
UNDER_WAY: dict[str, Stage] = {
    payments.Status.PROCESSING: Stage.CONFIRMING,
    payments.Status.REQUIRES_ACTION: Stage.ACTION,
    payments.Status.AUTHORISED: Stage.HELD,
}


@dataclass(frozen=True, slots=True)
class Seller:
    """Who is paid."""

    name: str
    initials: str


@dataclass(frozen=True, slots=True)
class WalletChoice:
    """The payer's wallet of the order's currency: what it holds and what would be left."""

    available: Money
    is_enough: bool
    left: Money


@dataclass(frozen=True, slots=True)
class CameAside:
    """Money that came for the order and that it could not take; what becomes of it, in words."""

    amount: Money
    says: str
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Checkout:
    """Everything that the checkout page shows."""

    token: str
    session_id: str
    stage: Stage
    seller: Seller
    order: Order
    amount: Money
    expires_at: dt.datetime
    version: int
    payment: Payment | None = None
    decline: DeclineAdvice | None = None
    declined_label: str | None = None
    next_url: str | None = None
    wallet: WalletChoice | None = None
    receipt: str | None = None
    can_give_up: bool = False
    is_back: bool = False
    aside: Sequence[CameAside] = ()

    @property
    def can_change(self) -> bool:
        """Whether what is seen may still become something else while the page is open."""
        is_settled = all(one.is_settled for one in self.aside)
        return self.stage is not Stage.PAID or not is_settled

    @property
    def reference(self) -> str:
        """What the shopper can quote to the shop."""
        return self.payment.id if self.payment else self.order.id

    @property
    def is_top_up(self) -> bool:
        """Whether the order fills the shopper's own wallet."""
        return self.order.kind == "top_up"


@dataclass(frozen=True, slots=True)
class LinkPage:
    """What the page of a payment link shows; `is_open` where it can be paid now."""

    token: str
    seller: Seller
    description: str
    amount: Money
    ends_at: dt.datetime | None
    has_ended: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One line of a receipt."""

    label: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says; `email` is masked."""

    seller: Seller
    order: Order
    payment: Payment
    paid_at: dt.datetime
    history: str
    lines: Sequence[MoneyLine]
    after: Sequence[MoneyLine]


def checkout_view(
    ref: CheckoutRef, token: str, *, user_id: str | None, is_back: bool = False
) -> Checkout:
    """Read what the checkout shows now; two pages of one link never show different ends.

    `is_back` says that the shopper has just come back from the bank or the provider's page.
    """
    # The order is read last: a link that its payment has just closed must not look expired.
    session = orders.checkout_of(ref.session_id)
    payment = payments.current_payment(ref.order_id)
    aside = payments.anomalies_of_order(ref.order_id)
    order = orders.order_of(ref.merchant_id, ref.order_id)
    stage = _stage(order, payment, is_open=session.status == "open", ends=session.expires_at)
    attempts = payments.attempts_of(payment.id) if payment else ()
    last = attempts[-1] if attempts else None
    declined = (
        last is not None
        and stage is Stage.PAY
        and last.status in {"declined", "abandoned"}
        and payment is not None
        and payment.status == payments.Status.AWAITING_METHOD
    )
    seller = seller_of(ref.merchant_id)
    return Checkout(
        token=token,
        session_id=ref.session_id,
        stage=stage,
        seller=seller,
        order=order,
        amount=order.amount,
        expires_at=session.expires_at,
        version=sum(one.version for one in (order, session, payment, *aside) if one),
        payment=payment,
        decline=payments.advice_on(last.decline_code) if declined and last else None,
        declined_label=payment.method_label if declined and payment else None,
        next_url=last.next_url if last and stage is Stage.ACTION else None,
        wallet=_wallet(order, user_id, livemode=ref.livemode) if stage is Stage.PAY else None,
        receipt=payment.receipt_key if payment and stage is Stage.PAID else None,
        can_give_up=stage is Stage.ACTION,
        is_back=is_back and stage is Stage.ACTION,
        aside=[
            CameAside(one.amount, aside_says(one, seller.name), one.closed_at is not None)
            for one in aside
        ],
    )


def link_view(ref: PaymentLinkRef, token: str) -> LinkPage:
    """Read what a payment link asks for; raises PaymentLinkNotFound."""
    link = orders.payment_link_of(ref.merchant_id, ref.link_id)
    card = accounts.merchant_card(ref.merchant_id)
    has_ended = orders.has_ended(link)
    return LinkPage(
        token=token,
        seller=seller_of(ref.merchant_id),
        description=link.description,
        amount=link.amount,
        ends_at=link.ends_at,
        has_ended=has_ended,
        is_open=not has_ended and card is not None and card.is_active,
    )


def receipt_view(merchant_id: str, payment_id: str) -> Receipt:
    """Read a receipt; raises PaymentNotFound unless the payment was captured."""
    detail = payments.payment_of(merchant_id, payment_id)
    payment, order = detail.payment, detail.order
    if payment.captured_at is None:
        raise payments.PaymentNotFound("There is no receipt: this payment was not taken.")
    left_out = payment.captured - order.amount
    asked = MoneyLine(order.description or f"Order #{order.number}", order.amount)
    return Receipt(
        seller=seller_of(merchant_id),
        order=order,
        payment=payment,
        paid_at=payment.captured_at,
        history=payments.history_text(payment.captured, order.number),
        lines=[asked, MoneyLine("Not taken", left_out)] if left_out else [asked],
        after=[MoneyLine("Refunded", -payment.refunded)] if payment.refunded else [],
    )


def seller_of(merchant_id: str) -> Seller:
    """Return how a merchant is named on its checkout."""
    card = accounts.merchant_card(merchant_id)
    name = card.name if card else "This shop"
    initials = "".join(word[0] for word in name.split()[:2] if word).upper()
    return Seller(name, initials or "•")


def _stage(order: Order, payment: Payment | None, *, is_open: bool, ends: dt.datetime) -> Stage:
    if order.status == "completed":
        return Stage.PAID
    if order.status == "cancelled":
        return Stage.CLOSED
    if payment is not None and payment.status in UNDER_WAY:
        return UNDER_WAY[payment.status]
    if not is_open or ends <= clock.now():
        return Stage.EXPIRED
    return Stage.PAY


def _wallet(order: Order, user_id: str | None, *, livemode: bool) -> WalletChoice | None:
    if user_id is None or order.kind == "top_up":
        return None
    for balance in wallets.balance_of(user_id, livemode):
        if balance.currency == order.currency:
            available = balance.available
            return WalletChoice(available, available >= order.amount, left=available - order.amount)
    return None
