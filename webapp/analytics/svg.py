"""The same charts as SVG made on the server: first paint needs no script, and no style attribute.

Shapes carry classes (`s1` the first series, `prev` the days before, `q0` to `q5` shades, …) which
the style sheet colours for light and dark. Every bar is a link to the rows behind it, with its
figures as its accessible name.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from webapp.analytics.queries import Daily, DayFigures, WeekGrid
from webapp.analytics.sentences import (
    WEEKDAYS,
    Words,
    cell_sentence,
    day_sentence,
    hours_title,
    volume_title,
)
from webapp.kernel.money import Money

CHARACTER = 6.6
TOP = 12
BOTTOM = 24
MAX_STEPS = 4


@dataclass(frozen=True, slots=True)
class Size:
    """A drawing's width and height in its own units, about one CSS pixel each."""

    width: int
    height: int
    every: int
    klass: str


WIDE = Size(width=660, height=250, every=5, klass="figure figure-wide")
NARROW = Size(width=340, height=200, every=10, klass="figure figure-narrow")
GRID_WIDE = Size(width=480, height=250, every=6, klass="figure figure-wide")
GRID_NARROW = Size(width=340, height=200, every=6, klass="figure figure-narrow")
SHADES = 5


def volume_svg(daily: Daily, words: Words, size: Size = WIDE) -> str:
    """Return volume per day: bars from zero, weekends tinted, the days before as a thin line.

    A narrow bar inside a day's is what was refunded on it.
    """
    plot = _plot(daily, words, size)
    inside = [
        *_weekends(daily, plot),
        *_gridlines(plot, words),
        *(_bar(place, figures, plot, words) for place, figures in enumerate(daily.days)),
        *(_refunded(place, figures, plot) for place, figures in enumerate(daily.days)),
        *_previous(daily.previous, plot),
        *_days(daily, plot),
    ]
    return _svg(size, volume_title(daily, words), inside, role="group")


def hours_svg(grid: WeekGrid, size: Size = GRID_WIDE) -> str:
    """Return the hour-by-weekday grid: one cell an hour, the fuller the more payments."""
    left, step = 34, (size.width - 34) / 24
    row = (size.height - BOTTOM) / 7
    most = max(1, *(max(counts) for counts in grid.counts))
    inside = []
    for weekday, counts in enumerate(grid.counts):
        top = weekday * row
        inside.append(_text(0, top + row / 2 + 4, WEEKDAYS[weekday][:3], "start"))
        for hour, count in enumerate(counts):
            shade = -(-count * SHADES // most)
            inside.append(
                f'<rect class="q{shade}" x="{left + hour * step + 1:.1f}" y="{top + 1:.1f}"'
                f' width="{step - 2:.1f}" height="{row - 2:.1f}" rx="2">'
                f"<title>{escape(cell_sentence(weekday, hour, count))}</title></rect>"
            )
    inside += [
        _text(left + hour * step + 1, size.height - 6, f"{hour:02}:00", "start")
        for hour in range(0, 24, size.every)
    ]
    return _svg(size, hours_title(grid), inside, role="img")


@dataclass(frozen=True, slots=True)
class _Plot:
    size: Size
    left: float
    step: float
    top_minor: int
    ticks: tuple[int, ...]
    currency: str

    @property
    def floor(self) -> float:
        return self.size.height - BOTTOM

    def x(self, place: float) -> float:
        return self.left + place * self.step

    def y(self, minor: int) -> float:
        return self.floor - (self.floor - TOP) * minor / self.top_minor


def _plot(daily: Daily, words: Words, size: Size) -> _Plot:
    both = daily.days + daily.previous
    known = [figures.totals for figures in both if figures.totals]
    most = max((max(one.volume.minor, one.refunded.minor) for one in known), default=0)
    ticks = nice_ticks(most, Money(0, daily.currency).exponent)
    label = max(len(words.money(Money(tick, daily.currency))) for tick in ticks)
    left = label * CHARACTER + 10
    step = (size.width - left) / len(daily.days)
    return _Plot(size, left, step, max(1, ticks[-1]), ticks, daily.currency)


def nice_ticks(most: int, exponent: int) -> tuple[int, ...]:
    """Return two to five round amounts in minor units, from zero to at least `most`."""
    steps = (10 ** (exponent + decade) * factor for decade in range(16) for factor in (1, 2, 5))
    step = next(step for step in steps if step * MAX_STEPS >= most)
    count = max(1, -(-most // step))
    return tuple(step * place for place in range(count + 1))


def _weekends(daily: Daily, plot: _Plot) -> list[str]:
    return [
        f'<rect class="weekend" x="{plot.x(place):.1f}" y="{TOP}" width="{plot.step:.1f}"'
        f' height="{plot.floor - TOP:.1f}"/>'
        for place, figures in enumerate(daily.days)
        if figures.is_weekend
    ]


def _gridlines(plot: _Plot, words: Words) -> list[str]:
    lines = []
    for tick in plot.ticks:
        height = plot.y(tick)
        lines.append(
            f'<line class="grid" x1="{plot.left:.1f}" x2="{plot.size.width}"'
            f' y1="{height:.1f}" y2="{height:.1f}"/>'
        )
        label = words.money(Money(tick, plot.currency))
        lines.append(_text(plot.left - 6, height + 4, label, "end"))
    return lines


def _bar(place: int, figures: DayFigures, plot: _Plot, words: Words) -> str:
    if figures.totals is None:
        return ""
    minor = figures.totals.volume.minor
    top = plot.y(minor)
    says = day_sentence(figures, words)
    # a target as high as the plot, so that a low bar is as easy to reach as a high one
    return (
        f"<a href={quoteattr(words.day_link(figures.day))} aria-label={quoteattr(says)}>"
        f"<title>{escape(says)}</title>"
        f'<rect class="target" fill="transparent" x="{plot.x(place):.1f}" y="{TOP}"'
        f' width="{plot.step:.1f}" height="{plot.floor - TOP:.1f}"/>'
        f'<rect class="s1" data-minor="{minor}" x="{plot.x(place + 0.14):.1f}" y="{top:.1f}"'
        f' width="{plot.step * 0.72:.1f}" height="{plot.floor - top:.1f}"/></a>'
    )


def _refunded(place: int, figures: DayFigures, plot: _Plot) -> str:
    if figures.totals is None or not figures.totals.refunded:
        return ""
    minor = figures.totals.refunded.minor
    top = plot.y(minor)
    return (
        f'<rect class="back" data-back="{minor}" x="{plot.x(place + 0.36):.1f}" y="{top:.1f}"'
        f' width="{plot.step * 0.28:.1f}" height="{plot.floor - top:.1f}"/>'
    )


def _previous(days: tuple[DayFigures, ...], plot: _Plot) -> list[str]:
    runs: list[list[str]] = [[]]
    for place, figures in enumerate(days):
        if figures.totals is None:
            runs.append([])
            continue
        height = plot.y(figures.totals.volume.minor)
        runs[-1].append(f"{plot.x(place + 0.5):.1f},{height:.1f}")
    return [f'<polyline class="prev" points="{" ".join(run)}"/>' for run in runs if run]


def _days(daily: Daily, plot: _Plot) -> list[str]:
    last = len(daily.days) - 1
    shown = [place for place in range(len(daily.days)) if (last - place) % plot.size.every == 1]
    floor = plot.size.height - 6
    return [
        _text(plot.x(place + 0.5), floor, f"{day.day} {day:%b}", "middle")
        for place, day in ((place, daily.days[place].day) for place in shown)
    ]


def _text(x: float, y: float, words: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(words)}</text>"


def _svg(size: Size, title: str, inside: list[str], *, role: str) -> str:
    return (
        f'<svg class="{size.klass}" viewBox="0 0 {size.width} {size.height}" role="{role}"'
        f" aria-label={quoteattr(title)}>{''.join(inside)}</svg>"
    )
