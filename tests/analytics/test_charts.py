"""A chart says one thing three ways: its figure, its drawing and its sentences agree."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import pytest

from webapp import analytics
from webapp.analytics.queries import Daily, DayFigures, Totals, WeekGrid
from webapp.analytics.svg import nice_ticks
from webapp.kernel.money import Money

LAST = dt.date(2026, 11, 21)
WORDS = analytics.Words(
    money=lambda amount: f"{amount.currency} {amount.plain()}",
    day_link=lambda day: f"/rows?since={day}&until={day}",
)


def totals(minor: int, currency: str = "INR", captured: int = 3, failed: int = 1) -> Totals:
    fee, back = Money(minor // 50, currency), Money(minor // 10, currency)
    return Totals(Money(minor, currency), fee, captured, failed, back)


def a_month(minors: Sequence[int | None], currency: str = "INR") -> Daily:
    """Thirty days ending on LAST; None is a day before the first payment."""

    def figures(back: int, minor: int | None) -> DayFigures:
        day = LAST - dt.timedelta(days=back)
        return DayFigures(day, None if minor is None else totals(minor, currency))

    days = tuple(figures(29 - place, minor) for place, minor in enumerate(minors))
    previous = tuple(
        figures(59 - place, minor and minor // 2) for place, minor in enumerate(minors)
    )
    return Daily(currency, days, previous)


MONTHS = {
    "a usual month": a_month([1_000_00 + 37_00 * place for place in range(30)]),
    "one enormous day": a_month([0] * 29 + [99_999_999_999]),
    "nothing at all": a_month([None] * 30),
    "only zeros": a_month([0] * 30),
    "a first week": a_month([None] * 23 + [5_00, 0, 7_00, 1, 12_345_67, 0, 3_00]),
    "yen": a_month([1_234 * place for place in range(30)], "JPY"),
    "dinars": a_month([10 * place for place in range(30)], "KWD"),
}


@pytest.mark.parametrize("name", MONTHS)
def test_plotly_accepts_the_volume_figure(name: str) -> None:
    figure = analytics.volume_figure(MONTHS[name], WORDS)
    checked = go.Figure(json.loads(json.dumps(figure)))
    assert [trace.type for trace in checked.data] == ["bar", "scatter", "bar"]
    assert len(checked.data[0].x) == 30


@pytest.mark.parametrize("name", MONTHS)
def test_drawing_figure_and_source_carry_the_same_amounts(name: str) -> None:
    month = MONTHS[name]
    expected = [figures.totals.volume for figures in month.days if figures.totals]
    drawn = [
        int(minor)
        for minor in re.findall(r'data-minor="(\d+)"', analytics.volume_svg(month, WORDS))
    ]
    plotted = [
        text for text in analytics.volume_figure(month, WORDS)["data"][0]["y"] if text is not None
    ]
    assert drawn == [amount.minor for amount in expected]
    assert plotted == [amount.plain() for amount in expected]


@pytest.mark.parametrize("name", MONTHS)
def test_refunds_are_narrow_bars_of_the_same_amounts_in_both(name: str) -> None:
    month = MONTHS[name]
    svg, figure = (analytics.volume_svg(month, WORDS), analytics.volume_figure(month, WORDS))
    expected = [one.totals.refunded for one in month.days if one.totals]
    assert [int(minor) for minor in re.findall(r'data-back="(\d+)"', svg)] == [
        amount.minor for amount in expected if amount
    ]
    plotted = [text for text in figure["data"][2]["y"] if text is not None]
    assert plotted == [amount.plain() for amount in expected]


@pytest.mark.parametrize("name", MONTHS)
def test_the_drawing_needs_no_style_and_stays_inside_its_frame(name: str) -> None:
    for size in (analytics.WIDE, analytics.NARROW):
        svg = analytics.volume_svg(MONTHS[name], WORDS, size)
        assert "style=" not in svg
        for y, height in re.findall(r'class="s1"[^>]* y="([\d.-]+)"[^>]* height="([\d.-]+)"', svg):
            assert 0 <= float(y) <= size.height
            assert float(y) + float(height) <= size.height


def test_every_bar_links_to_its_day_and_says_its_figures() -> None:
    svg = analytics.volume_svg(MONTHS["a usual month"], WORDS)
    assert svg.count('<a href="/rows?since=') == 30
    assert f'href="/rows?since={LAST}&amp;until={LAST}"' in svg
    assert 'aria-label="Sat 21 Nov: INR 2073.00, 3 payments; INR 207.30 refunded"' in svg


def test_a_gap_is_not_drawn_as_zero() -> None:
    month = MONTHS["a first week"]
    figure = analytics.volume_figure(month, WORDS)
    assert figure["data"][0]["y"][:23] == [None] * 23
    assert figure["data"][0]["y"][24] == "0.00"
    assert analytics.volume_svg(month, WORDS).count('class="s1"') == 7


def test_weekends_are_tinted_in_both() -> None:
    month = MONTHS["a usual month"]
    weekends = sum(figures.day.isoweekday() > 5 for figures in month.days)
    assert len(analytics.volume_figure(month, WORDS)["layout"]["shapes"]) == weekends
    assert analytics.volume_svg(month, WORDS).count('class="weekend"') == weekends


def test_the_title_is_a_sentence_about_the_figures() -> None:
    month = a_month([1_00] * 20 + [4_123_00] + [2_00] * 9)
    assert (
        analytics.volume_title(month, WORDS) == "Thursday 12 November was the best day: INR 4123.00"
    )
    assert analytics.volume_title(MONTHS["nothing at all"], WORDS) == (
        "No INR payment was captured in the last 30 days"
    )


@pytest.mark.parametrize(
    ("now", "before", "says"),
    [
        (150, 100, "up 50 %"),
        (50, 100, "down 50 %"),
        (100, 100, "about the same"),
        (0, 100, "down 100 %"),
        (10_000, 1, "up 999,900 %"),
        (1_005, 1_000, "up 1 %"),
        (1_004, 1_000, "about the same"),
    ],
)
def test_a_change_is_said_with_its_direction(now: int, before: int, says: str) -> None:
    changed = analytics.change(now, before)
    assert changed is not None
    assert changed.text == says


def test_nothing_to_compare_with_is_no_change() -> None:
    assert analytics.change(5, 0) is None
    assert analytics.points(90, None) is None


@pytest.mark.parametrize(
    ("captured", "failed", "percent"),
    [(0, 0, None), (1, 0, 100), (0, 1, 0), (2, 1, 67), (1, 2, 33), (199, 1, 100), (1, 1, 50)],
)
def test_the_success_rate_counts_payments_that_were_decided(
    captured: int, failed: int, percent: int | None
) -> None:
    assert totals(0, captured=captured, failed=failed).success_percent == percent


@pytest.mark.parametrize(
    ("most", "exponent", "ticks"),
    [
        (0, 2, (0, 100)),
        (1, 2, (0, 100)),
        (400, 2, (0, 100, 200, 300, 400)),
        (401, 2, (0, 200, 400, 600)),
        (99_999_999_999, 2, (0, 50_000_000_000, 100_000_000_000)),
        (7, 0, (0, 2, 4, 6, 8)),
        (3_500, 3, (0, 1_000, 2_000, 3_000, 4_000)),
    ],
)
def test_the_axis_has_few_round_amounts(most: int, exponent: int, ticks: tuple[int, ...]) -> None:
    assert nice_ticks(most, exponent) == ticks


def a_grid(**cells: int) -> WeekGrid:
    """A grid with counts at weekday and hour, written `d4h19=7` (d0 is Monday)."""
    counts = [[0] * 24 for _ in range(7)]
    for name, count in cells.items():
        day, hour = re.fullmatch(r"d(\d)h(\d+)", name).groups()  # type: ignore[union-attr]
        counts[int(day)][int(hour)] = count
    fixed = tuple(map(tuple, counts))
    return WeekGrid("INR", LAST - dt.timedelta(days=27), LAST, fixed, fixed)


GRIDS: dict[str, tuple[WeekGrid, str]] = {
    "busy": (
        a_grid(d4h19=7, d0h9=3),
        "Fridays from 19:00 to 20:00 are busiest: 7 payments in four weeks",
    ),
    "late": (a_grid(d6h23=1), "Sundays from 23:00 to 00:00 are busiest: 1 payment in four weeks"),
    "equal": (
        a_grid(d2h5=2, d1h7=2),
        "Tuesdays from 07:00 to 08:00 are busiest: 2 payments in four weeks",
    ),
    "empty": (a_grid(), "No INR payment was captured in the last four weeks"),
}


@pytest.mark.parametrize("name", GRIDS)
def test_the_grid_is_one_bar_a_cell_and_plotly_accepts_it(name: str) -> None:
    grid, title = GRIDS[name]
    figure: dict[str, Any] = json.loads(json.dumps(analytics.hours_figure(grid)))
    trace = go.Figure(figure).data[0]
    assert (trace.type, len(trace.base)) == ("bar", 168)
    assert sum(trace.marker.color) == grid.total
    assert figure["layout"]["meta"]["title"] == title


def test_the_drawn_grid_says_each_cell() -> None:
    svg = analytics.hours_svg(GRIDS["busy"][0])
    assert svg.count("<title>") == 168
    assert (svg.count('class="q5"'), svg.count('class="q3"'), svg.count('class="q0"')) == (
        1,
        1,
        166,
    )
    assert "<title>Friday 19:00 to 20:00: 7 payments</title>" in svg
    assert "style=" not in svg


def test_days_before_are_compared_only_when_all_of_them_are_known() -> None:
    whole = a_month([2_00] * 30)
    assert analytics.volume_note(whole, WORDS) == (
        "INR 60.00 captured in 30 days, up 100 % on the 30 days before."
    )
    partly = a_month([None] * 3 + [2_00] * 27)
    assert "no 30 whole days before to compare with" in analytics.volume_note(partly, WORDS)
