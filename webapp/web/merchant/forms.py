"""What people type into this door, read strictly; every refusal names its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from webapp.kernel import crypto, emails
from webapp.kernel.errors import Invalid
from webapp.kernel.money import EXPONENTS, Money, parse_money
from webapp.kernel.words import turns_text

MAX_DESCRIPTION = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OrderForm:
    """The order form: what was typed, what it means where it is right, and what is wrong."""

    typed: Mapping[str, str]
    errors: Mapping[str, str]
    amount: Money | None = None
    description: str = ""
    customer_email: str | None = None
    capture_later: bool = False


def read_order_form(typed: Mapping[str, str]) -> OrderForm:
    """Read an order form; `errors` holds one sentence for each field that is wrong."""
    errors: dict[str, str] = {}
    amount = noting(errors, read_amount, typed)
    description = noting(errors, read_description, typed)
    email = noting(errors, _email, typed)
    return OrderForm(
        typed=typed,
        errors=errors,
        amount=amount,
        description=description or "",
        customer_email=email or None,
        capture_later=typed.get("capture_later") == "1",
    )


def noting(
    errors: dict[str, str], read: Callable[[Mapping[str, str]], T], typed: Mapping[str, str]
) -> T | None:
    """Return what a field means, or None with the sentence that says what is wrong noted."""
    try:
        return read(typed)
    except Invalid as wrong:
        errors[wrong.param or "amount"] = wrong.message
        return None


def read_amount(typed: Mapping[str, str]) -> Money:
    """Read the fields `amount` and `currency`; raises Invalid naming the one that is wrong."""
    currency = typed.get("currency", "").strip().upper()
    if currency not in EXPONENTS:
        shown = currency[:8] or "Nothing"
        raise Invalid(
            f"“{shown}” is not a currency we take. Choose one from the list.", param="currency"
        )
    text = typed.get("amount", "")
    if crypto.looks_like_card_number(text):
        raise Invalid("That looks like a card number. Enter the amount.", param="amount")
    return parse_money(text, currency)


def read_description(typed: Mapping[str, str]) -> str:
    """Read the field `description`, one line of text, empty for none; raises Invalid."""
    text = typed.get("description", "").strip()
    if len(text) > MAX_DESCRIPTION:
        raise Invalid(f"Keep the description to {MAX_DESCRIPTION} characters.", param="description")
    if any(ord(letter) < ord(" ") for letter in text):
        raise Invalid("Write the description on one line.", param="description")
    if turns_text(text):
        raise Invalid("Leave out characters that cannot be printed.", param="description")
    if crypto.looks_like_card_number(text):
        raise Invalid(
            "That looks like a card number. Never write card numbers here.", param="description"
        )
    return text


def _email(typed: Mapping[str, str]) -> str | None:
    text = typed.get("customer_email", "").strip()
    return emails.checked(text, param="customer_email") if text else None
