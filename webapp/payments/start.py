"""Verbs that begin a try: by card, on the provider's page, or from a wallet.

Each locks the order, then its live payment, so two tabs cannot both begin; the database allows one
live payment per order, one open try per payment and one live charge operation per payment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from webapp import accounts, gateway, ledger, orders, wallets
from webapp.gateway import Confirm, CreateIntent, CreateSession, ExpireSession, Kind
from webapp.kernel import clock, db
from webapp.kernel.errors import Unavailable
from webapp.kernel.money import Money
from webapp.orders import CheckoutRef, Order
from webapp.outbox import Actor
from webapp.payments import entries, steps
from webapp.payments.errors import (
    AlreadyPaid,
    MethodRefused,
    PaymentUnderWay,
    SellerSuspended,
    SignInToPay,
    TooManyAttempts,
    WrongMethod,
)
from webapp.payments.models import Attempt, Payment
from webapp.payments.queries import history_text
from webapp.payments.states import (
    CHECK_PROCESSING,
    PROCESSING_DEADLINE,
    UNDER_WAY,
    Status,
)
from webapp.payments.steps import MAX_ATTEMPTS, Payer

SUBJECT = "payment"
#: The purpose of the operation that takes held money.
CAPTURE = "capture"
HELD = "The bank holds the money for this order. You were not charged."
_METHOD_ID = re.compile(r"pm_[A-Za-z0-9_]{1,120}")


def start_card(
    checkout: CheckoutRef, provider_method_id: str, *, return_url: str, payer: Payer
) -> str:
    """Begin to charge the card behind `pm_…`; returns the payment's id, the rest is a worker's.

    Called again with the same method while that try is open, it returns the same payment.
    Raises CheckoutExpired, AlreadyPaid, PaymentUnderWay, TooManyAttempts, MethodRefused.
    """
    if not _METHOD_ID.fullmatch(provider_method_id):
        raise MethodRefused(param="payment_method")
    with db.transaction():
        order, payment = _ready(checkout, payer, same_method=provider_method_id)
        if payment.status in UNDER_WAY:
            return payment.id
        if payment.provider_session_id:
            payment = _replace(order, payment, payer, checkout)
        attempt = steps.new_attempt(payment, method_kind="card")
        attempt.provider_method_id = provider_method_id
        attempt.return_sealed = attempt.sealed("return", return_url)
        _begin_processing(payment, "card", payer)
        if payment.provider_intent_id:
            plan_confirm(payment, attempt)
        else:
            _plan(payment, Kind.CREATE_INTENT, attempt.id, _intent_of(order))
        return payment.id


def start_waiting(
    checkout: CheckoutRef, *, payer: Payer, details: Mapping[str, str] | None = None
) -> str:
    """Begin a payment that waits for somebody to choose how to pay; returns its id.

    Called again it returns the one that waits; `details` are kept as its metadata, where given.
    Raises what start_card raises about the order.
    """
    with db.transaction():
        _order, payment = _ready(checkout, payer)
        if details is not None:
            payment.details = dict(details)
        return payment.id


def start_hosted(checkout: CheckoutRef, *, success_url: str, cancel_url: str, payer: Payer) -> str:
    """Begin a payment on the provider's own page (no JavaScript needed here); returns its id.

    A payment that already has an intent is given up first: one payment, one intent.
    """
    with db.transaction():
        order, payment = _ready(checkout, payer)
        if payment.provider_intent_id or payment.provider_session_id:
            payment = _replace(order, payment, payer, checkout)
        attempt = steps.new_attempt(payment, method_kind="hosted")
        attempt.return_sealed = attempt.sealed("return", success_url)
        _begin_processing(payment, "hosted", payer)
        request = CreateSession(
            amount_minor=order.amount_minor,
            currency=order.currency,
            order_number=order.number,
            description=order.description or f"Order #{order.number}",
            success_url=success_url,
            cancel_url=cancel_url,
            manual_capture=order.capture_later,
        )
        _plan(payment, Kind.CREATE_SESSION, attempt.id, request)
        return payment.id


def pay_from_wallet(checkout: CheckoutRef, *, payer: Payer) -> str:
    """Pay an order from the payer's wallet of its currency, all in one transaction; returns the id.

    The balance is checked under the lock of its row. Raises SignInToPay, WrongMethod for a top-up,
    InsufficientBalance (nothing is changed), and what start_card raises about the order.
    """
    if payer.user_id is None:
        raise SignInToPay
    with db.transaction():
        order, payment = _ready(checkout, payer)
        if order.kind == "top_up":
            raise WrongMethod("A wallet cannot be topped up from itself. Use a card.")
        attempt = steps.new_attempt(payment, method_kind="wallet", status="succeeded")
        wallets.require_active(payer.user_id, bool(order.livemode), order.currency)
        source = ledger.wallet(payer.user_id, bool(order.livemode), order.currency)
        payment.method_kind = "wallet"
        payment.method_label = "Wallet"
        take(order, payment, attempt, source=source, by=payer.actor)
        plan_cancel(payment)
        return payment.id


def take(
    order: Order,
    payment: Payment,
    attempt: Attempt | None,
    *,
    source: ledger.AccountRef,
    amount: Money | None = None,
    by: Actor = gateway.ACTOR,
) -> None:
    """Take a payment: state, books, order and checkout together (a step; all rows are locked).

    `amount` is what was taken, where that is less than the whole; the fee is kept of it alone.
    """
    taken = amount or payment.amount
    fee = taken.basis_points(payment.fee_bps)
    payment.captured_minor = taken.minor
    payment.authorised_minor = max(payment.authorised_minor, taken.minor)
    payment.fee_minor = fee.minor
    payment.captured_at = payment.finished_at = clock.now()
    payment.check_at = payment.deadline_at = None
    payment.last_decline_code = None
    if attempt is not None and attempt.is_open:
        steps.end_attempt(attempt, "succeeded")
    is_part = taken != payment.amount
    because = "Part of the money was taken." if is_part else "The money was taken."
    payment.move_to(Status.CAPTURED, because=because, by=by)
    reference = f"payment.captured:{payment.id}"
    if order.kind == "top_up":
        wallets.deposit(
            order.user_id or "",
            taken,
            livemode=bool(order.livemode),
            reference=reference,
            source=source,
        )
    else:
        _book(order, payment, source, reference)
    orders.mark_paid(order, by=by)


def _book(order: Order, payment: Payment, source: ledger.AccountRef, reference: str) -> None:
    lines = entries.captured(
        entries.Capture(
            source=source,
            merchant_id=order.merchant_id or "",
            livemode=bool(order.livemode),
            amount=payment.captured,
            fee=payment.fee,
        )
    )
    ledger.post(
        reference,
        lines,
        kind="payment.captured",
        merchant_id=order.merchant_id or "",
        livemode=bool(order.livemode),
        because=history_text(payment.captured, order.number),
    )


def plan_confirm(payment: Payment, attempt: Attempt) -> None:
    """Plan the charge of an attempt's method (a step)."""
    request = Confirm(
        intent_id=payment.provider_intent_id or "",
        method_id=attempt.provider_method_id or "",
        return_url=attempt.return_url,
    )
    _plan(payment, Kind.CONFIRM, attempt.id, request)


def cancel_of(payment: Payment) -> str:
    """Return the purpose of the operation that gives a payment's object up."""
    return f"cancel:{payment.id}"


def plan_cancel(payment: Payment, *, is_held: bool = False) -> None:
    """Plan to give the provider's object of a payment up (a step); once per payment.

    The intent that belongs to a hosted page ends with its page: the provider refuses to cancel it,
    unless it holds money (`is_held`). Source: Stripe, "Cancel a PaymentIntent".
    """
    if payment.provider_session_id and not (is_held and payment.provider_intent_id):
        expire = ExpireSession(session_id=payment.provider_session_id)
        _plan(payment, Kind.EXPIRE_SESSION, cancel_of(payment), expire)
    elif payment.provider_intent_id:
        request = gateway.Cancel(intent_id=payment.provider_intent_id)
        _plan(payment, Kind.CANCEL, cancel_of(payment), request)


def plan_look_up(payment: Payment) -> None:
    """Plan to ask the provider where a payment stands (a step); one question at a time."""
    if payment.provider_intent_id or payment.provider_session_id:
        request = gateway.LookUp(
            intent_id=payment.provider_intent_id, session_id=payment.provider_session_id
        )
        _plan(payment, Kind.LOOK_UP, "look_up", request)


def _ready(
    checkout: CheckoutRef, payer: Payer, *, same_method: str | None = None
) -> tuple[Order, Payment]:
    order = orders.locked(checkout.order_id)
    payment = steps.live_payment(order.id)
    if order.status == "completed":
        raise AlreadyPaid
    if payment is not None and payment.status == Status.AUTHORISED:
        return order, _same_try(payment, same_method)
    session = orders.locked_checkout(checkout.session_id)
    if order.status != "pending":
        raise orders.OrderNotPayable
    if session.status != "open" or session.expires_at <= clock.now():
        raise orders.CheckoutExpired
    seller = accounts.merchant_card(order.merchant_id or "")
    if seller is None or not seller.is_active:
        raise SellerSuspended
    if payment is None:
        orders.check_link(order)
        return order, steps.new_payment(order, payer, checkout_session_id=checkout.session_id)
    if payment.status in UNDER_WAY:
        return order, _same_try(payment, same_method)
    orders.check_link(order)
    if payment.attempt_count >= MAX_ATTEMPTS:
        raise TooManyAttempts
    if same_method and steps.attempt_with_method(payment, same_method):
        raise MethodRefused("That card entry was used already. Enter the card again.")
    steps.take_over(order, payment, payer)
    return order, payment


def _same_try(payment: Payment, method: str | None) -> Payment:
    """Return a payment under way that this very try began; raises PaymentUnderWay for another."""
    is_held = payment.status == Status.AUTHORISED
    attempt = steps.attempt_with_method(payment, method) if method else None
    if attempt is None or not (attempt.is_open or is_held):
        raise PaymentUnderWay(HELD if is_held else None)
    return payment


def _replace(order: Order, payment: Payment, payer: Payer, checkout: CheckoutRef) -> Payment:
    plan_cancel(payment)
    steps.finish(
        payment,
        Status.CANCELLED,
        because="The shopper chose another way to pay.",
        by=payer.actor,
    )
    db.session.flush()
    return steps.new_payment(order, payer, checkout_session_id=checkout.session_id)


def _begin_processing(payment: Payment, method_kind: str, payer: Payer) -> None:
    now = clock.now()
    payment.method_kind = method_kind
    payment.method_label = None
    payment.check_at = now + CHECK_PROCESSING
    payment.deadline_at = now + PROCESSING_DEADLINE
    payment.move_to(Status.PROCESSING, because="The shopper asked to pay.", by=payer.actor)


def _intent_of(order: Order) -> CreateIntent:
    return CreateIntent(
        amount_minor=order.amount_minor,
        currency=order.currency,
        order_number=order.number,
        description=order.description,
        manual_capture=order.capture_later,
    )


def plan_capture(payment: Payment, amount: Money) -> None:
    """Plan to take so much of held money (a step)."""
    request = gateway.Capture(intent_id=payment.provider_intent_id or "", amount_minor=amount.minor)
    _plan(payment, Kind.CAPTURE, CAPTURE, request)


def _plan(payment: Payment, kind: Kind, purpose: str, request: gateway.Call) -> None:
    db.session.flush()
    if payment.merchant_id is None or payment.livemode is None:
        raise Unavailable
    gateway.plan(
        kind,
        subject_kind=SUBJECT,
        subject_id=payment.id,
        purpose=purpose,
        merchant_id=payment.merchant_id,
        livemode=payment.livemode,
        request=request,
    )
