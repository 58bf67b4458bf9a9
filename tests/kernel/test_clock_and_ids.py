"""One clock, which a test can hold; ids whose text order is their time order; secrets by chance."""

from __future__ import annotations

import ast
import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kernel import clock, ids

ROOT = Path(__file__).resolve().parents[2]
MOMENT = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
MILLIS = st.integers(0, 2**48 - 1)
CHANCE = st.integers(0, 2**80 - 1)


def test_the_clock_goes_in_utc_and_stands_where_it_is_held() -> None:
    assert not clock.is_held()
    assert clock.now().tzinfo is dt.UTC
    assert abs(clock.now() - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)
    with clock.standing_at(MOMENT):
        assert clock.is_held()
        assert clock.now() == MOMENT
        assert clock.today() == dt.date(2026, 11, 21)
        with clock.standing_at(MOMENT + dt.timedelta(days=1)):
            assert clock.now() == MOMENT + dt.timedelta(days=1)
        assert clock.now() == MOMENT
    assert not clock.is_held()


def test_a_moment_without_a_zone_is_no_moment() -> None:
    naive = MOMENT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"), clock.standing_at(naive):
        pass
    assert not clock.is_held()


def test_the_clock_is_let_go_after_a_fault() -> None:
    with pytest.raises(KeyError), clock.standing_at(MOMENT):
        raise KeyError
    assert not clock.is_held()


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    kolkata = dt.timezone(dt.timedelta(hours=5, minutes=30))
    with clock.standing_at(MOMENT.astimezone(kolkata)):
        assert clock.now() == MOMENT
        assert clock.now().tzinfo is dt.UTC


@given(st.tuples(MILLIS, CHANCE), st.tuples(MILLIS, CHANCE))
def test_ids_sort_as_text_in_the_order_of_their_moments(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    first, second = (ids.seeded("payment", *each) for each in (one, other))
    assert (first < second) == (one < other)
    assert (first == second) == (one == other)


@given(MILLIS, CHANCE)
def test_an_id_is_its_prefix_and_26_letters_that_are_not_confused(millis: int, chance: int) -> None:
    assert re.fullmatch(r"pay_[0-7][0-9A-HJKMNP-TV-Z]{25}", ids.seeded("payment", millis, chance))


def test_fresh_ids_differ_and_begin_with_the_present_moment() -> None:
    with clock.standing_at(MOMENT):
        made = {ids.new("order") for _ in range(2_000)}
        assert len(made) == 2_000
        assert {one[:14] for one in made} == {ids.new("order")[:14]}
    with clock.standing_at(MOMENT + dt.timedelta(milliseconds=1)):
        assert ids.new("order") > max(made)


def test_every_prefix_is_short_plain_and_of_one_kind_only() -> None:
    prefixes = list(ids.PREFIXES.values())
    assert len(prefixes) == len(set(prefixes))
    assert all(re.fullmatch(r"[a-z]{2,5}", prefix) for prefix in prefixes)


def test_every_kind_that_the_code_asks_for_is_in_the_table() -> None:
    asked = set()
    for folder in ("webapp", "jobs", "demo"):
        for path in (ROOT / folder).rglob("*.py"):
            asked |= kinds_in(ast.parse(path.read_text()))
    assert len(asked) >= 15
    assert asked <= ids.PREFIXES.keys()


def kinds_in(tree: ast.AST) -> set[str]:
    """Return the kinds of which a module makes ids."""
    return {
        str(call.args[0].value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and (call.func.value.id, call.func.attr) in {("ids", "new"), ("ids", "seeded")}
        and isinstance(call.args[0], ast.Constant)
    }


def test_an_unknown_kind_has_no_id() -> None:
    with pytest.raises(KeyError):
        ids.new("nothing")


def test_a_secret_token_has_256_bits_and_is_kept_as_its_hash() -> None:
    tokens = {ids.secret_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    assert ids.token_hash("a") == (
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    )
