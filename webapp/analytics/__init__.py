"""Read-only questions about payments: rollups, the figures drawn from them, and their proof."""

from webapp.analytics.figures import Figure, hours_figure, volume_figure
from webapp.analytics.models import Outcome, RollupQuarter
from webapp.analytics.periods import day_in, day_range, midnight
from webapp.analytics.platform import MethodTotals, platform_totals
from webapp.analytics.proof import (
    CONSUMER,
    Difference,
    compare_with_facts,
    compare_with_ledger,
    rebuild,
)
from webapp.analytics.queries import (
    Daily,
    DayFigures,
    Subject,
    TodayFigures,
    Totals,
    WeekGrid,
    currencies,
    daily,
    freshness,
    hour_by_weekday,
    today,
)
from webapp.analytics.sentences import (
    WEEKDAYS,
    Change,
    Words,
    change,
    day_name,
    hour_span,
    hours_title,
    payments_counted,
    points,
    refunded_note,
    volume_note,
    volume_title,
    volume_total,
)
from webapp.analytics.service import fold
from webapp.analytics.svg import (
    GRID_NARROW,
    GRID_WIDE,
    NARROW,
    WIDE,
    hours_svg,
    volume_svg,
)

__all__ = [
    "CONSUMER", "GRID_NARROW", "GRID_WIDE", "NARROW", "WEEKDAYS", "WIDE", "Change", "Daily",
    "DayFigures", "Difference", "Figure", "MethodTotals",
    "Outcome", "RollupQuarter", "Subject", "TodayFigures", "Totals", "WeekGrid", "Words", "change",
    "compare_with_facts", "compare_with_ledger", "currencies", "daily", "day_in", "day_name",
    "day_range", "fold",
    "freshness", "hour_by_weekday", "hour_span", "hours_figure", "hours_svg", "hours_title",
    "midnight", "payments_counted", "platform_totals", "points", "rebuild", "refunded_note",
    "today", "volume_figure", "volume_note", "volume_svg", "volume_title", "volume_total",
]  # fmt: skip
