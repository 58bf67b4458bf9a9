"""Held money is promised for no longer than its own bank holds it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from flask import Flask

from tests.builders import a_checkout, a_merchant, a_method, answered, card_tried, held, now_at
from tests.payments.test_holds import BEGIN, PRICE
from webapp.gateway import Outcome, Result
from webapp.kernel import clock

DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("tells", "days"),
    [([None], 6.0), ([7], 6.0), ([5], 4.0), ([None, 5], 4.0), ([5, 7], 4.0), ([5, None], 4.0)],
)
def test_money_is_let_go_a_day_before_its_bank_does_whichever_news_tells_it(
    app: Flask, tells: list[int | None], days: float
) -> None:
    link, method = a_checkout(a_merchant(), PRICE, capture_later=True), a_method()
    news = [
        replace(held(PRICE, method), held_until=BEGIN + told * DAY if told else None)
        for told in tells
    ]
    with clock.standing_at(BEGIN):
        payment_id = card_tried(link, method)
        created = Outcome(Result.CREATED, intent_id=f"pi_{payment_id}")
        answered(payment_id, created, *news)
    payment = now_at(payment_id)
    assert payment.status == "authorised"
    assert payment.capture_before == payment.deadline_at == BEGIN + days * DAY


def test_news_that_comes_when_the_bank_is_about_to_let_go_is_acted_upon_at_once(
    app: Flask,
) -> None:
    link, method = a_checkout(a_merchant(), PRICE, capture_later=True), a_method()
    with clock.standing_at(BEGIN):
        payment_id = card_tried(link, method)
        created = Outcome(Result.CREATED, intent_id=f"pi_{payment_id}")
        late = replace(held(PRICE, method), held_until=BEGIN + dt.timedelta(hours=3))
        answered(payment_id, created, late)
    assert now_at(payment_id).capture_before == BEGIN
