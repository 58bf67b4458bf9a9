"""What the merchant's pages tell of a payment once money of it goes back."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.refunds.builders import asked, paid_out, released, told
from tests.web.merchant.world import Shop, a_shop, paid
from webapp.kernel.money import Money

PAYMENTS = "/merchant/payments"
SOME = Money(250_00, "INR")


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def test_a_payments_story_tells_of_its_refunds_with_amounts_and_links(shop: Shop) -> None:
    payment_id = paid(shop)
    refund_id = asked(payment_id, SOME)
    released()
    told(refund_id, paid_out(amount=SOME))
    page = shop.client.page(f"{PAYMENTS}/{payment_id}")
    story = page.text[page.text.index("What happened") :]
    assert "The money went back Refund of ₹250.00" in story
    assert "It left: the provider was asked Refund of ₹250.00" in story
    assert "The refund was asked for Refund of ₹250.00" in story
    assert story.index("The money went back") < story.index("The payment was captured")
    assert f"/merchant/refunds/{refund_id}" in page.links
