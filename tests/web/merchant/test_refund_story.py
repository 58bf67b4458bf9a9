"""What the merchant's pages tell of a payment once money of it goes back."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from flask import Flask

from tests.refunds.builders import asked, paid_out, refund_now, released, told
from tests.stories import scalar
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


def test_the_export_says_what_was_refunded_in_the_pages_words(shop: Shop) -> None:
    refund_id = asked(paid(shop), SOME)
    released()
    told(refund_id, paid_out(amount=SOME))
    text = shop.client.get(f"{PAYMENTS}/export.csv").get_data(as_text=True)
    [row] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (row["status"], row["shown_as"]) == ("PARTIALLY_REFUNDED", "Partly refunded")
    assert (row["refunded"], row["refunded_minor"]) == ("250.00", "25000")


def test_a_reference_that_comes_late_is_told_to_open_pages(shop: Shop) -> None:
    payment_id = paid(shop)
    refund_id = asked(payment_id, SOME)
    released()
    told(refund_id, replace(paid_out(amount=SOME), bank_reference=None))
    before = refund_now(refund_id).version
    told(refund_id, paid_out(amount=SOME), paid_out(amount=SOME))
    assert refund_now(refund_id).version == before + 1, "a page swaps in what is newer"
    heard = scalar(
        "SELECT array_agg(consumer) FROM outbox_due JOIN fact ON fact.id = fact_id"
        " WHERE name = 'refund.updated' AND subject_id = :id",
        id=refund_id,
    )
    assert "knock" in heard
    page = shop.client.page(f"/merchant/refunds/{refund_id}")
    assert "7412034567" in page.text
    assert page.text.count("The bank gave its reference") == 1
    assert page.text.count("The money went back") == 1


def test_what_the_merchant_keeps_adds_up_with_what_went_back(shop: Shop) -> None:
    payment_id = paid(shop)
    address = f"{PAYMENTS}/{payment_id}"
    assert "You receive ₹ 980 .00" in shop.client.page(address).text
    first = asked(payment_id, SOME)
    released()
    told(first, paid_out(amount=SOME))
    asked(payment_id, Money(100_00, "INR"))
    text = shop.client.page(address).text
    assert "Refunded − ₹ 250 .00 Refund under way − ₹ 100 .00 You keep ₹ 630 .00" in text
    assert "You receive" not in text
    assert "Left to refund ₹ 650 .00" in text
