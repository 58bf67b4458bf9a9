"""What shoppers read of refunds says where the money truly is."""

from __future__ import annotations

import pytest

from webapp.kernel.money import Money
from webapp.refunds import Refund
from webapp.web.shared.refund_words import shopper_says


@pytest.mark.parametrize(
    ("anomaly_id", "where"),
    [
        (None, "The money is with Lotus again. Ask Lotus how you get it."),
        ("ano_1", "The money is kept apart again until Lotus decides how you get it."),
    ],
)
def test_a_refund_that_failed_says_who_has_the_money(anomaly_id: str | None, where: str) -> None:
    price = Money(1_000_00, "INR")
    refund = Refund(
        status="failed",
        amount_minor=price.minor,
        currency=price.currency,
        anomaly_id=anomaly_id,
        failure_code="expired_or_canceled_card",
    )
    fact, next_step = shopper_says(refund, "Lotus")
    assert "did not reach you" in fact
    assert next_step == where
