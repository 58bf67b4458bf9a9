"""The queue of what waits for a person: nothing that is open is hidden behind what is newer."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from tests.builders import a_payment, inr
from tests.refunds.builders import asked, bounced, released, told
from tests.stories import behind, scalar
from tests.web.merchant.test_refund_waiting import low_limit
from tests.web.merchant.test_set_aside import late_money
from tests.web.merchant.world import Shop, a_shop, paid
from webapp import refunds
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import SYSTEM, Actor
from webapp.payments import Status
from webapp.web.merchant import attention_views

__all__ = ["low_limit"]
QUEUE = "/merchant/attention"


@pytest.fixture
def shop(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(attention_views, "AT_MOST", 2)
    return a_shop(app)


def on_page(shop: Shop, found: list[str], address: str = QUEUE) -> list[str]:
    """Return which of these ids a page shows, as it orders them."""
    html = shop.client.get(address).get_data(as_text=True)
    return sorted((one for one in found if one in html), key=html.index)


def run(statement: str, **named: object) -> None:
    with db.transaction(behind()) as session:
        session.execute(text(statement), named)


def given_back(anomaly_id: str) -> str:
    with db.scoped(behind()):
        return refunds.refund_set_aside(anomaly_id, by=SYSTEM).id


def test_money_that_waits_is_not_hidden_behind_money_that_was_decided(shop: Shop) -> None:
    oldest, *rest = (late_money(shop) for _ in range(4))
    for anomaly_id in rest:
        given_back(anomaly_id)
    page = shop.client.page(QUEUE)
    assert "Nothing waits for you" not in page.text
    assert on_page(shop, [oldest, *rest]) == [oldest]
    given_back(oldest)
    page = shop.client.page(QUEUE)
    assert "Nothing waits for you" in page.text
    assert "/merchant/set-aside?status=all" in page.links
    assert set(on_page(shop, rest, "/merchant/set-aside?status=under-way")) == set(rest)


def test_the_oldest_money_comes_first_and_the_rest_is_counted_and_found(shop: Shop) -> None:
    found = [late_money(shop) for _ in range(3)]
    page = shop.client.page(QUEUE)
    assert on_page(shop, found) == found[:2]
    assert "These 2 are the most pressing; 1 more waits." in page.text
    assert "Show all 3 amounts" in page.text
    assert "/merchant/set-aside" in page.links
    assert on_page(shop, found, "/merchant/set-aside") == found[::-1]
    live = shop.client.get("/merchant/set-aside/live", headers={"X-Fragment": "1"})
    assert live.get_data(as_text=True).count("row-link") == 3


def test_the_hold_that_ends_first_is_never_cut_off(shop: Shop) -> None:
    held = [a_payment(Status.AUTHORISED, shop.id) for _ in range(4)]
    sooner = "UPDATE payment SET capture_before = clock_now() + interval '1 hour' WHERE id = :id"
    run(sooner, id=held[1])
    page = shop.client.page(QUEUE)
    assert on_page(shop, held)[0] == held[1]
    assert len(on_page(shop, held)) == 2
    assert "2 more wait." in page.text
    assert "/merchant/payments?status=held" in page.links
    assert set(on_page(shop, held, "/merchant/payments?status=held")) == set(held)


@pytest.mark.usefixtures("low_limit")
def test_the_refund_whose_approval_ends_first_is_never_cut_off(shop: Shop) -> None:
    payment_id, by = paid(shop), Actor("merchant_user", shop.owner_id)
    waiting = [asked(payment_id, inr(150_00), by=by) for _ in range(4)]
    page = shop.client.page(QUEUE)
    assert on_page(shop, waiting) == waiting[:2]
    assert "Show all 4 refunds to approve" in page.text
    assert "/merchant/refunds?status=approval" in page.links


def test_refunds_that_failed_are_counted_and_those_that_need_nobody_take_no_place(
    shop: Shop,
) -> None:
    failed = []
    for number in range(4):
        refund_id = asked(paid(shop), Money(1_000_00, "INR"))
        released()
        told(refund_id, bounced(f"re_{number}"))
        failed.append(refund_id)
    first = scalar("SELECT payment_id FROM refund WHERE id = :id", id=failed[0])
    asked(str(first), Money(1_000_00, "INR"))
    page = shop.client.page(QUEUE)
    assert on_page(shop, failed) == failed[1:3]
    assert "1 more waits." in page.text
    assert "/merchant/refunds?status=failed" in page.links


def test_a_failed_refund_of_money_in_another_currency_is_a_decision_again(shop: Shop) -> None:
    dollars = Money(1_000_00, "USD")
    anomaly_id = late_money(shop, dollars, is_cancelled=False)
    refund_id = given_back(anomaly_id)
    released()
    told(refund_id, bounced(amount=dollars))
    page = shop.client.page(QUEUE)
    assert f"{QUEUE}/{anomaly_id}" in page.links
    assert "Refunds that failed" not in page.text
