"""A merchant’s figures by the API: the same as on its pages, of that merchant alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.api.desk import Shop, a_shop
from tests.builders import a_payment, inr
from tests.stories import behind
from webapp import analytics, outbox
from webapp.kernel import clock, db
from webapp.payments import Status


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    """A merchant with one captured payment of ₹1,000.00, at noon of its day."""
    with clock.standing_at(clock.now().replace(hour=6, minute=30)):
        shop = a_shop(app)
        a_payment(Status.CAPTURED, shop.merchant_id, inr(1_000_00))
        with db.transaction(behind()):
            facts = outbox.take_due(analytics.CONSUMER)
            analytics.fold(facts)
            outbox.told(analytics.CONSUMER, facts)
        yield shop


@pytest.mark.requirement("S2-110")
def test_todays_figures_are_told(shop: Shop) -> None:
    found = shop.program().get("/analytics/today").get_json()
    assert (found["currency"], found["timezone"]) == ("INR", "Asia/Kolkata")
    today = found["today"]
    assert (today["volume"], today["captured"], today["failed"]) == (1_000_00, 1, 0)
    assert today["success_rate"] == 1.0
    assert found["yesterday"]["success_rate"] is None


def test_days_and_hours_hold_what_was_taken(shop: Shop) -> None:
    program = shop.program()
    days = program.get("/analytics/daily").get_json()["days"]
    assert len(days) == 30
    assert days[-1]["totals"]["volume"] == 1_000_00
    assert days[0]["totals"] is None, "before the first payment there is a gap"
    hours = program.get("/analytics/hours").get_json()
    assert sum(map(sum, hours["counts"])) == 1
    assert sum(map(sum, hours["volumes"])) == 1_000_00
    assert program.get("/analytics/currencies").get_json()["currencies"] == ["INR"]


def test_another_currency_and_another_merchant_have_figures_of_their_own(
    app: Flask, shop: Shop
) -> None:
    in_dollars = shop.program().get("/analytics/today", currency="usd").get_json()
    assert (in_dollars["currency"], in_dollars["today"]["captured"]) == ("USD", 0)
    other = a_shop(app).program().get("/analytics/today").get_json()
    assert other["today"]["captured"] == 0
    assert shop.program().get("/analytics/today", currency="XXX").status_code == 400
