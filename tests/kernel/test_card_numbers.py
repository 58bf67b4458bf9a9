"""Card numbers are found wherever people write them, and other numbers are left alone."""

from __future__ import annotations

import pytest

from webapp.kernel.crypto import looks_like_card_number, without_card_numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4242424242424242", "4242424242424242"),
        ("pay with 4242 4242 4242 4242 please", "4242 4242 4242 4242"),
        ("4242-4242-4242-4242", "4242-4242-4242-4242"),
        ("card 4242 4242 4242 4242 12/30", "4242 4242 4242 4242"),
        ("4242 4242 4242 4242 12 30 123", "4242 4242 4242 4242"),
        ("call 98765 43210 4242424242424242", "4242424242424242"),
        ("378282246310005", "378282246310005"),
        ("5555555555554444", "5555555555554444"),
        ("6011 1111 1111 1117", "6011 1111 1111 1117"),
        ("4242.4242.4242.4242", "4242.4242.4242.4242"),
        ("4242\u00a04242\u00a04242\u00a04242", "4242\u00a04242\u00a04242\u00a04242"),
        ("4242\u20114242\u20114242\u20114242", "4242\u20114242\u20114242\u20114242"),
        ("4242  4242  4242  4242", "4242  4242  4242  4242"),
        ("\uff14\uff12" * 8, "\uff14\uff12" * 8),
    ],
)
def test_a_card_number_is_found_as_it_was_written(text: str, found: str) -> None:
    assert looks_like_card_number(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Order 1042 of 21 November 2026",
        "4242424242424241",
        "+91 98765 43210",
        "1234567890123456",
        "pay_01JDA8ZK3M4Q5R6S7T8V9W0X1Y",
        "4242 4242",
        "99999999999.99",
        "4.242424242424242",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert looks_like_card_number(text) is None


def test_every_card_number_of_a_text_is_hidden_and_nothing_beside_it() -> None:
    text = "14242424242424242 4242424242424242, 378282246310005 and 4242 4242 4242 4242 12/30"
    assert without_card_numbers(text, "#") == "14242424242424242 #, # and # 12/30"
