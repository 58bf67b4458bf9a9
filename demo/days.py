"""Ninety days of sales in the rhythm of each shop, with a festival, an outage, and today so far."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from demo.chance import Chance
from demo.sales import Sale
from demo.story import (
    CAPTURED_FIRST,
    CAPTURED_LATER,
    DAYS,
    FAILED,
    FESTIVAL_DAYS_AGO,
    FESTIVAL_FACTOR,
    GIFTS,
    GUESTS,
    HELD,
    HELD_HOURS_AGO,
    OUTAGE_DAYS_AGO,
    OUTAGE_HOURS,
    SHOPS,
    SHORT_HOURS_AGO,
    Shop,
    Ware,
)
from webapp.kernel.money import Money

SIGNED_IN = (("asha", 10), ("kenji", 12), ("maria", 9), ("li", 14))
#: A link that is still open belongs to somebody; the story leaves none behind.
SETTLED = dt.timedelta(minutes=20)


def sales(chance: Chance, until: dt.datetime) -> list[Sale]:
    """Return every sale before `until`, oldest first."""
    found = [sale for shop in SHOPS for sale in _shop(chance, shop, until)]
    return sorted([*found, *_for_a_person(until)], key=lambda sale: sale.at)


def _for_a_person(until: dt.datetime) -> Iterator[Sale]:
    """Yield what waits for somebody of the first shop.

    A sale so large that its refund needs a second person, orders whose money is held until they
    are sent, and one that was paid by half.
    """
    yield _of_guest(GIFTS, until, hours_ago=26, name="events", ending="captured")
    for hours, name in zip(HELD_HOURS_AGO, GUESTS, strict=False):
        yield _of_guest(HELD, until, hours_ago=hours, name=name.lower(), ending="held")
    yield _of_guest(HELD, until, hours_ago=SHORT_HOURS_AGO, name="tara", ending="underpaid")


def _of_guest(ware: Ware, until: dt.datetime, *, hours_ago: int, name: str, ending: str) -> Sale:
    return Sale(
        shop=SHOPS[0],
        amount=Money(ware.minor, "INR"),
        words=ware.words,
        at=until - dt.timedelta(hours=hours_ago),
        email=f"{name}@guests.example",
        user_key=None,
        declines=0,
        ending=ending,
    )


def _shop(chance: Chance, shop: Shop, until: dt.datetime) -> Iterator[Sale]:
    zone = ZoneInfo(shop.timezone)
    today = until.astimezone(zone).date()
    for ago in range(DAYS, -1, -1):
        day = today - dt.timedelta(days=ago)
        grown = 1 - shop.growth * ago / DAYS
        festival = FESTIVAL_FACTOR if shop.key == "lotus" and ago in FESTIVAL_DAYS_AGO else 1
        mean = shop.a_day * shop.weekdays[day.weekday()] * grown * festival
        for _ in range(chance.about(mean)):
            hour = chance.hour(shop.hours)
            clock = dt.time(hour, chance.between(0, 59), chance.between(0, 59))
            at = dt.datetime.combine(day, clock, zone).astimezone(dt.UTC)
            if at < until - SETTLED:
                yield _sale(chance, shop, at, ago=ago, hour=hour)


def _sale(chance: Chance, shop: Shop, at: dt.datetime, *, ago: int, hour: int) -> Sale:
    currency = chance.pick(shop.currencies)
    ware = chance.one_of(shop.wares[currency])
    user_key, email = _buyer(chance)
    is_outage = shop.key == "lotus" and ago == OUTAGE_DAYS_AGO and hour in OUTAGE_HOURS
    declines, ending = _fate(chance, is_outage=is_outage)
    return Sale(
        shop=shop,
        amount=Money(ware.minor * chance.pick(((1, 80), (2, 15), (3, 5))), currency),
        words=ware.words,
        at=at,
        email=email,
        user_key=user_key,
        declines=declines,
        ending=ending,
        is_outage=is_outage,
    )


def _fate(chance: Chance, *, is_outage: bool) -> tuple[int, str]:
    number = chance.thousand()
    if is_outage:
        return (1, "captured") if number < 350 else (chance.between(1, 3), "failed")  # noqa: PLR2004
    if number < CAPTURED_FIRST:
        return 0, "captured"
    if number < CAPTURED_FIRST + CAPTURED_LATER:
        return chance.between(1, 2), "captured"
    if number < CAPTURED_FIRST + CAPTURED_LATER + FAILED:
        return chance.between(1, 3), "failed"
    return 0, "untried" if number % 2 else "expired"


def _buyer(chance: Chance) -> tuple[str | None, str]:
    if chance.thousand() < 45:  # noqa: PLR2004 - parts of a thousand who sign in
        key = chance.pick(SIGNED_IN)
        return key, f"{'shopper@paydeck' if key == 'asha' else f'{key}@shoppers'}.example"
    name = chance.one_of(GUESTS)
    return None, f"{name.lower()}.{chance.between(1, 140)}@guests.example"
