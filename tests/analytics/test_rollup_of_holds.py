"""Held money, parts of it and money set aside are counted as what was taken, once."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import (
    a_checkout,
    a_link,
    a_merchant,
    a_method,
    a_payment,
    answered,
    card_tried,
    declined,
    inr,
    succeeded,
)
from tests.payments.test_decisions import accepted, anomaly_of, applied, of_guest, settled
from tests.web.merchant.world import told
from webapp import analytics, payments
from webapp.analytics import Subject, Totals
from webapp.gateway import Outcome, Result
from webapp.kernel import clock, db
from webapp.outbox import Actor
from webapp.payments import Status

PRICE = inr(1_000_00)


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


def totals(shop: str) -> Totals:
    """Tell everything, and return the shop's day; the rollup agrees with facts and ledger."""
    told()
    with db.scoped(db.WORKER):
        assert analytics.compare_with_facts() + analytics.compare_with_ledger() == []
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        asked = Subject(shop, livemode=False, currency="INR", zone="Asia/Kolkata")
        return analytics.today(asked, clock.now()).today


def test_of_held_money_only_what_was_taken_is_volume(shop: str) -> None:
    payment_id = a_payment(Status.AUTHORISED, shop)
    assert totals(shop).volume == inr(0)
    answered(payment_id, succeeded(inr(400_00)))
    found = totals(shop)
    assert (found.volume, found.fees, found.captured) == (inr(400_00), inr(8_00), 1)


def test_held_money_that_was_let_go_is_neither_volume_nor_a_failure(shop: str) -> None:
    answered(a_payment(Status.AUTHORISED, shop), Outcome(Result.CANCELLED))
    found = totals(shop)
    assert (found.volume, found.captured, found.failed) == (inr(0), 0, 0)


def test_too_little_money_is_a_failure_until_it_was_accepted(shop: str) -> None:
    payment_id = card_tried(a_checkout(shop, PRICE))
    answered(payment_id, succeeded(inr(600_00)))
    assert totals(shop).failed == 1
    little = anomaly_of(payment_id)
    accepted(little)
    settled(little)
    found = totals(shop)
    assert (found.volume, found.captured, found.failed) == (inr(600_00), 1, 0)


def test_money_that_came_late_is_volume_once_it_pays_another_order(shop: str) -> None:
    link, method = a_link(of_guest(shop)), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, declined(method))
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=Actor("merchant_user", "usr_x"))
    answered(payment_id, succeeded(PRICE, method))
    assert totals(shop).volume == inr(0)
    late = anomaly_of(payment_id)
    applied(late, of_guest(shop))
    settled(late)
    found = totals(shop)
    assert (found.volume, found.fees, found.captured) == (PRICE, inr(20_00), 1)


def test_a_surplus_is_not_volume(shop: str) -> None:
    answered(card_tried(a_checkout(shop, PRICE)), succeeded(inr(1_234_00)))
    assert totals(shop).volume == PRICE
