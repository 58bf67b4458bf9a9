"""The order form reads strictly and names the field that is wrong."""

from __future__ import annotations

import pytest

from webapp.kernel.money import Money
from webapp.web.merchant.forms import read_order_form

GOOD = {"amount": "1,000.00", "currency": "INR", "description": "Two chairs", "customer_email": ""}

WRONG: dict[str, tuple[dict[str, str], str, str]] = {
    "no amount": ({"amount": ""}, "amount", "Enter an amount."),
    "words": ({"amount": "a thousand"}, "amount", "Enter the amount in digits"),
    "negative": ({"amount": "-5"}, "amount", "above zero"),
    "a typographic minus": ({"amount": "−5"}, "amount", "above zero"),
    "zero": ({"amount": "0.00"}, "amount", "above zero"),
    "too fine": ({"amount": "10.005"}, "amount", "at most 2 after the point"),
    "yen with decimals": ({"amount": "10.5", "currency": "JPY"}, "amount", "no decimals"),
    "dinars not ending in zero": (
        {"amount": "1.234", "currency": "KWD"},
        "amount",
        "third decimal",
    ),
    "over the limit": ({"amount": "1000000000.00"}, "amount", "at most"),
    "digits without end": ({"amount": "9" * 400}, "amount", "at most"),
    "scientific": ({"amount": "1e3"}, "amount", "digits"),
    "not a number at all": ({"amount": "NaN"}, "amount", "digits"),
    "other digits": ({"amount": "١٠٠"}, "amount", "digits"),
    "unknown currency": ({"currency": "XXX"}, "currency", "not a currency we take"),
    "no currency": ({"currency": ""}, "currency", "not a currency we take"),
    "a script as currency": ({"currency": "<script>"}, "currency", "not a currency we take"),
    "card number as amount": ({"amount": "4242424242424242"}, "amount", "card number"),
    "card number in words": (
        {"description": "card 4242 4242 4242 4242 12/30"},
        "description",
        "looks like a card number",
    ),
    "long description": ({"description": "x" * 201}, "description", "200 characters"),
    "two lines": ({"description": "one\ntwo"}, "description", "one line"),
    "read backwards": ({"description": "a\u202eb"}, "description", "cannot be printed"),
    "a null byte": ({"description": "a\x00b"}, "description", "one line"),
    "no address": ({"customer_email": "somebody"}, "customer_email", "e-mail address"),
    "two addresses": ({"customer_email": "a@b.test, c@d.test"}, "customer_email", "e-mail address"),
    "a header in it": ({"customer_email": "a@example.com\nBcc: x@y.z"}, "customer_email", "e-mail"),
}


@pytest.mark.requirement("S3-03")
def test_a_right_form_means_an_amount() -> None:
    form = read_order_form(GOOD)
    assert not form.errors
    assert form.amount == Money(1_000_00, "INR")
    assert (form.description, form.customer_email) == ("Two chairs", None)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_field_is_named_with_what_would_be_right(name: str) -> None:
    changed, field, says = WRONG[name]
    form = read_order_form(GOOD | changed)
    assert list(form.errors) == [field]
    assert says in form.errors[field]


def test_every_wrong_field_is_named_at_once() -> None:
    form = read_order_form({"amount": "0", "currency": "INR", "customer_email": "x"})
    assert set(form.errors) == {"amount", "customer_email"}


def test_a_field_that_is_missing_is_as_one_left_empty() -> None:
    assert set(read_order_form({}).errors) == {"currency"}
