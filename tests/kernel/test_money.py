"""Money loses nothing, mixes nothing and guesses nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webapp.kernel.errors import Invalid
from webapp.kernel.money import (
    EXPONENTS,
    MAX_MINOR,
    CurrencyMismatch,
    Money,
    parse_money,
    payable,
)

currencies = st.sampled_from(sorted(EXPONENTS))
minors = st.integers(min_value=-(2**63), max_value=2**63 - 1)
weights = st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=40)


@st.composite
def payables(draw: st.DrawFn) -> Money:
    """Draw an amount that one payment can be."""
    currency = draw(currencies)
    step = 10 if EXPONENTS[currency] == 3 else 1
    return Money(draw(st.integers(min_value=1, max_value=MAX_MINOR // step)) * step, currency)


@given(minors, currencies, weights)
def test_splitting_loses_nothing(minor: int, currency: str, shares: list[int]) -> None:
    assume(sum(shares) > 0)
    parts = Money(minor, currency).split(shares)
    assert sum(part.minor for part in parts) == minor
    assert len(parts) == len(shares)


@given(minors, currencies, weights)
def test_no_part_of_a_split_is_a_unit_away_from_its_exact_share(
    minor: int, currency: str, shares: list[int]
) -> None:
    assume(sum(shares) > 0)
    for part, share in zip(Money(minor, currency).split(shares), shares, strict=True):
        assert abs(part.minor * sum(shares) - minor * share) < sum(shares)


@pytest.mark.parametrize("shares", [[], [0, 0], [1, -1], [3, -1]])
def test_a_split_without_a_positive_weight_is_refused(shares: list[int]) -> None:
    with pytest.raises(ValueError, match=r"weights|empty"):
        Money(100, "INR").split(shares)


def test_the_units_left_over_go_to_the_largest_remainders_the_earliest_first() -> None:
    assert [part.minor for part in Money(100, "INR").split([1, 1, 1])] == [34, 33, 33]
    assert [part.minor for part in Money(10, "JPY").split([1, 2, 4])] == [1, 3, 6]


@given(payables())
def test_what_is_written_plainly_is_read_back_the_same(money: Money) -> None:
    assert parse_money(money.plain(), money.currency) == money


@given(payables())
def test_grouped_in_thousands_or_as_in_india_is_the_same_amount(money: Money) -> None:
    whole, point, fraction = money.plain().partition(".")
    western = f"{int(whole):,}{point}{fraction}"
    assert parse_money(western, money.currency) == money
    assert parse_money(_indian(whole) + point + fraction, money.currency) == money


def _indian(whole: str) -> str:
    head, tail = whole[:-3], whole[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ",".join([*groups, tail])


@given(minors, currencies)
def test_the_decimal_is_exact(minor: int, currency: str) -> None:
    assert Money(minor, currency).decimal() == Decimal(minor) / 10 ** EXPONENTS[currency]
    assert Decimal(Money(minor, currency).plain()) == Money(minor, currency).decimal()


@given(minors, minors, currencies)
def test_adding_and_taking_away_undo_each_other(one: int, other: int, currency: str) -> None:
    first, second = Money(one, currency), Money(other, currency)
    assert first + second - second == first
    opposite = -first
    assert -opposite == first
    assert (first < second) == (one < other)
    assert (first <= second) == (one <= other)
    assert (first > second) == (one > other)
    assert (first >= second) == (one >= other)
    assert bool(first) == (one != 0)


def test_two_currencies_never_meet_in_one_sum() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "INR") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        Money(1, "INR") - Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        assert Money(1, "INR") < Money(1, "USD")


@pytest.mark.parametrize("minor", [1.0, 0.5, "1", None, True, Decimal(1)])
def test_minor_units_are_whole_numbers(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "INR")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["", "inr", "XXX", "INRX", "₹", "BTC"])
def test_a_currency_we_do_not_take_is_named(currency: str) -> None:
    with pytest.raises(Invalid) as refused:
        Money(1, currency)
    assert refused.value.param == "currency"


@pytest.mark.parametrize(
    ("minor", "points", "expected"),
    [
        (10_000, 200, 200), (100_000, 200, 2_000), (25, 200, 1), (24, 200, 0), (-25, 200, -1),
        (1, 0, 0), (99_999_999_999, 10_000, 99_999_999_999), (125, 40, 1), (124, 40, 0),
    ],
)  # fmt: skip
def test_basis_points_round_half_away_from_zero(minor: int, points: int, expected: int) -> None:
    assert Money(minor, "INR").basis_points(points) == Money(expected, "INR")


@given(minors, currencies, st.integers(min_value=0, max_value=10_000))
def test_a_fee_is_within_half_a_unit_of_exact_and_never_more_than_the_amount(
    minor: int, currency: str, points: int
) -> None:
    fee = Money(minor, currency).basis_points(points)
    assert abs(fee.minor * 10_000 - minor * points) <= 5_000
    assert abs(fee.minor) <= abs(minor)


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("1000", "INR", 100_000), ("1,000.00", "INR", 100_000), (" 1 000.50 ", "INR", 100_050),
        ("1,00,000", "INR", 10_000_000), ("12,34,567.8", "INR", 123_456_780), (".5", "USD", 50),
        ("0.01", "USD", 1), ("007", "USD", 700), ("1\u00a0000", "EUR", 100_000),
        ("1000", "JPY", 1_000), ("1000.00", "JPY", 1_000), ("1.25", "KWD", 1_250),
        ("1.250", "KWD", 1_250), ("1.2500", "KWD", 1_250), ("999999999.99", "INR", MAX_MINOR),
    ],
)  # fmt: skip
def test_amounts_as_people_type_them(typed: str, currency: str, minor: int) -> None:
    assert parse_money(typed, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("typed", "currency", "says"),
    [
        ("", "INR", "Enter an amount."), ("   ", "INR", "Enter an amount."),
        ("0", "INR", "above zero"), ("0.00", "INR", "above zero"), ("-5", "INR", "above zero"),
        ("−5", "INR", "above zero"), ("1.001", "INR", "has 2 decimals"),
        ("1." + "0" * 40 + "1", "INR", "has 2 decimals"), ("0.5", "JPY", "no decimals"),
        ("1.2345", "KWD", "has 3 decimals"), ("1.251", "KWD", "end in a zero"),
        ("0.001", "KWD", "end in a zero"), ("1000000000.00", "INR", "at most ₹99,99,99,999.99."),
        ("9" * 5_000, "INR", "at most"), ("1,00", "EUR", "in digits"),
        ("1.000,00", "EUR", "in digits"), ("1,0000", "INR", "in digits"),
        (",100", "INR", "in digits"), ("100,", "INR", "in digits"),
        ("1e3", "INR", "in digits"), ("0x10", "INR", "in digits"), ("NaN", "INR", "in digits"),
        ("Infinity", "INR", "in digits"), ("ten", "INR", "in digits"),
        ("1_000", "INR", "in digits"),
        ("+5", "INR", "in digits"), ("₹5", "INR", "in digits"), ("5.", "INR", "in digits"),
        (".", "INR", "in digits"), ("١٢", "INR", "in digits"), ("1\n2", "INR", "in digits"),
        ("5;DROP TABLE payment", "INR", "in digits"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_a_sentence_and_the_field(
    typed: str, currency: str, says: str
) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        parse_money(typed, currency, param="amount_typed")
    assert refused.value.param == "amount_typed"


@given(st.text(max_size=60), currencies)
def test_any_text_is_an_amount_that_can_be_paid_or_is_refused(typed: str, currency: str) -> None:
    try:
        money = parse_money(typed, currency)
    except Invalid:
        return
    assert payable(money) == money
    digits = "".join(typed.replace(",", "").split())
    assert Decimal(digits) == money.decimal()


@given(minors, currencies)
def test_only_positive_amounts_within_the_limit_can_be_paid(minor: int, currency: str) -> None:
    fits = 0 < minor <= MAX_MINOR and not (EXPONENTS[currency] == 3 and minor % 10)
    try:
        assert payable(Money(minor, currency)).minor == minor
    except Invalid:
        assert not fits
    else:
        assert fits
