"""What people type to refund a payment, read strictly; every refusal names its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from webapp.kernel import crypto
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money, parse_money
from webapp.kernel.words import turns_text
from webapp.payments import Payment
from webapp.web.shared.refund_words import DESTINATIONS, REASONS

MAX_NOTE = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RefundForm:
    """The refund form: what was typed, what it means where it is right, and what is wrong."""

    typed: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    amount: Money | None = None
    reason: str = ""
    note: str = ""
    destination: str = "original"
    target_number: str = ""
    seen: Money | None = None


def read_refund_form(typed: Mapping[str, str], payment: Payment) -> RefundForm:
    """Read a refund form; `errors` holds one sentence for each field that is wrong."""
    errors: dict[str, str] = {}

    def noting(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except Invalid as wrong:
            errors[wrong.param or "amount"] = wrong.message
            return None

    amount = noting(lambda: _amount(typed, payment))
    reason = noting(lambda: _choice(typed, "reason", REASONS, "Choose why it is refunded."))
    ways = DESTINATIONS
    destination = noting(lambda: _choice(typed, "destination", ways, "Choose where it goes."))
    note = noting(lambda: _note(typed))
    number = typed.get("target_order", "").strip().lstrip("#")
    if destination == "order_credit" and not number:
        errors["target_order"] = "Enter the number of the order that it pays."
    return RefundForm(
        typed=typed,
        errors=errors,
        amount=amount,
        reason=reason or "",
        note=note or "",
        destination=destination or "original",
        target_number=number,
        seen=noting(lambda: _seen(typed, payment)),
    )


def _amount(typed: Mapping[str, str], payment: Payment) -> Money:
    text = typed.get("amount", "")
    if crypto.looks_like_card_number(text):
        raise Invalid("That looks like a card number. Enter the amount.", param="amount")
    return parse_money(text, payment.currency)


def _choice(typed: Mapping[str, str], name: str, choices: Mapping[str, str], otherwise: str) -> str:
    value = typed.get(name, "")
    if value not in choices:
        raise Invalid(otherwise, param=name)
    return value


def _note(typed: Mapping[str, str]) -> str:
    text = typed.get("note", "").strip()
    if len(text) > MAX_NOTE:
        raise Invalid(f"Keep the note to {MAX_NOTE} characters.", param="note")
    if turns_text(text):
        raise Invalid("Leave out characters that cannot be printed.", param="note")
    if crypto.looks_like_card_number(text):
        raise Invalid("That looks like a card number. Never write those here.", param="note")
    return text


def _seen(typed: Mapping[str, str], payment: Payment) -> Money:
    """Return what the form says was available; raises Invalid where it does not say."""
    text = typed.get("seen_available", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):  # noqa: PLR2004 - of int64
        raise Invalid("This form is out of date. Reload the page.", param="seen_available")
    return Money(int(text), payment.currency)
