"""Who settles money set aside: the policy sends back what nobody asked for, people the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from jobs import settling, telling
from jobs.subscriptions import SETTLE
from tests.builders import (
    a_checkout,
    a_merchant,
    answered,
    card_tried,
    inr,
    now_at,
    succeeded,
)
from tests.payments.test_decisions import (
    accepted,
    anomaly_of,
    applied,
    of_guest,
    paid_too_late,
    paid_too_little,
)
from tests.stories import behind, order_now, scalar
from webapp import refunds
from webapp.kernel import db
from webapp.payments import Anomaly

PRICE = inr(1_000_00)


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


def asks_first(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the policy that leaves all of it to a person."""
    asking = replace(app.extensions["paydeck_settings"], late_success="ASK")
    monkeypatch.setitem(app.extensions, "paydeck_settings", asking)


def told() -> None:
    """Tell the consumer everything, and everything once more."""
    for _ in range(2):
        telling.tell(SETTLE, settling.settle)


def returns(anomaly: Anomaly) -> int:
    """Return how many refunds were made of money set aside."""
    with db.scoped(behind()):
        return len(refunds.refunds_of_anomaly(anomaly.id))


def paid_too_much(shop: str) -> Anomaly:
    """Have more money come than the order asks for."""
    payment_id = card_tried(a_checkout(shop, PRICE))
    answered(payment_id, succeeded(PRICE + inr(5_00)))
    return anomaly_of(payment_id)


@pytest.mark.requirement("S1-14")
def test_what_nobody_asked_for_goes_back_by_itself_and_once(shop: str) -> None:
    """Payments tell a fact; refunds hear it and act. Nobody directs the two."""
    for waiting, amount in ((paid_too_late(shop), PRICE), (paid_too_much(shop), inr(5_00))):
        told()
        assert anomaly_of(waiting.payment_id).status == "refunding"
        assert returns(waiting) == 1
        sent = "SELECT amount_minor FROM refund WHERE anomaly_id = :i"
        assert scalar(sent, i=waiting.id) == amount.minor


def test_where_the_policy_says_so_a_person_is_asked_first(
    app: Flask, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks_first(app, monkeypatch)
    waiting = paid_too_late(shop)
    told()
    assert anomaly_of(waiting.payment_id).status == "open"
    assert returns(waiting) == 0


def test_too_little_money_waits_for_a_person_and_is_booked_as_decided(shop: str) -> None:
    little = paid_too_little(shop)
    told()
    assert (anomaly_of(little.payment_id).status, returns(little)) == ("open", 0)
    accepted(little)
    told()
    assert anomaly_of(little.payment_id).status == "accepted"
    assert now_at(little.payment_id).captured == inr(600_00)


def test_a_decision_that_was_made_before_the_policy_acted_is_what_counts(shop: str) -> None:
    waiting, order = paid_too_late(shop), of_guest(shop)
    applied(waiting, order)
    told()
    assert anomaly_of(waiting.payment_id).status == "applied"
    assert returns(waiting) == 0
    assert order_now(order.id) == ("completed", 2)
