"""The merchant's home: numbers that are the ledger's, each with the rows behind it."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.web.merchant.world import Shop, a_colleague, a_shop, an_order, declined, paid, told
from webapp import accounts
from webapp.kernel import db
from webapp.outbox import Actor

HOME = "/merchant"


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def test_a_new_merchant_is_shown_the_next_step(shop: Shop) -> None:
    page = shop.client.page(HOME)
    assert "Three steps to your first payment" in page.text
    assert "/merchant/orders/new" in page.links
    an_order(shop)
    assert "Create your first order (done)" in shop.client.page(HOME).text


def test_todays_numbers_are_what_was_captured_and_lead_to_the_rows(shop: Shop) -> None:
    first, second = paid(shop), paid(shop, 500_50)
    declined(shop)
    told()
    page = shop.client.page(HOME)
    assert "Volume today" in page.text
    assert "₹ 1,500 .50" in page.text
    assert "100 %" in page.text
    rows = next(link for link in page.links if "status=paid" in link and "on=ended" in link)
    found = [link for link in shop.client.page(rows).links if "/payments/pay_" in link]
    assert found == [f"/merchant/payments/{one}" for one in (second, first)]


def test_the_feed_shows_the_newest_before_the_figures_are_told(shop: Shop) -> None:
    payment_id = paid(shop)
    assert f"/merchant/payments/{payment_id}" in shop.client.page(HOME).links


def test_currencies_are_shown_apart_and_never_added(shop: Shop) -> None:
    paid(shop)
    paid(shop, 7_000, "JPY")
    told()
    yen = shop.client.page(f"{HOME}?currency=JPY")
    assert "¥ 7,000" in yen.text
    assert f"{HOME}?currency=INR" in yen.links
    assert "₹ 1,000 .00" in shop.client.page(f"{HOME}?currency=INR").text
    assert shop.client.get(f"{HOME}?currency=nonsense").status_code == 200


def test_charts_stand_on_the_page_without_a_script_and_with_their_table(shop: Shop) -> None:
    paid(shop)
    told()
    html = shop.client.get(HOME).get_data(as_text=True)
    assert "was the best day: ₹1,000" in html
    assert html.count('class="s1" data-minor="100000"') == 2
    assert "Show the figures as a table" in html
    assert 'data-figure="/merchant/figures/volume.json?currency=INR"' in html


def test_figures_are_ones_own_and_answered_304_while_unchanged(shop: Shop) -> None:
    paid(a_shop(shop.app))
    paid(shop)
    told()
    address = "/merchant/figures/volume.json?currency=INR"
    first = shop.client.get(address)
    assert first.json is not None
    assert first.json["data"][0]["y"][-1] == "1000.00"
    known = {"If-None-Match": first.headers["ETag"]}
    again = shop.client.get(address, headers=known)
    assert (again.status_code, again.get_data()) == (304, b"")
    paid(shop)
    told()
    assert (
        shop.client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code
        == 200
    )


@pytest.mark.parametrize(
    "path", ["none.json?currency=INR", "volume.json", "volume.json?currency=X"]
)
def test_a_figure_that_is_none_is_not_found(shop: Shop, path: str) -> None:
    assert shop.client.get(f"/merchant/figures/{path}").status_code == 404


def test_the_changing_part_alone_is_what_the_page_holds(shop: Shop) -> None:
    paid(shop)
    told()
    part = shop.client.get(f"{HOME}/live?currency=INR", headers={"X-Fragment": "1"})
    text = part.get_data(as_text=True)
    assert text.lstrip().startswith("<div")
    assert f'data-live="merchant:{shop.id}:test"' in text


def test_guests_are_sent_to_sign_in_and_come_back(app: Flask) -> None:
    guest = app.test_client()
    answer = guest.get("/merchant/payments?status=paid")
    assert answer.status_code == 303
    assert "sign-in" in answer.location
    assert "status%3Dpaid" in answer.location


def test_another_merchant_can_be_chosen_only_by_its_people(shop: Shop) -> None:
    theirs = a_shop(shop.app)
    token = shop.client.page("/merchant/orders/new").form("/merchant/orders").fields["csrf_token"]
    answer = shop.client.post("/merchant/switch", data={"merchant": theirs.id, "csrf_token": token})
    assert answer.status_code == 404
    answer = shop.client.post("/merchant/switch", data={"merchant": shop.id, "csrf_token": token})
    assert (answer.status_code, answer.location) == (303, "/merchant")


def test_a_viewer_sees_the_same_home_with_the_reason_on_the_button(shop: Shop) -> None:
    page = a_colleague(shop, "viewer").page(HOME)
    assert "Your role (viewer) cannot create orders" in page.text


def test_first_steps_and_charts_change_places_without_a_reload(shop: Shop) -> None:
    def parts() -> tuple[str, str]:
        asked = {"X-Fragment": "1"}
        home = shop.client.get(f"{HOME}/live?currency=INR", headers=asked).text
        return home, shop.client.get(f"{HOME}/live/charts", headers=asked).text

    steps, charts = parts()
    assert "Three steps to your first payment" in steps
    assert "data-figure" not in charts
    assert "data-live-done" not in charts
    paid(shop)
    told()
    steps, charts = parts()
    assert "Three steps" not in steps
    assert 'data-figure="/merchant/figures/volume.json?currency=INR"' in charts
    assert "data-live-done" in charts


def test_a_suspended_merchant_reads_why_and_what_still_works(shop: Shop) -> None:
    assert "has suspended this merchant" not in shop.client.page(HOME).text
    colleague = a_colleague(shop, "support")
    with db.scoped(db.ADMIN):
        accounts.suspend_merchant(
            shop.id, because="Papers are missing.", by=Actor("admin", "usr_1")
        )
    said = shop.client.page(HOME).text
    assert "The platform has suspended this merchant" in said
    assert "The reason given: Papers are missing." in said
    assert "lists, exports and refunds work as before" in said
    theirs = colleague.page(HOME).text
    assert "has suspended this merchant" in theirs
    assert "Papers are missing." not in theirs
