"""The refund panel of a payment's page: what is left, what it will do, and who must approve."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import g

from webapp import ledger, refunds
from webapp.kernel import clock, words
from webapp.kernel.money import Money
from webapp.payments import Payment
from webapp.web.merchant.door import why_not
from webapp.web.merchant.refund_forms import RefundForm
from webapp.web.shared.refund_words import DESTINATIONS, REASONS, PostingLine, postings

NEEDS_SECOND = (
    "A second person has to approve it, since more than {limit} of this payment goes back: "
    "another owner or admin of yours, or the platform’s team."
)
NEEDS_NONE = "Nobody else needs to approve it."
BELOW_ZERO = (
    "Your balance goes below zero. That is allowed: later payments fill it before you are paid out."
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a refund would do, worked out from what is typed: money, people, days, the books."""

    amount: Money
    left: Money
    lines: Sequence[PostingLine]
    approval: str
    expected: dt.date
    undo_seconds: int
    balance_before: Money
    balance_after: Money
    below_zero: str


@dataclass(frozen=True, slots=True)
class Way:
    """One destination that can be chosen, or why it cannot."""

    value: str
    title: str
    note: str
    disabled_because: str | None


@dataclass(frozen=True, slots=True)
class RefundPanel:
    """The panel: what was typed or prefilled, what is wrong, and the preview of what is right."""

    payment_id: str
    available: Money
    seen: Money
    typed: Mapping[str, str]
    errors: Mapping[str, str]
    summary: Sequence[Mapping[str, str]]
    reasons: Sequence[tuple[str, str]]
    ways: Sequence[Way]
    destination: str
    fee: Money
    preview: Preview | None
    check: str | None
    has_changed: bool


def why_no_refund(payment: Payment) -> str | None:
    """Return why the person cannot refund this payment now, or None."""
    if payment.status != "captured":
        return "You can only refund a payment that was captured."
    reasons = refunds.why_not_refund(payment)
    return reasons[0] if reasons else why_not("refund")


def refund_panel(payment: Payment, form: RefundForm | None = None) -> RefundPanel:
    """Return the panel as it is opened, or as it was typed."""
    available = payment.refundable
    form = form or RefundForm(
        typed={"amount": available.plain()}, amount=available, destination="original"
    )
    ways = _ways(payment)
    usable = [way.value for way in ways if not way.disabled_because]
    chosen = form.destination if form.typed.get("destination") else (usable or ["original"])[0]
    check = _check(form, available)
    return RefundPanel(
        payment_id=payment.id,
        available=available,
        seen=form.seen or available,
        typed=form.typed,
        errors=form.errors,
        summary=[{"field": name, "message": says} for name, says in form.errors.items()],
        reasons=[("", "Choose a reason"), *REASONS.items()],
        ways=ways,
        destination=chosen,
        fee=payment.fee,
        preview=_preview(payment, form.amount, chosen) if form.amount and not check else None,
        check=check,
        has_changed=form.seen is not None and form.seen != available,
    )


def _check(form: RefundForm, available: Money) -> str | None:
    """Return what is wrong with the amount, or None: the live check."""
    if form.amount is None:
        return form.errors.get("amount")
    if form.amount > available:
        return f"Only {words.money_text(available)} is left to refund of this payment."
    return None


def _ways(payment: Payment) -> list[Way]:
    stored = refunds.goes_to(payment, "original") == "wallet"
    notes = {
        "original": f"To {payment.method_label or 'the card'}, at the bank’s pace",
        "wallet": "At once",
        "order_credit": "At once; the order must ask for exactly this amount",
    }
    return [
        Way(
            value,
            title,
            notes[value],
            "It was paid from stored money, so it goes back into the wallet."
            if stored and value == "original"
            else refunds.why_not_destination(payment, value),
        )
        for value, title in DESTINATIONS.items()
    ]


def _preview(payment: Payment, amount: Money, destination: str) -> Preview:
    limits = refunds.limits()
    limit = words.money_text(Money(limits.approval_minor(payment.currency), payment.currency))
    second = refunds.needs_approval(payment, amount, limits)
    before = ledger.balance(
        ledger.payable(payment.merchant_id or "", bool(payment.livemode), payment.currency)
    )
    after = before if destination == "order_credit" else before - amount
    today = clock.now().astimezone(words.zone(g.merchant.timezone)).date()
    return Preview(
        amount=amount,
        left=payment.refundable - amount,
        lines=postings(destination, amount),
        approval=NEEDS_SECOND.format(limit=limit) if second else NEEDS_NONE,
        expected=refunds.expected_by(destination, today),
        undo_seconds=int(limits.undo.total_seconds()),
        balance_before=before,
        balance_after=after,
        below_zero=BELOW_ZERO if after.minor < 0 else "",
    )
