"""Bugs in the money itself: captures, refunds, wallets, suspense, approvals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from tests.simulation.product import room
from tests.simulation.wire import BOARD
from webapp.gateway import Outcome
from webapp.kernel import db
from webapp.payments import Payment, PaymentNotFound

corrections = room("corrections")
ledger, orders, wallets = room("ledger"), room("orders"), room("wallets")
payments, apply, start = room("payments"), room("payments.apply"), room("payments.start")
steps, sweep = room("payments.steps"), room("payments.sweep")
refunds, books, policy = room("refunds"), room("refunds.books"), room("refunds.policy")
release, service = room("refunds.release"), room("refunds.service")
refund_steps, money = room("refunds.steps"), room("kernel.money")
_numbers = iter(range(1, 1_000_000))


def a_wallet_is_filled_after_the_commit() -> None:
    """A top-up's money is booked once the payment has been committed."""
    deposit = wallets.deposit

    def later(user_id: str, amount: Any, **more: Any) -> None:
        scope = db.current_scope()

        def book() -> None:
            with db.transaction(scope):
                deposit(user_id, amount, **more)

        db.after_commit(book)

    wallets.deposit = later


def an_order_is_closed_after_the_commit() -> None:
    """An order is marked as paid once its payment has been committed."""
    mark_paid = orders.mark_paid

    def later(order: Any, **more: Any) -> None:
        scope, order_id = db.current_scope(), order.id

        def mark() -> None:
            with db.transaction(scope):
                mark_paid(orders.locked(order_id), **more)

        db.after_commit(mark)

    orders.mark_paid = later


def a_capture_is_booked_under_a_fresh_reference() -> None:
    """Each booking of a capture makes up its own reference, and is made twice."""
    post = ledger.post

    def twice(reference: str, lines: Any, **more: Any) -> Any:
        if reference.startswith("payment.captured"):
            post(f"{reference}:{next(_numbers)}", lines, **more)
        return post(reference, lines, **more)

    ledger.post = twice


def money_without_an_order_is_dropped() -> None:
    """A success that no order can take is not recorded."""
    apply._set_aside = lambda *_words, **_more: None


def whatever_came_counts_as_the_price() -> None:
    """What the provider took is not compared with what was asked for."""
    succeeded = apply._succeeded

    def believes(order: Any, payment: Payment, outcome: Outcome, *rest: Any) -> None:
        succeeded(order, payment, replace(outcome, amount=payment.amount), *rest)

    apply._succeeded = believes


def the_fee_is_taken_of_what_was_asked() -> None:
    """A part that was taken pays the fee of the whole."""
    basis_points = money.Money.basis_points
    take = start.take

    def dear(order: Any, payment: Payment, *words: Any, **more: Any) -> None:
        whole = basis_points(payment.amount, payment.fee_bps)
        money.Money.basis_points = lambda one, _bps: min(one, whole)
        try:
            take(order, payment, *words, **more)
        finally:
            money.Money.basis_points = basis_points

    start.take = dear


def refunds_read_what_is_left_and_then_write() -> None:
    """What is left of a payment is read without a lock, so others may act, and no guard counts."""
    BOARD.ask("ALTER TABLE payment DROP CONSTRAINT IF EXISTS ck_payment_refund_reserved_minor")
    BOARD.ask("ALTER TABLE payment DROP CONSTRAINT IF EXISTS ck_payment_refunded_minor")

    def unlocked(payment_id: str) -> Payment:
        wanted = select(Payment).where(Payment.id == payment_id)
        found = db.session.scalars(wanted.execution_options(populate_existing=True)).first()
        if found is None:
            raise PaymentNotFound
        if BOARD.world is not None:
            BOARD.world.hook("refund.read")
        return found

    payments.locked = unlocked


def a_refund_may_take_more_than_is_left() -> None:
    """Nobody compares a refund with what was taken."""
    BOARD.ask("ALTER TABLE payment DROP CONSTRAINT IF EXISTS ck_payment_refund_reserved_minor")
    BOARD.ask("ALTER TABLE payment DROP CONSTRAINT IF EXISTS ck_payment_refunded_minor")
    money.Money.__gt__ = lambda _one, _other: False


def a_failed_refund_is_not_booked_back() -> None:
    """Money of a refund that came back stays in transit."""
    books.undo = lambda _refund: None


def a_refund_is_planned_after_the_commit() -> None:
    """Leaving is booked and not planned with the provider in the same transaction."""
    plan = release.gateway.plan

    def later(kind: Any, **more: Any) -> None:
        scope = db.current_scope()

        def send() -> None:
            with db.transaction(scope):
                plan(kind, **more)

        if str(kind) == "refund":
            db.after_commit(send)
        else:
            plan(kind, **more)

    release.gateway.plan = later


def whoever_asks_may_approve() -> None:
    """The one who asked for a large refund approves it."""
    BOARD.ask("ALTER TABLE refund DROP CONSTRAINT IF EXISTS ck_refund_two_people")
    policy.why_not_approve = lambda _refund, _by: None


def large_refunds_pass_as_small_ones() -> None:
    """Each refund is measured by itself, not with those before it."""
    policy.needs_approval = lambda _payment, amount, limits: (
        amount.minor > limits.approval_minor(amount.currency)
    )


def a_refund_is_undone_after_it_left() -> None:
    """Undoing says yes and changes nothing once the refund is on its way."""
    undo = service.undo

    def agrees(refund_id: str, **more: Any) -> Any:
        try:
            return undo(refund_id, **more)
        except service.UndoTooLate:
            return None

    service.undo = agrees
    refunds.undo = agrees


def links_end_under_payments() -> None:
    """A link's end fails a payment that the bank is still deciding about."""
    finish = steps.finish
    sweep.UNDER_WAY = ()

    def fails(payment: Payment, status: str, **more: Any) -> None:
        under_way = payment.status in {"processing", "requires_action"}
        finish(payment, "failed" if under_way else status, **more)

    steps.finish = fails


def credit_is_given_and_never_spent() -> None:
    """What leaves one payment as credit does not pay the order that it is for."""
    payments.pay_with_credit = lambda *_words, **_more: None


def whoever_asks_may_correct() -> None:
    """The admin who asked for a correction approves it."""
    BOARD.ask("ALTER TABLE correction DROP CONSTRAINT IF EXISTS ck_correction_two_people")
    verbs = room("corrections.service")

    def approves(correction_id: str, *, by: Any) -> Any:
        with db.transaction():
            correction = verbs._locked(correction_id)
            correction.approved_by = by.id
            verbs._decide(correction, "posted", because="An admin approved it.", by=by)
            db.session.flush()
            verbs._book(correction)
        return correction

    corrections.approve = approves


def set_aside_money_is_kept_after_its_refund() -> None:
    """A refund of money set aside that failed leaves it as given back."""
    refund_steps.reopen_anomaly = lambda _refund, **_more: None


BUGS = (
    a_wallet_is_filled_after_the_commit,
    an_order_is_closed_after_the_commit,
    a_capture_is_booked_under_a_fresh_reference,
    money_without_an_order_is_dropped,
    whatever_came_counts_as_the_price,
    the_fee_is_taken_of_what_was_asked,
    refunds_read_what_is_left_and_then_write,
    a_refund_may_take_more_than_is_left,
    a_failed_refund_is_not_booked_back,
    a_refund_is_planned_after_the_commit,
    whoever_asks_may_approve,
    large_refunds_pass_as_small_ones,
    a_refund_is_undone_after_it_left,
    links_end_under_payments,
    credit_is_given_and_never_spent,
    whoever_asks_may_correct,
    set_aside_money_is_kept_after_its_refund,
)
