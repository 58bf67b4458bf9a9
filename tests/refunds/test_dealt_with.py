"""Failed refunds that somebody has dealt with: off the list, on record, and back when wanted."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import inr
from tests.refunds.builders import (
    OWNER,
    a_paid_payment,
    asked,
    at_counter,
    paid_out,
    refund_now,
    released,
    told,
)
from tests.stories import scalar
from webapp import refunds
from webapp.gateway import Failure
from webapp.kernel.paging import PageRequest
from webapp.refunds import RefundFilter, RefundNotPossible

SOME = inr(250_00)


@pytest.fixture
def paid(app: Flask) -> str:
    """A paid payment."""
    assert app
    return a_paid_payment()


def given_up(payment_id: str) -> str:
    """Have a refund fail that the provider never had; returns its id."""
    refund_id = asked(payment_id, SOME)
    released()
    told(refund_id, Failure("decided_not_done"), purpose="refund")
    return refund_id


def waiting(payment_id: str) -> list[str]:
    """Return the failed refunds of a payment's merchant that wait for somebody."""
    merchant_id = str(scalar("SELECT merchant_id FROM payment WHERE id = :id", id=payment_id))
    only = RefundFilter(statuses=("failed",), not_dealt_with=True)
    found = at_counter(
        payment_id,
        lambda: refunds.refunds_of(
            merchant_id, livemode=False, asked=only, page=PageRequest(limit=10)
        ),
    )
    return [row.refund.id for row in found.rows]


def deeds(refund_id: str) -> list[str]:
    found = scalar(
        "SELECT array_agg(action ORDER BY id) FROM audit_entry WHERE subject_id = :id", id=refund_id
    )
    return [deed for deed in found if deed != "refund.requested"]


def test_what_was_dealt_with_leaves_the_list_and_can_be_taken_up_again(paid: str) -> None:
    refund_id = given_up(paid)
    assert waiting(paid) == [refund_id]
    for _ in range(2):
        at_counter(paid, lambda: refunds.deal_with(refund_id, by=OWNER))
    assert waiting(paid) == []
    for _ in range(2):
        at_counter(paid, lambda: refunds.take_up(refund_id, by=OWNER))
    assert waiting(paid) == [refund_id]
    assert deeds(refund_id) == ["refund.dealt_with", "refund.taken_up"]
    assert refund_now(refund_id).status == "failed"


def test_only_a_failed_refund_can_be_dealt_with(paid: str) -> None:
    refund_id = asked(paid, SOME)
    with pytest.raises(RefundNotPossible):
        at_counter(paid, lambda: refunds.deal_with(refund_id, by=OWNER))
    with pytest.raises(RefundNotPossible):
        at_counter(paid, lambda: refunds.take_up(refund_id, by=OWNER))
    assert refund_now(refund_id).dealt_with_at is None


def test_late_good_news_forgets_that_it_was_dealt_with(paid: str) -> None:
    refund_id = given_up(paid)
    at_counter(paid, lambda: refunds.deal_with(refund_id, by=OWNER))
    told(refund_id, paid_out(amount=SOME))
    found = refund_now(refund_id)
    assert (found.status, found.dealt_with_at, found.dealt_with_by) == ("succeeded", None, None)
