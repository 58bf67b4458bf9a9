"""How amounts and moments appear on pages; the only place where templates format them."""

from __future__ import annotations

import datetime as dt

from flask import Flask, g
from markupsafe import Markup, escape

from webapp.kernel import clock, words
from webapp.kernel.money import Money
from webapp.web.shared.names import in_words
from webapp.web.shared.pills import pill


def install(app: Flask) -> None:
    """Give the templates their filters."""
    app.add_template_filter(money, "money")
    app.add_template_filter(words.money_parts, "money_parts")
    app.add_template_filter(words.money_text, "money_text")
    app.add_template_filter(words.money_short, "money_short")
    app.add_template_filter(moment, "moment")
    app.add_template_filter(to_the_second, "to_the_second")
    app.add_template_filter(relative, "relative")
    app.add_template_filter(day, "day")
    app.add_template_filter(lambda at: at.isoformat(), "isoformat")
    app.add_template_filter(minutes_left, "minutes_left")
    app.add_template_filter(lambda status, noun: pill(noun, status), "pill_of")
    app.add_template_filter(named, "named")


def money(amount: Money) -> Markup:
    """Return an amount with a light symbol and smaller minor units; its text is read as a whole."""
    parts = words.money_parts(amount)
    inner = Markup('<span class="money__symbol">{}</span>{}').format(parts.symbol, parts.whole)
    if parts.minor:
        inner += Markup('<span class="money__minor">{}{}</span>').format(
            parts.separator, parts.minor
        )
    return Markup('<span class="money">{}{}</span>').format(parts.sign, inner)


def moment(at: dt.datetime | None) -> Markup:
    """Return a moment in the viewer's zone inside <time>."""
    if at is None:
        return escape("–")
    text = words.moment_text(at, g.get("zone"))
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), text)


def to_the_second(at: dt.datetime | None) -> Markup:
    """Return a moment as `moment` does, with its seconds, where things are seconds apart."""
    if at is None:
        return escape("–")
    text = words.second_text(at, g.get("zone"))
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), text)


def relative(at: dt.datetime) -> str:
    """Return how long ago a moment was."""
    return words.relative_text(at, clock.now())


def day(at: dt.datetime | dt.date) -> str:
    """Return the day of a moment in the viewer's zone, or a day as it is."""
    if isinstance(at, dt.datetime):
        at = at.astimezone(words.zone(g.get("zone"))).date()
    return words.day_text(at)


def named(name: str, area: str) -> Markup:
    """Return a machine's name in words, the name itself kept as its title."""
    return Markup('<span title="{}">{}</span>').format(name, in_words(name, area))


def minutes_left(ends_at: dt.datetime) -> str:
    """Return how long is left, such as `14 min 59 s`, as the page's countdown writes it."""
    seconds = max(0, int((ends_at - clock.now()).total_seconds()))
    return f"{seconds // 60} min {seconds % 60:02} s"
