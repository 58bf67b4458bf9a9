"""The line of history, the decline catalogue and the states' words."""

from __future__ import annotations

import pytest

from webapp import payments
from webapp.kernel.money import Money
from webapp.payments import CATALOGUE, FLOW, Fault


@pytest.mark.requirement("S3-11")
@pytest.mark.parametrize(
    ("amount", "number", "line"),
    [
        (Money(1_000_00, "INR"), "123", "₹1,000 paid for Order #123"),
        (Money(500_50, "INR"), "123", "₹500.50 paid for Order #123"),
        (Money(12_34_567_00, "INR"), "1042", "₹12,34,567 paid for Order #1042"),
        (Money(1_00, "INR"), "1", "₹1 paid for Order #1"),
        (Money(1, "INR"), "1", "₹0.01 paid for Order #1"),
        (Money(5_000, "JPY"), "7", "¥5,000 paid for Order #7"),
        (Money(1_250, "KWD"), "7", "KWD 1.250 paid for Order #7"),
        (Money(1_000, "KWD"), "7", "KWD 1 paid for Order #7"),
        (Money(1_234_567_00, "USD"), "7", "$1,234,567 paid for Order #7"),
    ],
)
def test_a_line_of_history_writes_whole_amounts_without_decimals(
    amount: Money, number: str, line: str
) -> None:
    assert payments.history_text(amount, number) == line


def test_every_decline_has_words_for_everybody_and_ends_its_sentences() -> None:
    for code, advice in CATALOGUE.items():
        assert advice.code == code
        for words in (advice.shopper_says, advice.shopper_does, advice.merchant_says):
            assert words.endswith("."), (code, words)
            assert words[0].isupper(), (code, words)
        assert isinstance(advice.fault, Fault)


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent", "pickup_card"])
def test_a_shopper_is_never_told_that_a_card_is_suspected(code: str) -> None:
    advice = payments.advice_on(code)
    told = f"{advice.shopper_says} {advice.shopper_does}".lower()
    for word in ("lost", "stolen", "fraud", "suspect", "pick"):
        assert word not in told


@pytest.mark.parametrize("code", [None, "", "a_code_of_tomorrow"])
def test_an_unknown_decline_is_advised_as_a_bare_one(code: str | None) -> None:
    assert payments.advice_on(code) is CATALOGUE["generic_decline"]


def test_every_state_that_waits_says_for_whom_and_what_happens_at_its_deadline() -> None:
    for state in FLOW.states.values():
        if not state.is_final:
            assert state.deadline is not None, state.name
            assert state.on_deadline.endswith("."), state.name
    final = {state.name for state in FLOW.states.values() if state.is_final}
    assert final == {"captured", *payments.LOST}


def test_from_every_end_without_money_late_money_is_still_taken() -> None:
    for lost in payments.LOST:
        assert FLOW.allows(lost, "captured")
    assert not any(source == "captured" for source, _ in FLOW.edges)
