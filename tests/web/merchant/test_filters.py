"""Filters live in the address: read once, meant exactly, in the merchant's own days."""

from __future__ import annotations

import datetime as dt

import pytest

from webapp.kernel.errors import Invalid
from webapp.payments import FLOW, LIVE
from webapp.web.merchant import filters
from webapp.web.merchant.filters import Asked, read, selection

KOLKATA = "Asia/Kolkata"


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_an_empty_address_asks_for_everything() -> None:
    assert read({}) == Asked()
    assert read({}).kept() == {}


def test_what_is_not_known_is_as_if_it_were_not_there() -> None:
    strange = {"status": "<b>", "currency": "XXX", "method": "cash", "on": "never", "foo": "bar"}
    assert read(strange) == Asked()


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "2026-02-30", "21.11.2026"])
def test_a_day_that_is_none_is_refused_by_name(day: str) -> None:
    with pytest.raises(Invalid) as refused:
        read({"since": day})
    assert refused.value.param == "since"


def test_days_are_the_merchants_and_the_last_one_is_included() -> None:
    asked = read({"since": "2026-11-20", "until": "2026-11-21"})
    meant = selection(asked, KOLKATA)
    assert (meant.since, meant.until) == (utc("2026-11-19T18:30"), utc("2026-11-21T18:30"))
    assert (meant.ended_since, meant.ended_until) == (None, None)


def test_days_can_bound_the_result_instead() -> None:
    meant = selection(read({"since": "2026-11-20", "on": "ended"}), KOLKATA)
    assert (meant.since, meant.ended_since) == (None, utc("2026-11-19T18:30"))


def test_a_filter_survives_its_way_through_the_address() -> None:
    address = {
        "status": "paid",
        "currency": "KWD",
        "q": "#1042",
        "until": "2026-11-21",
        "on": "ended",
    }
    assert read(read(address).kept()) == read(address)


@pytest.mark.parametrize(
    ("typed", "currency", "means"),
    [
        ("1,000.00", "", (1_000_00, None)),
        ("1000.00", "USD", (1_000_00, "USD")),
        ("₹1,00,000", "", (1_00_000_00, "INR")),
        ("$12.50", "", (12_50, "USD")),
        ("JPY 500", "", (500, "JPY")),
        ("kwd 1.250", "", (1_250, "KWD")),
        ("1042", "", None),
        ("4242", "INR", None),
        ("pay_01J", "", None),
        ("a.b@example.com", "", None),
        ("", "", None),
    ],
)
def test_an_amount_is_told_from_a_number(
    typed: str, currency: str, means: tuple[int, str | None] | None
) -> None:
    assert filters.typed_amount(typed, currency) == means


def test_an_amount_is_not_searched_as_text_too() -> None:
    meant = selection(read({"q": "₹500.50"}), KOLKATA)
    assert (meant.minor, meant.currency, meant.text) == (500_50, "INR", None)


def test_the_tabs_show_every_state_exactly_once() -> None:
    shown = [
        state
        for name, (_, states) in filters.TABS.items()
        if name not in filters.HIDDEN
        for state in states
    ]
    assert sorted(shown) == sorted(FLOW.states)
    assert set(filters.TABS["open"][1]) == set(LIVE)
