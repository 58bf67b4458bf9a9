"""Lines and the entries that they become."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.books import ALICE, LIVE, SHOP, TEST, captured, inr
from webapp import ledger
from webapp.accounts import PLATFORM_ID
from webapp.kernel.money import Money
from webapp.ledger.entries import Line, payload, turned

CLEARING = ledger.clearing(TEST, "INR")
PAYABLE = ledger.payable(SHOP, TEST, "INR")


def test_the_ledger_and_the_accounts_mean_the_same_platform() -> None:
    assert ledger.PLATFORM_ID == PLATFORM_ID


def test_an_account_is_named_by_owner_mode_kind_currency_and_person() -> None:
    assert PAYABLE.name == f"{SHOP}/test/payable/INR"
    assert ledger.clearing(LIVE, "USD").name == f"{PLATFORM_ID}/live/clearing_card/USD"
    assert ledger.wallet(ALICE, TEST, "INR").name == f"{PLATFORM_ID}/test/wallet/INR/{ALICE}"
    assert ledger.suspense(TEST, "JPY").name == f"{PLATFORM_ID}/test/suspense/JPY"
    assert ledger.fees(TEST, "JPY").name == f"{PLATFORM_ID}/test/fees/JPY"


@pytest.mark.parametrize("minor", [0, -1, -(10**12), 2**62, 2**80])
def test_a_line_moves_an_amount_above_zero_that_fits(minor: int) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Line(CLEARING, PAYABLE, inr(minor))


def test_a_line_stays_in_one_currency() -> None:
    with pytest.raises(ValueError, match="own currency"):
        Line(CLEARING, PAYABLE, Money(1, "USD"))
    with pytest.raises(ValueError, match="own currency"):
        Line(ledger.clearing(TEST, "USD"), PAYABLE, inr(1))


def test_a_line_stays_in_one_mode() -> None:
    with pytest.raises(ValueError, match="one mode"):
        Line(ledger.clearing(LIVE, "INR"), PAYABLE, inr(1))


def test_a_line_goes_somewhere_else() -> None:
    with pytest.raises(ValueError, match="one account to another"):
        Line(PAYABLE, PAYABLE, inr(1))


def test_a_capture_becomes_four_entries_that_name_their_accounts() -> None:
    entries = payload(captured(inr(100_000), inr(2_000)), iter("abcd"))
    assert [(e["position"], e["account"].split("/", 1)[1], e["amount"]) for e in entries] == [
        (1, "test/clearing_card/INR", -100_000),
        (2, "test/payable/INR", 100_000),
        (3, "test/payable/INR", -2_000),
        (4, "test/fees/INR", 2_000),
    ]
    assert [e["id"] for e in entries] == ["a", "b", "c", "d"]


@given(st.lists(st.integers(min_value=1, max_value=2**40), min_size=1, max_size=20))
def test_entries_always_sum_to_zero_and_a_turned_line_undoes_its_own(amounts: list[int]) -> None:
    lines = [Line(CLEARING, PAYABLE, inr(minor)) for minor in amounts]
    there = payload(lines, itertools.repeat("x"))
    back = payload(turned(lines), itertools.repeat("x"))
    assert sum(entry["amount"] for entry in there) == 0
    for account in (CLEARING.name, PAYABLE.name):
        assert sum(e["amount"] for e in [*there, *back] if e["account"] == account) == 0
