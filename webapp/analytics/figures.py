"""Charts as plain dicts in Plotly's schema; no import of Plotly, which only the tests need.

Colours are left to the page's script, which knows light from dark: each trace says what it is in
`meta.role`. Amounts travel as exact decimal text, which Plotly reads as numbers.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from webapp.analytics.queries import Daily, DayFigures, WeekGrid
from webapp.analytics.sentences import (
    WEEKDAYS,
    Words,
    cell_sentence,
    day_sentence,
    hours_title,
    volume_title,
)

Figure = dict[str, Any]
#: A quarter of a day: the width of a day's refunds inside its volume.
NARROW_BAR_MS = 6 * 3600 * 1000


def volume_figure(daily: Daily, words: Words) -> Figure:
    """Return volume per day as bars from zero, refunds narrow inside, the days before as a line."""
    days = [figures.day.isoformat() for figures in daily.days]
    bars = {
        "type": "bar",
        "name": "Captured",
        "x": days,
        "y": _amounts(daily.days),
        "hovertext": [day_sentence(figures, words) for figures in daily.days],
        "hoverinfo": "text",
        "customdata": [words.day_link(figures.day) for figures in daily.days],
        "meta": {"role": "current"},
    }
    back = {
        "type": "bar",
        "name": "Refunded",
        "x": days,
        "y": [one.totals.refunded.plain() if one.totals else None for one in daily.days],
        "width": [NARROW_BAR_MS] * len(days),
        "hoverinfo": "skip",
        "meta": {"role": "refunded"},
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": f"The {len(daily.previous)} days before",
        "x": days,
        "y": _amounts(daily.previous),
        "hovertext": [day_sentence(figures, words) for figures in daily.previous],
        "hoverinfo": "text",
        "connectgaps": False,
        "line": {"width": 1},
        "meta": {"role": "previous"},
    }
    return {
        "data": [bars, line, back],
        "layout": {
            "meta": {"title": volume_title(daily, words), "currency": daily.currency},
            "showlegend": False,
            "barmode": "overlay",
            "bargap": 0.25,
            "xaxis": {"type": "date", "tickformat": "%-d %b", "fixedrange": True},
            "yaxis": {"type": "linear", "rangemode": "tozero", "fixedrange": True},
            "shapes": [_weekend(figures.day) for figures in daily.days if figures.is_weekend],
        },
    }


def hours_figure(grid: WeekGrid) -> Figure:
    """Return the hour-by-weekday grid as one bar per cell, which the basic bundle can draw."""
    cells = [(weekday, hour) for weekday in range(7) for hour in range(24)]
    counts = [grid.counts[weekday][hour] for weekday, hour in cells]
    trace = {
        "type": "bar",
        "orientation": "h",
        "name": "Captured payments",
        "x": [1] * len(cells),
        "base": [hour for _, hour in cells],
        "y": [WEEKDAYS[weekday][:3] for weekday, _ in cells],
        "hovertext": [
            cell_sentence(*cell, count) for cell, count in zip(cells, counts, strict=True)
        ],
        "hoverinfo": "text",
        "marker": {
            "color": counts,
            "cmin": 0,
            "cmax": max(1, *counts),
            "line": {"width": 0},
        },
        "meta": {"role": "grid"},
    }
    return {
        "data": [trace],
        "layout": {
            "meta": {"title": hours_title(grid)},
            "showlegend": False,
            "barmode": "overlay",
            "bargap": 0.08,
            "xaxis": {
                "type": "linear",
                "range": [0, 24],
                "tickvals": [0, 6, 12, 18, 24],
                "ticktext": ["00:00", "06:00", "12:00", "18:00", "24:00"],
                "fixedrange": True,
            },
            "yaxis": {"type": "category", "autorange": "reversed", "fixedrange": True},
        },
    }


def _amounts(days: tuple[DayFigures, ...]) -> list[str | None]:
    return [figures.totals.volume.plain() if figures.totals else None for figures in days]


def _weekend(day: dt.date) -> Figure:
    noon = dt.datetime.combine(day, dt.time())
    half = dt.timedelta(hours=12)
    return {
        "type": "rect",
        "layer": "below",
        "xref": "x",
        "yref": "paper",
        "x0": (noon - half).isoformat(),
        "x1": (noon + half).isoformat(),
        "y0": 0,
        "y1": 1,
        "line": {"width": 0},
        "name": "weekend",
    }
