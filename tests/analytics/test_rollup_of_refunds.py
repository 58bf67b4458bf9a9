"""Refunds are counted when they have gone back, taken back when a bank returns them."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.analytics.test_rollup_of_holds import totals
from tests.builders import a_merchant, inr
from tests.refunds.builders import a_paid_payment, asked, bounced, paid_out, released, sent
from tests.refunds.builders import told as said_by_provider
from tests.refunds.test_destinations import set_aside
from webapp import analytics, refunds
from webapp.gateway import Failure
from webapp.kernel import db
from webapp.outbox import SYSTEM

SOME = inr(250_00)


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    assert app
    return a_merchant()


def test_a_refund_counts_once_it_has_gone_back(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    refund_id = asked(payment_id, SOME)
    released()
    said_by_provider(refund_id, sent(amount=SOME))
    assert totals(shop).refunded == inr(0), "it is on its way"
    said_by_provider(refund_id, paid_out(amount=SOME), paid_out(amount=SOME))
    found = totals(shop)
    assert (found.refunded, found.volume) == (SOME, inr(1_000_00))


def test_a_refund_that_a_bank_returns_counts_no_more(shop: str) -> None:
    refund_id = asked(a_paid_payment(shop), SOME)
    released()
    said_by_provider(refund_id, paid_out(amount=SOME))
    assert totals(shop).refunded == SOME
    said_by_provider(refund_id, bounced(amount=SOME))
    assert totals(shop).refunded == inr(0)


def test_a_refund_that_was_given_up_and_yet_arrived_counts_once(shop: str) -> None:
    refund_id = asked(a_paid_payment(shop), SOME)
    released()
    said_by_provider(refund_id, Failure("decided_not_done"), purpose="refund")
    assert totals(shop).refunded == inr(0)
    said_by_provider(refund_id, paid_out(amount=SOME))
    assert totals(shop).refunded == SOME


def test_money_that_was_set_aside_is_neither_volume_nor_refunded(shop: str) -> None:
    _payment_id, anomaly_id = set_aside(shop)
    with db.scoped(db.WORKER):
        refund = refunds.refund_set_aside(anomaly_id, by=SYSTEM)
    released()
    said_by_provider(refund.id, paid_out(amount=refund.amount))
    found = totals(shop)
    assert (found.refunded, found.volume) == (inr(0), inr(0))


def test_the_rollup_made_anew_holds_the_same_refunds(shop: str) -> None:
    for arrives in (True, False):
        refund_id = asked(a_paid_payment(shop), SOME)
        released()
        said_by_provider(refund_id, paid_out(f"re_{arrives}", amount=SOME))
        if not arrives:
            said_by_provider(refund_id, bounced(f"re_{arrives}", amount=SOME))
    before = totals(shop)
    analytics.rebuild()
    assert totals(shop) == before
    assert before.refunded == SOME
