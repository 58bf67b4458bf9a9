"""A merchant's pages in the mode that was chosen: apart from the other, and prepared ahead."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.web.merchant.world import Shop, a_shop, paid
from tests.webhooks.hooks import tell
from webapp import accounts, orders, refunds
from webapp.kernel import db
from webapp.kernel.paging import PageRequest
from webapp.web.merchant.door import DEVELOPERS, list_of
from webapp.web.shared.shell import MERCHANT

KEYS = "/merchant/developers/keys"
LISTS = (
    *(entry.href for entry in MERCHANT if entry.href != DEVELOPERS),
    KEYS,
    f"{KEYS}/new",
    "/merchant/developers/webhooks",
    "/merchant/developers/webhooks/new",
    "/merchant/developers/events",
    "/merchant/developers/requests",
    "/merchant/developers/guide",
    "/merchant/developers/exam",
    "/merchant/developers/test-clock",
)
NO_PROVIDER = "not connected to a payment provider in live mode"


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def choose(shop: Shop, mode: str, *, at: str = "/merchant/payments") -> str:
    """Choose a mode on a page of the merchant's; returns where that leads."""
    [form] = [one for one in shop.client.page(at).forms if one.action == "/merchant/mode"]
    answer = shop.client.post(form.action, data=form.fields | {"mode": mode})
    assert answer.status_code == 303
    return answer.location


def test_what_is_of_test_mode_is_not_seen_in_live_mode_and_comes_back(shop: Shop) -> None:
    paid(shop)
    tell()
    before = shop.client.page("/merchant/payments")
    assert any(link.startswith("/merchant/payments/pay_") for link in before.links)
    assert "No real money moves" in before.text
    assert choose(shop, "live") == "/merchant/payments"
    for address in LISTS:
        page = shop.client.page(address)
        assert "Nothing can be paid in live mode" in page.text, address
        named = [link for link in page.links if "/pay_" in link or "/ord_" in link]
        assert named == [], address
    assert choose(shop, "test") == "/merchant/payments"
    assert shop.client.page("/merchant/payments").links == before.links


def test_an_object_of_the_mode_that_was_left_is_not_there(shop: Shop) -> None:
    payment_id = paid(shop)
    page = f"/merchant/payments/{payment_id}"
    shop.client.page(page)
    assert choose(shop, "live", at=page) == "/merchant/payments"
    shop.client.page(page, status=404)


def test_keys_and_endpoints_are_made_ready_for_live_mode(shop: Shop) -> None:
    choose(shop, "live")
    [form] = [one for one in shop.client.page(f"{KEYS}/new").forms if one.action == KEYS]
    made = shop.client.post(form.action, data=form.fields | {"name": "Till"})
    assert "sk_live_" in made.get_data(as_text=True)
    with db.scoped(db.Scope(merchant_id=shop.id, livemode=True)):
        assert [key.livemode for key in accounts.keys_of(shop.id, livemode=True)] == [True]
    with db.scoped(shop.scope()):
        assert accounts.keys_of(shop.id, livemode=False) == []


def test_what_would_end_at_a_provider_is_refused_where_there_is_none(shop: Shop) -> None:
    choose(shop, "live")
    assert NO_PROVIDER in shop.client.page("/merchant/orders").text
    shop.client.page("/merchant/orders/new", status=403)
    shop.client.page("/merchant/payment-links/new", status=403)
    with db.scoped(db.Scope(merchant_id=shop.id, livemode=True)):
        found = orders.orders_of(
            shop.id, livemode=True, asked=orders.OrderFilter(), page=PageRequest()
        )
        assert list(found.rows) == []


def test_a_refund_of_test_mode_cannot_be_asked_for_in_live_mode(shop: Shop) -> None:
    payment_id = paid(shop)
    address = f"/merchant/payments/{payment_id}/refunds"
    [form] = [
        one
        for one in shop.client.page(f"/merchant/payments/{payment_id}/refund").forms
        if one.action == address
    ]
    choose(shop, "live")
    answer = shop.client.post(address, data=form.fields | {"amount": "1.00"})
    assert answer.status_code in {403, 404}
    with db.scoped(shop.scope()):
        assert list(refunds.refunds_of_payment(payment_id)) == []


def test_a_mode_that_is_none_is_refused_and_changes_nothing(shop: Shop) -> None:
    [form] = [one for one in shop.client.page("/merchant").forms if one.action == "/merchant/mode"]
    assert shop.client.post(form.action, data=form.fields | {"mode": "real"}).status_code == 400
    assert "Nothing can be paid" not in shop.client.page("/merchant").text


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/merchant/orders/ord_1", "/merchant/orders"),
        ("/merchant/developers/keys/key_1", KEYS),
        ("/merchant/developers/deliveries/whd_1", "/merchant/developers"),
        ("/merchant", "/merchant"),
        ("//elsewhere.example/merchant", "/merchant"),
        ("https://elsewhere.example", "/merchant"),
        ("", "/merchant"),
    ],
)
def test_whoever_changes_the_mode_comes_back_to_a_list_of_ours(path: str, leads_to: str) -> None:
    assert list_of(path) == leads_to
