"""The rollup counts each payment once and says what the facts and the ledger say."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import text

from tests.web.merchant.world import Shop, a_shop, an_order, answered, begun, declined, paid, told
from webapp import analytics, payments
from webapp.analytics import Subject
from webapp.gateway import Outcome, Result
from webapp.kernel import clock, db
from webapp.kernel.money import Money

KOLKATA = "Asia/Kolkata"


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def subject(shop: Shop, currency: str = "INR") -> Subject:
    return Subject(shop.id, livemode=False, currency=currency, zone=KOLKATA)


def today(shop: Shop, currency: str = "INR") -> analytics.TodayFigures:
    with db.scoped(shop.scope()):
        return analytics.today(subject(shop, currency), clock.now())


def differences() -> list[analytics.Difference]:
    with db.scoped(db.WORKER):
        return analytics.compare_with_facts() + analytics.compare_with_ledger()


def test_captured_payments_are_counted_with_their_fees(shop: Shop) -> None:
    paid(shop)
    paid(shop, 500_50)
    told()
    totals = today(shop).today
    assert (totals.volume, totals.fees) == (Money(1_500_50, "INR"), Money(30_01, "INR"))
    assert (totals.captured, totals.failed, totals.success_percent) == (2, 0, 100)
    assert differences() == []


def test_telling_in_pieces_comes_to_the_same(shop: Shop) -> None:
    for _ in range(3):
        paid(shop)
        told()
        told()
    assert today(shop).today.captured == 3
    assert differences() == []


def test_what_is_not_told_yet_is_no_difference(shop: Shop) -> None:
    paid(shop)
    assert today(shop).today.captured == 0
    assert differences() == []


def test_declined_tries_are_not_failed_payments(shop: Shop) -> None:
    declined(shop)
    told()
    totals = today(shop).today
    assert (totals.failed, totals.success_percent) == (0, None)


def test_a_late_success_takes_its_earlier_end_back(shop: Shop) -> None:
    noon = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
    with clock.standing_at(noon):
        payment_id = declined(shop)
    with clock.standing_at(noon + dt.timedelta(minutes=20)):
        with db.scoped(db.WORKER):
            payments.expire_due()
        told()
        assert today(shop).today.failed == 1
        late = Outcome(Result.SUCCEEDED, intent_id="pi_late", amount=Money(1_000_00, "INR"))
        answered(payment_id, late)
        told()
        totals = today(shop).today
    assert (totals.captured, totals.failed) == (1, 0)
    assert differences() == []


def test_currencies_and_merchants_stay_apart(shop: Shop) -> None:
    other = a_shop(shop.app)
    paid(other, 9_00)
    paid(shop)
    paid(shop, 7_000, "JPY")
    told()
    assert today(shop).today.volume == Money(1_000_00, "INR")
    assert today(shop, "JPY").today.volume == Money(7_000, "JPY")
    assert today(other).today.volume == Money(9_00, "INR")
    with db.scoped(shop.scope()):
        assert analytics.currencies(shop.id, livemode=False) == ["INR", "JPY"]
        theirs = Subject(other.id, livemode=False, currency="INR", zone=KOLKATA)
        assert analytics.today(theirs, clock.now()).today.captured == 0


def test_a_payment_before_midnight_belongs_to_the_day_before_in_the_merchants_zone(
    shop: Shop,
) -> None:
    midnight = dt.datetime(2026, 11, 20, 18, 30, tzinfo=dt.UTC)
    for minutes in (-1, 1):
        with clock.standing_at(midnight + dt.timedelta(minutes=minutes)):
            paid(shop)
            told()
    with db.scoped(shop.scope()):
        noon = midnight + dt.timedelta(hours=12)
        figures = analytics.today(subject(shop), noon)
        daily = analytics.daily(subject(shop), noon)
    assert (figures.today.captured, figures.yesterday.captured) == (1, 0)
    assert [day.totals.captured for day in daily.days if day.totals] == [1, 1]
    assert daily.days[-1].day == dt.date(2026, 11, 21)


def test_yesterday_is_compared_only_up_to_the_same_time(shop: Shop) -> None:
    now = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
    for hours in (-25, -23, -1):
        with clock.standing_at(now + dt.timedelta(hours=hours)):
            paid(shop)
            told()
    with db.scoped(shop.scope()):
        figures = analytics.today(subject(shop), now)
    assert (figures.today.captured, figures.yesterday.captured) == (1, 1)


def test_the_grid_puts_a_payment_into_its_hour_of_the_merchants_week(shop: Shop) -> None:
    saturday = dt.datetime(2026, 11, 21, 8, 45, tzinfo=dt.UTC)
    with clock.standing_at(saturday):
        paid(shop)
        told()
    with db.scoped(shop.scope()):
        grid = analytics.hour_by_weekday(subject(shop), saturday)
    assert grid.counts[5][14] == 1
    assert grid.total == 1
    assert grid.volumes[5][14] == 1_000_00


def test_rebuilding_changes_nothing(shop: Shop) -> None:
    paid(shop)
    begun(shop, an_order(shop))
    declined(shop)
    told()
    before = rows()
    assert analytics.rebuild() == len(before)
    assert rows() == before


def test_a_rollup_that_was_tampered_with_is_found_out(shop: Shop) -> None:
    paid(shop)
    told()
    with db.transaction(db.OWNER) as session:
        session.execute(text("UPDATE rollup_quarter SET amount_minor = amount_minor + 1"))
    found = differences()
    assert [one.currency for one in found] == ["INR", "INR"]
    assert {one.merchant_id for one in found} == {shop.id}


def rows() -> list[tuple[object, ...]]:
    with db.scoped(db.WORKER):
        found = db.session.execute(text("SELECT * FROM rollup_quarter ORDER BY 1, 2, 3, 4, 5, 6"))
        return [tuple(row) for row in found]
