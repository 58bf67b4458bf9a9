"""The page of the test clock: what waits, buttons that bring it nearer, and none in live mode."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from flask import Flask

from tests.builders import a_checkout, a_payment, a_payment_link, opened_by
from tests.refunds.builders import asked
from tests.test_clock.waiting import WEEK
from tests.web.merchant.world import Shop, a_colleague, a_shop
from tests.webhooks.hooks import Server, an_endpoint, broken, ordered
from webapp import orders
from webapp.kernel import clock, db
from webapp.kernel.paging import PageRequest
from webapp.payments import Status
from webapp.test_clock import NoLiveClock
from webapp.web.merchant.workbench import clock_views

PAGE = "/merchant/developers/test-clock"
ADVANCE = f"{PAGE}/advance"
NEXT_CENTURY = WEEK.replace(year=2099)


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def test_an_idle_shop_is_told_that_nothing_waits(shop: Shop) -> None:
    page = shop.client.page(PAGE)
    assert "Nothing waits" in page.text
    assert "Test clock" in shop.client.page("/merchant/developers/keys").text
    answer = shop.client.send(PAGE, ADVANCE, seconds="900")
    assert answer.location == PAGE
    assert "Nothing was waiting" in shop.client.page(PAGE).text


def test_what_waits_is_listed_soonest_first_with_its_page(shop: Shop) -> None:
    link = a_payment_link(shop.id, ends_at=NEXT_CENTURY)
    order_id = opened_by(link).ref.order_id
    payment_id = a_payment(Status.AUTHORISED, shop.id)
    refund_id = asked(a_payment(Status.CAPTURED, shop.id))
    an_endpoint(shop.id)
    ordered(shop.id)
    Server(lambda _request: broken()).drain()
    page = shop.client.page(PAGE)
    rows = [
        address
        for address in page.links
        if any(f"/{start}_" in address for start in ("ord", "pay", "re", "plink", "whd"))
    ]
    expected = [
        f"/merchant/refunds/{refund_id}",
        f"/merchant/orders/{order_id}",
        f"/merchant/payments/{payment_id}",
        f"/merchant/payment-links/{link.id}",
    ]
    assert [address for address in rows if "/whd_" not in address] == expected
    assert any("/developers/deliveries/whd_" in address for address in rows)
    assert "Held payment. Then: The money is let go" in page.text
    assert "1 payment link" in page.text


def test_a_step_brings_all_of_it_nearer_once_and_says_what(shop: Shop) -> None:
    link = a_checkout(shop.id)
    a_payment_link(shop.id, ends_at=NEXT_CENTURY)
    form = shop.client.page(PAGE).form(ADVANCE)
    for _twice in range(2):
        answer = shop.client.post(ADVANCE, data=form.fields | {"seconds": "900"})
        assert (answer.status_code, answer.location) == (303, PAGE)
    assert "15 minutes nearer: 1 checkout link, 1 payment link." in shop.client.page(PAGE).text
    with db.scoped(shop.scope()):
        found = orders.checkout_of(link.ref.session_id)
        assert found.expires_at <= clock.now()
        assert _payment_link(shop).ends_at == NEXT_CENTURY - dt.timedelta(minutes=15)


def _payment_link(shop: Shop) -> orders.PaymentLink:
    asked_for = orders.PaymentLinkFilter()
    page = PageRequest(limit=1)
    (link,) = orders.payment_links_of(shop.id, livemode=False, asked=asked_for, page=page).rows
    return link


@pytest.mark.parametrize("seconds", ["", "1", "-900", "many"])
def test_only_the_steps_are_taken(shop: Shop, seconds: str) -> None:
    a_checkout(shop.id)
    answer = shop.client.send(PAGE, ADVANCE, seconds=seconds)
    assert answer.status_code == 400
    assert "Choose one of the steps" in answer.text


def test_a_viewer_sees_what_waits_and_moves_nothing(shop: Shop) -> None:
    a_checkout(shop.id)
    viewer = a_colleague(shop, "viewer")
    page = viewer.page(PAGE)
    assert "1 checkout link" in page.text
    assert "Your role (viewer) cannot move the test clock" in page.text
    assert viewer.send(PAGE, ADVANCE, seconds="900").status_code == 403
    assert a_colleague(shop, "developer").send(PAGE, ADVANCE, seconds="900").status_code == 303


def test_another_shops_page_shows_none_of_it(app: Flask, shop: Shop) -> None:
    a_checkout(shop.id)
    assert "Nothing waits" in a_shop(app).client.page(PAGE).text


def test_of_very_many_the_soonest_are_shown(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_views, "SHOWN", 2)
    for _ in range(3):
        a_checkout(shop.id)
    page = shop.client.page(PAGE)
    assert "3 checkout links" in page.text
    assert "The soonest 2 are shown" in page.text
    assert len([one for one in page.links if "/orders/ord_" in one]) == 2


def test_the_list_alone_is_what_keeps_itself_fresh(shop: Shop) -> None:
    a_checkout(shop.id)
    part = shop.client.get(f"{PAGE}/live", headers={"X-Fragment": "1"}).text
    assert f'data-live-url="{PAGE}/live"' in part
    assert "1 checkout link" in part
    assert "<html" not in part


def test_in_live_mode_the_page_says_that_there_is_no_clock(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = shop.client.page(PAGE).form(ADVANCE)
    live = replace(shop.app.extensions["paydeck_settings"], stripe_secret_key="sk_live_1")
    monkeypatch.setitem(shop.app.extensions, "paydeck_settings", live)
    page = shop.client.page(PAGE)
    assert "There is no clock to move in live mode" in page.text
    assert [one.action for one in page.forms if one.action == ADVANCE] == []
    assert shop.client.get(f"{PAGE}/live").status_code == 403
    answer = shop.client.post(ADVANCE, data=form.fields | {"seconds": "900"})
    assert answer.status_code == 403
    assert NoLiveClock.says in answer.text
