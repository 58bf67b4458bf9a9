"""What the merchant's home shows: today's figures, the newest payments, charts of 30 days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, request, url_for

from webapp import accounts, analytics, orders, outbox, payments
from webapp.analytics import Change, DayFigures, TodayFigures
from webapp.kernel import clock, db, words
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.payments import PaymentFilter
from webapp.web.merchant.attention_views import waiting_count
from webapp.web.merchant.charts import Chart, hours_chart, rows_link, subject, volume_chart
from webapp.web.merchant.lists import Tab
from webapp.web.merchant.payment_views import Row, rows_of

FEED_ROWS = 8
SUCCESS_MEANS = (
    "Captured payments ÷ (captured + failed payments) that ended today, in {zone}. "
    "Declined tries that were followed by a success do not count; nor do expired links."
)
VOLUME_MEANS = "Money captured today in {currency}, before fees. Today is the day in {zone}."
COUNT_MEANS = "Payments captured today in {currency}. Today is the day in {zone}."


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change for a tile: arrow, words, and whether it is good news (None: neither)."""

    direction: str
    text: str
    good: bool | None


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of today, with what it means, how it changed, and the rows behind it."""

    label: str
    href: str
    definition: str
    change: ChangeView | None
    trend: Sequence[int | None]
    previous: Sequence[int | None]
    money: Money | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One of a new merchant's first steps."""

    text: str
    is_done: bool
    href: str | None = None
    action: str = ""


@dataclass(frozen=True, slots=True)
class Suspension:
    """That the platform has suspended the merchant, and its reason for who may read it."""

    why: str


@dataclass(frozen=True, slots=True)
class Live:
    """The part of the home that changes while one looks at it."""

    currency: str
    tiles: Sequence[Tile]
    feed: Sequence[Row]
    version: int
    url: str
    all_href: str
    steps: Sequence[Step]
    suspension: Suspension | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Home:
    """The merchant's home."""

    currencies: Sequence[Tab]
    live: Live
    charts: Sequence[Chart]


def home() -> Home:
    """Return the home in the currency that the address asks for, else the merchant's first."""
    used = analytics.currencies(g.merchant.id, g.merchant.livemode)
    currency = _currency(used)
    moment = clock.now()
    daily = analytics.daily(subject(currency), moment)
    return Home(
        currencies=_currency_tabs(used, currency),
        live=_live(currency, daily, is_new=not used),
        charts=_charts(currency, daily) if used else [],
    )


def live() -> Live:
    """Return the changing part alone."""
    used = analytics.currencies(g.merchant.id, g.merchant.livemode)
    currency = _currency(used)
    return _live(currency, analytics.daily(subject(currency), clock.now()), is_new=not used)


def charts() -> list[Chart]:
    """Return the charts alone; none before the first figures."""
    used = analytics.currencies(g.merchant.id, g.merchant.livemode)
    currency = _currency(used)
    return _charts(currency, analytics.daily(subject(currency), clock.now())) if used else []


def _charts(currency: str, daily: analytics.Daily) -> list[Chart]:
    grid = analytics.hour_by_weekday(subject(currency), clock.now())
    return [volume_chart(daily), hours_chart(grid)]


def _live(currency: str, daily: analytics.Daily, *, is_new: bool) -> Live:
    page = PageRequest(limit=FEED_ROWS)
    newest = payments.payments_of(
        g.merchant.id, livemode=g.merchant.livemode, asked=PaymentFilter(), page=page
    )
    rows = rows_of(newest.rows)
    return Live(
        currency=currency,
        tiles=_tiles(analytics.today(subject(currency), clock.now()), daily),
        feed=rows,
        version=max((row.version for row in rows), default=0),
        url=url_for("merchant.home_live", currency=currency),
        all_href=url_for("merchant.payment_rows"),
        steps=_first_steps() if is_new else [],
        suspension=None if g.merchant.is_active else _suspension(),
        waiting=waiting_count(),
    )


def _suspension() -> Suspension:
    """Return why the merchant is suspended; the reason is told to whoever opened the merchant."""
    with db.scoped(db.Scope(user_id=g.person.user_id)):
        moves = outbox.moves_of("merchant", g.merchant.id)
    if moves and moves[-1].target == "suspended":
        return Suspension(f"The reason given: {moves[-1].because}")
    return Suspension("Whoever opened this merchant here can read the reason on this page.")


def _tiles(figures: TodayFigures, daily: analytics.Daily) -> list[Tile]:
    now, then, day = figures.today, figures.yesterday, figures.day
    currency = now.volume.currency
    means = {"zone": g.merchant.timezone, "currency": currency}
    paid = rows_link(currency, day, day, status="paid")
    until = words.moment_text(figures.compared_until, g.merchant.timezone)
    return [
        Tile(
            label="Volume today",
            href=paid,
            definition=_means(VOLUME_MEANS, means, until),
            change=_shown(analytics.change(now.volume.minor, then.volume.minor)),
            trend=[_volume(one) for one in daily.days],
            previous=[_volume(one) for one in daily.previous],
            money=now.volume,
        ),
        Tile(
            label="Payments today",
            href=paid,
            definition=_means(COUNT_MEANS, means, until),
            change=_shown(analytics.change(now.captured, then.captured)),
            trend=[one.totals.captured if one.totals else None for one in daily.days],
            previous=[one.totals.captured if one.totals else None for one in daily.previous],
            value=f"{now.captured:,}",
        ),
        Tile(
            label="Success rate today",
            href=rows_link(currency, day, day, status="decided"),
            definition=_means(SUCCESS_MEANS, means, until),
            change=_shown(analytics.points(now.success_percent, then.success_percent)),
            trend=[_rate(one) for one in daily.days],
            previous=[_rate(one) for one in daily.previous],
            value="–" if now.success_percent is None else f"{now.success_percent} %",
        ),
    ]


def _means(text: str, means: dict[str, str], until: str) -> str:
    return f"{text.format(**means)} Compared with yesterday until {until}."


def _shown(change: Change | None) -> ChangeView | None:
    if change is None:
        return None
    good = None if change.direction == "same" else change.direction == "up"
    return ChangeView(change.direction, f"{change.text} on yesterday", good)


def _volume(figures: DayFigures) -> int | None:
    return figures.totals.volume.minor if figures.totals else None


def _rate(figures: DayFigures) -> int | None:
    return figures.totals.success_percent if figures.totals else None


def _currency(used: Sequence[str]) -> str:
    asked = request.args.get("currency", "")
    if asked in used:
        return asked
    card = accounts.merchant_cards([g.merchant.id]).get(g.merchant.id)
    own = card.default_currency if card else "INR"
    return own if own in used or not used else used[0]


def _currency_tabs(used: Sequence[str], chosen: str) -> list[Tab]:
    return [
        Tab(code, url_for("merchant.home", currency=code), active=code == chosen)
        for code in (used if len(used) > 1 else ())
    ]


def _first_steps() -> list[Step]:
    has_orders = bool(orders.order_counts(g.merchant.id, livemode=g.merchant.livemode))
    counts = payments.payment_counts(g.merchant.id, livemode=g.merchant.livemode)
    return [
        Step(
            "Create your first order", has_orders, url_for("merchant.new_order"), "Create an order"
        ),
        Step(
            "Open its checkout link and pay with the test card 4242 4242 4242 4242",
            bool(counts),
            url_for("merchant.order_rows") if has_orders else None,
            "Go to your orders",
        ),
        Step("See the payment arrive here, without reloading", bool(counts.get("captured"))),
    ]
