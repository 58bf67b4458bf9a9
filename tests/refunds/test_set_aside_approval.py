"""Set-aside money above the limit goes back when two people want that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.builders import a_merchant
from tests.refunds.builders import (
    CLERK,
    an_approver,
    at_counter,
    paid_out,
    refund_now,
    released,
    told,
)
from tests.refunds.test_destinations import anomaly_now, set_aside
from tests.stories import behind
from webapp import refunds
from webapp.kernel import db
from webapp.outbox import SYSTEM


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


@pytest.fixture
def low_limit() -> Iterator[None]:
    """Have every refund that a person asks for wait for a second one."""
    kept = refunds.limits()
    refunds.use(refunds.Limits(undo=kept.undo, approval={"INR": 0}))
    yield
    refunds.use(kept)


@pytest.mark.usefixtures("low_limit")
def test_a_second_person_approves_when_somebody_sends_much_set_aside_money_back(
    shop: str,
) -> None:
    payment_id, anomaly_id = set_aside(shop)

    def give_back() -> str:
        return at_counter(payment_id, lambda: refunds.refund_set_aside(anomaly_id, by=CLERK).id)

    for stop in (
        lambda: refunds.refuse(give_back(), because="Not yet.", by=CLERK),
        lambda: refunds.undo(give_back(), by=CLERK),
    ):
        refund_id = give_back()
        assert (refund_now(refund_id).status, anomaly_now(anomaly_id)) == ("requested", "refunding")
        assert released() == 0
        assert at_counter(payment_id, stop).status == "cancelled"
        assert anomaly_now(anomaly_id) == "open"
    refund_id, second = give_back(), an_approver(shop)
    at_counter(payment_id, lambda: refunds.approve(refund_id, by=second))
    assert released(after=dt.timedelta(seconds=1)) == 1
    told(refund_id, paid_out())
    assert anomaly_now(anomaly_id) == "refunded"


@pytest.mark.usefixtures("low_limit")
def test_what_the_portal_sends_back_by_itself_needs_nobody(shop: str) -> None:
    _payment_id, anomaly_id = set_aside(shop)
    with db.scoped(behind()):
        assert refunds.refund_set_aside(anomaly_id, by=SYSTEM).status == "approved"
