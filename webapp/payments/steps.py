"""Steps that several verbs share; each expects the transaction that its verb has opened."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import select

from webapp import accounts, orders
from webapp.gateway import Card
from webapp.kernel import clock, db, ids
from webapp.orders import Order
from webapp.outbox import SYSTEM, Actor
from webapp.payments.declines import CATALOGUE
from webapp.payments.errors import PaymentNotFound
from webapp.payments.models import OPEN_ATTEMPT, Attempt, Payment
from webapp.payments.states import LIVE, Status

MAX_ATTEMPTS = 10
BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
}
DECLINE_CODES = frozenset(CATALOGUE)


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: a signed-in person, a guest with an e-mail address, or a guest without.

    `by` is who acts for them, where it is not they themselves: a merchant's program.
    """

    user_id: str | None = None
    email: str | None = None
    by: Actor | None = None

    @property
    def actor(self) -> Actor:
        """Who does what is done: the payer, or who acts for them."""
        return self.by or Actor("shopper", self.user_id)


def live_payment(order_id: str) -> Payment | None:
    """Return the order's live payment with its row locked, or None."""
    db.assert_transaction()
    wanted = select(Payment).where(Payment.order_id == order_id, Payment.status.in_(LIVE))
    fresh = wanted.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(fresh)


def locked_with_order(payment_id: str) -> tuple[Order, Payment]:
    """Return a payment and its order, locked in that order: order first; raises PaymentNotFound."""
    db.assert_transaction()
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        raise PaymentNotFound
    order = orders.locked(order_id)
    wanted = select(Payment).where(Payment.id == payment_id).with_for_update()
    payment = db.session.scalars(wanted.execution_options(populate_existing=True)).one()
    return order, payment


def locked(payment_id: str) -> Payment:
    """Return a payment with its row locked (a step); raises PaymentNotFound.

    For what changes nothing of the payment's own; whoever needs the order too locks that first.
    """
    db.assert_transaction()
    wanted = select(Payment).where(Payment.id == payment_id).with_for_update()
    payment = db.session.scalar(wanted.execution_options(populate_existing=True))
    if payment is None:
        raise PaymentNotFound
    return payment


def take_over(order: Order, payment: Payment, payer: Payer) -> None:
    """Put a payment in the name of who tries it now: what is told of it goes to them."""
    if payer.user_id and payment.user_id != payer.user_id:
        payment.user_id = payer.user_id
        order.user_id = order.user_id or payer.user_id
    if not payer.email or payer.email == payment.shopper.get("email"):
        return
    payment.seal_shopper({"email": payer.email})
    if order.customer_id is None:
        payment.customer_id = _customer(order, payer)


def new_payment(
    order: Order, payer: Payer, *, checkout_session_id: str | None, with_fee: bool = True
) -> Payment:
    """Begin a payment of a locked order that has no live one; a top-up never costs a fee."""
    is_free = order.kind == "top_up" or not with_fee
    customer_id = order.customer_id or _customer(order, payer)
    if payer.user_id and order.user_id is None:
        order.user_id = payer.user_id
    payment = Payment(
        id=ids.new("payment"),
        merchant_id=order.merchant_id,
        livemode=order.livemode,
        user_id=payer.user_id or order.user_id,
        order_id=order.id,
        customer_id=customer_id,
        checkout_session_id=checkout_session_id,
        amount_minor=order.amount_minor,
        currency=order.currency,
        authorised_minor=0,
        captured_minor=0,
        fee_bps=0 if is_free else accounts.fee_bps_of(order.merchant_id or ""),
        fee_minor=0,
        created_at=clock.now(),
        attempt_count=0,
        details={},
    )
    payment.seal({"email": payer.email} if payer.email else {})
    payment.begin(Status.CREATED, because="The shopper began to pay.", by=payer.actor)
    return payment


def _customer(order: Order, payer: Payer) -> str | None:
    """Return the merchant's customer with the payer's address, or None where there is none."""
    if not payer.email:
        return None
    return orders.customer_with_email(
        order.merchant_id or "",
        payer.email,
        livemode=bool(order.livemode),
        user_id=payer.user_id,
    ).id


def new_attempt(payment: Payment, *, method_kind: str, status: str = "processing") -> Attempt:
    """Begin a try of a payment; the database allows one that is open."""
    payment.attempt_count += 1
    now = clock.now()
    attempt = Attempt(
        id=ids.new("attempt"),
        payment_id=payment.id,
        merchant_id=payment.merchant_id,
        livemode=payment.livemode,
        user_id=payment.user_id,
        number=payment.attempt_count,
        method_kind=method_kind,
        status=status,
        started_at=now,
        finished_at=None if status in OPEN_ATTEMPT else now,
    )
    db.session.add(attempt)
    return attempt


def open_attempt(payment: Payment) -> Attempt | None:
    """Return the try of a payment that has not ended, or None."""
    wanted = select(Attempt).where(
        Attempt.payment_id == payment.id, Attempt.status.in_(OPEN_ATTEMPT)
    )
    return db.session.scalar(wanted)


def attempt_with_method(payment: Payment, provider_method_id: str) -> Attempt | None:
    """Return the try of a payment that used a method, or None."""
    wanted = select(Attempt).where(
        Attempt.payment_id == payment.id, Attempt.provider_method_id == provider_method_id
    )
    return db.session.scalar(wanted)


def end_attempt(attempt: Attempt, status: str, *, decline_code: str | None = None) -> None:
    """End an open try."""
    attempt.status = status
    attempt.decline_code = decline_code
    attempt.finished_at = clock.now()
    attempt.next_url_sealed = None


def remember_card(payment: Payment, attempt: Attempt | None, card: Card | None) -> None:
    """Note what may be shown of the card that was used; the rest is sealed."""
    if card is None:
        return
    payment.method_label = card_label(card.brand, card.last4)
    if attempt is not None and attempt.card_last4 is None:
        attempt.card_brand = card.brand
        attempt.card_last4 = card.last4
        attempt.card_sealed = attempt.sealed("card", card_json(card))


def card_label(brand: str, last4: str) -> str:
    """Return what people call a card, such as `Visa •••• 4242`."""
    return f"{BRANDS.get(brand, brand.title())} •••• {last4}"


def finish(payment: Payment, status: Status, *, because: str, by: Actor = SYSTEM) -> None:
    """Move a payment to one of its ends without money."""
    payment.finished_at = clock.now()
    payment.check_at = None
    payment.deadline_at = None
    payment.move_to(status, because=because, by=by)


def card_json(card: Card) -> str:
    """Return what may be kept of a card, as SecureCardData without its token (S4-40)."""
    return json.dumps(
        {
            "last_4": card.last4,
            "expiry_month": card.exp_month,
            "expiry_year": card.exp_year,
            "card_type": card.funding,
            "issuer_bank": card.issuer,
            "brand": card.brand,
            "country": card.country,
        }
    )
