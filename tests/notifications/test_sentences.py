"""The words that people are told."""

from __future__ import annotations

import pytest

from webapp.kernel.money import Money
from webapp.notifications import letters, sentences


@pytest.mark.requirement("S3-10")
@pytest.mark.parametrize(
    ("amount", "number", "says"),
    [
        (Money(500_00, "INR"), "123", "Your payment of ₹500 for Order #123 is successful."),
        (Money(1_000_00, "INR"), "1042", "Your payment of ₹1,000 for Order #1042 is successful."),
        (Money(500_50, "INR"), "7", "Your payment of ₹500.50 for Order #7 is successful."),
        (Money(1_23_456_00, "INR"), "7", "Your payment of ₹1,23,456 for Order #7 is successful."),
        (
            Money(99_999_999_999, "INR"),
            "7",
            "Your payment of ₹99,99,99,999.99 for Order #7 is successful.",
        ),
        (Money(1_000, "JPY"), "7", "Your payment of ¥1,000 for Order #7 is successful."),
        (Money(1_250, "KWD"), "7", "Your payment of KWD 1.250 for Order #7 is successful."),
        (Money(1_234_50, "USD"), "7", "Your payment of $1,234.50 for Order #7 is successful."),
    ],
)
def test_a_payment_is_told_in_the_words_that_were_asked_for(
    amount: Money, number: str, says: str
) -> None:
    assert sentences.paid(amount, number) == says


RECEIPT = {
    "link": "http://localhost:8000/receipt/signed",
    "amount": Money(1_000_00, "INR"),
    "order_number": "1042",
    "description": "A <b>chair</b> & table",
    "merchant_name": "Lotus Tea House",
    "method": "Visa •••• 4242",
    "paid_at": "21 Nov 2026, 14:05 IST",
    "payment_id": "pay_01J",
    "mode": "test",
}


@pytest.mark.requirement("S4-14")
def test_a_receipt_says_what_was_paid_to_whom_how_and_when_in_text_and_html() -> None:
    letter = letters.render("receipt", **RECEIPT)
    assert letter.subject == "[Test] Receipt: ₹1,000.00 to Lotus Tea House for Order #1042"
    for said in (
        "₹1,000.00",
        "Order #1042",
        "Lotus Tea House",
        "Visa •••• 4242",
        "14:05 IST",
        "pay_01J",
    ):
        assert said in letter.text
        assert said in letter.html
    assert "A <b>chair</b> & table" in letter.text
    assert "A &lt;b&gt;chair&lt;/b&gt; &amp; table" in letter.html
    assert "<script" not in letter.html
    assert "no real money" in letter.text
    assert "no real money" in letter.html


def test_a_live_receipt_does_not_speak_of_tests() -> None:
    letter = letters.render("receipt", **(RECEIPT | {"mode": "live"}))
    assert "est" not in letter.subject.split()[0]
    assert "no real money" not in letter.text + letter.html


def test_a_subject_stays_one_line_whatever_is_in_it() -> None:
    letter = letters.render(
        "receipt", **(RECEIPT | {"merchant_name": "Tea\r\nBcc: all@example.test"})
    )
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert len(letter.subject) <= letters.LONGEST_SUBJECT


@pytest.mark.parametrize("name", ["nothing_like_it", "../app", "Receipt", "receipt.html", ""])
def test_a_letter_that_is_not_there_is_not_written(name: str) -> None:
    with pytest.raises(letters.NoSuchLetter):
        letters.render(name)


def test_a_gap_in_a_letter_is_a_fault() -> None:
    facts = {name: value for name, value in RECEIPT.items() if name != "paid_at"}
    with pytest.raises(Exception, match="paid_at"):
        letters.render("receipt", **facts)


def test_a_receipt_leads_to_its_page_in_text_and_html() -> None:
    letter = letters.render("receipt", **RECEIPT)
    assert "http://localhost:8000/receipt/signed" in letter.text
    assert 'href="http://localhost:8000/receipt/signed"' in letter.html


def test_a_top_up_is_told_as_money_in_the_wallet_and_names_no_order() -> None:
    assert sentences.topped_up(Money(500_00, "INR")) == "₹500 is in your wallet."
