"""Messages that name nobody here: a refund of our payment needs a person, another's does not."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from jobs import inbox
from tests.builders import a_payment, inr, now_at
from tests.stories import behind
from webapp.gateway import Event, Outcome, RefundMadeElsewhere, Result
from webapp.kernel import clock, db
from webapp.payments import Status


def told(intent_id: str) -> None:
    """Hear of a refund that was made in the provider's own pages."""
    outcome = Outcome(
        Result.REFUND_SUCCEEDED, intent_id=intent_id, refund_id="re_page", amount=inr(1_00)
    )
    event = Event(
        id="evt_page",
        kind="refund.created",
        object_id="re_page",
        subject_id=None,
        livemode=False,
        occurred_at=clock.now() - dt.timedelta(seconds=1),
        payload={},
        outcome=outcome,
    )
    with db.scoped(behind()):
        inbox.apply(event, outcome)


@pytest.mark.usefixtures("app")
def test_a_refund_of_our_payment_made_in_the_providers_own_pages_waits_for_a_person() -> None:
    payment = now_at(a_payment(Status.CAPTURED))
    with pytest.raises(RefundMadeElsewhere, match="not in the books"):
        told(payment.provider_intent_id or "")


def test_a_refund_of_somebody_elses_payment_is_passed_over(app: Flask) -> None:
    assert app
    told("pi_of_another_shop")
