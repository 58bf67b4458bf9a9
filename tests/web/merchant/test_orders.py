"""Orders through the door: created once, refused with a reason, seen by their merchant alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from tests.checked_client import Page
from tests.web.merchant.test_forms import GOOD, WRONG
from tests.web.merchant.world import Shop, a_colleague, a_shop, an_order, begun, paid
from webapp import accounts, idempotency, orders
from webapp.kernel import db
from webapp.kernel.paging import PageRequest
from webapp.orders import OrderFilter
from webapp.outbox import Actor
from webapp.web.shared import forms

NEW = "/merchant/orders/new"
CREATE = "/merchant/orders"


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def orders_in(shop: Shop) -> list[orders.Order]:
    with db.scoped(shop.scope()):
        page = orders.orders_of(
            shop.id, livemode=False, asked=OrderFilter(), page=PageRequest(limit=100)
        )
        return list(page.rows)


@pytest.mark.requirement("S3-03", "S3-04")
def test_an_order_is_created_pending_with_the_amount_that_was_typed(shop: Shop) -> None:
    answer = shop.client.send(NEW, CREATE, **GOOD)
    assert answer.status_code == 303
    [order] = orders_in(shop)
    assert answer.location == f"/merchant/orders/{order.id}"
    assert (order.status, order.amount_minor, order.currency) == ("pending", 1_000_00, "INR")
    assert order.FLOW.outside[order.status] == "PENDING"


def test_its_page_shows_the_checkout_link_to_whoever_made_it_alone(shop: Shop) -> None:
    address = shop.client.send(NEW, CREATE, **GOOD).location
    page = Page(shop.client.get(address, headers={"Host": "localhost:1"}).text)
    [link] = [link for link in page.links if "/checkout/" in link]
    assert link.startswith("http://localhost:8000/checkout/"), "whatever Host was sent"
    other = a_colleague(shop, "support").page(address)
    assert not [link for link in other.links if "/checkout/" in link]
    assert "A link made elsewhere works until" in other.text


def test_sending_the_same_form_twice_creates_one_order(shop: Shop) -> None:
    form = shop.client.page(NEW).form(CREATE)
    first = shop.client.post(CREATE, data=form.fields | GOOD)
    second = shop.client.post(CREATE, data=form.fields | GOOD)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert len(orders_in(shop)) == 1


def test_a_form_waits_for_the_same_form_that_came_a_moment_earlier(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double click without JavaScript: the browser shows the second answer alone."""
    form = shop.client.page(NEW).form(CREATE)
    first = shop.client.post(CREATE, data=form.fields | GOOD)
    answers, once = iter([True, True, False]), idempotency.once

    def busy_at_first(**asked: Any) -> idempotency.Answer:
        if next(answers):
            raise idempotency.KeyInUse
        return once(**asked)

    monkeypatch.setattr(idempotency, "once", busy_at_first)
    monkeypatch.setattr(forms, "TWIN_WAIT_SECONDS", 0)
    second = shop.client.post(CREATE, data=form.fields | GOOD)
    assert (second.status_code, second.location) == (303, first.location)
    assert len(orders_in(shop)) == 1


def test_a_form_that_waits_in_vain_is_asked_to_come_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_asked: Any) -> idempotency.Answer:
        raise idempotency.KeyInUse

    monkeypatch.setattr(idempotency, "once", busy)
    monkeypatch.setattr(forms, "TWIN_WAIT_SECONDS", 0)
    answer = shop.client.send(NEW, CREATE, **GOOD)
    assert answer.status_code == 409
    assert "still being worked on" in answer.text
    assert orders_in(shop) == []


def test_the_same_form_with_another_amount_is_refused(shop: Shop) -> None:
    form = shop.client.page(NEW).form(CREATE)
    shop.client.post(CREATE, data=form.fields | GOOD)
    second = shop.client.post(CREATE, data=form.fields | GOOD | {"amount": "2.00"})
    assert second.status_code in {400, 422}
    assert [order.amount_minor for order in orders_in(shop)] == [1_000_00]


def test_a_character_that_cannot_be_stored_is_refused_before_the_form(shop: Shop) -> None:
    answer = shop.client.send(NEW, CREATE, **(GOOD | {"description": "a\x00b"}))
    assert answer.status_code == 400
    assert "cannot be stored" in answer.get_data(as_text=True)
    assert orders_in(shop) == []


@pytest.mark.parametrize("name", sorted(WRONG.keys() - {"a null byte"}))
def test_bad_input_is_answered_by_name_and_changes_nothing(shop: Shop, name: str) -> None:
    changed, field, says = WRONG[name]
    answer = shop.client.send(NEW, CREATE, **(GOOD | changed))
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert says in text
    assert f'href="#{field}"' in text
    assert orders_in(shop) == []


def test_a_form_without_its_token_is_out_of_date(shop: Shop) -> None:
    answer = shop.client.post(CREATE, data=GOOD)
    assert answer.status_code == 400
    assert "out of date" in answer.get_data(as_text=True)
    assert orders_in(shop) == []


def test_a_form_without_its_key_is_out_of_date(shop: Shop) -> None:
    answer = shop.client.send(NEW, CREATE, **GOOD, form_key="")
    assert answer.status_code == 400
    assert "out of date" in answer.get_data(as_text=True)
    assert orders_in(shop) == []


@pytest.mark.parametrize("path", ["", "/live"])
def test_another_merchants_order_is_as_if_it_were_not_there(shop: Shop, path: str) -> None:
    theirs = an_order(a_shop(shop.app))
    missing = theirs.id[:-4] + "0000"
    answers = [shop.client.get(f"/merchant/orders/{one}{path}") for one in (theirs.id, missing)]
    bodies = [answer.get_data(as_text=True) for answer in answers]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert without_ids(bodies[0]) == without_ids(bodies[1])


@pytest.mark.parametrize("verb", ["link", "cancel"])
def test_nobody_acts_on_another_merchants_order(shop: Shop, verb: str) -> None:
    theirs = an_order(a_shop(shop.app))
    token = shop.client.page(NEW).form(CREATE).fields["csrf_token"]
    path = f"/merchant/orders/{theirs.id}/{verb}"
    answer = shop.client.post(path, data={"csrf_token": token})
    assert answer.status_code == 404
    assert theirs.status == "pending"


def test_a_viewer_looks_and_is_told_why_the_buttons_do_nothing(shop: Shop) -> None:
    order = an_order(shop)
    viewer = a_colleague(shop, "viewer")
    page = viewer.page(f"/merchant/orders/{order.id}")
    assert "Your role (viewer) cannot create orders" in page.text
    assert viewer.get(NEW).status_code == 403
    token = page.form("/cancel").fields["csrf_token"]
    for path in (CREATE, f"/merchant/orders/{order.id}/cancel"):
        answer = viewer.post(path, data=GOOD | {"csrf_token": token, "form_key": "form_1"})
        assert answer.status_code == 403
    assert [one.status for one in orders_in(shop)] == ["pending"]


def test_a_fresh_link_ends_the_older_one(shop: Shop) -> None:
    address = shop.client.send(NEW, CREATE, **GOOD).location
    first = shop.client.page(address)
    assert shop.client.send(address, "/link").status_code == 303
    second = shop.client.page(address)
    old, new = (
        next(link for link in page.links if "/checkout/" in link) for page in (first, second)
    )
    assert old != new


def test_no_link_and_no_cancelling_while_a_payment_is_under_way(shop: Shop) -> None:
    order = an_order(shop)
    begun(shop, order)
    address = f"/merchant/orders/{order.id}"
    page = shop.client.page(address)
    assert "A payment is being confirmed" in page.text
    for verb in ("/link", "/cancel"):
        assert shop.client.send(address, verb).status_code == 409
    assert [one.status for one in orders_in(shop)] == ["pending"]


def test_cancelling_says_what_happened_to_the_link(shop: Shop) -> None:
    address = shop.client.send(NEW, CREATE, **GOOD).location
    assert shop.client.send(address, "/cancel").status_code == 303
    page = shop.client.page(address)
    assert "was cancelled. Its link no longer works." in page.text
    assert [one.status for one in orders_in(shop)] == ["cancelled"]


def test_the_list_counts_by_status_and_finds_by_number_and_address(shop: Shop) -> None:
    first = an_order(shop, customer_email="asha@example.com")
    second = an_order(shop)
    paid(shop)
    page = shop.client.page("/merchant/orders")
    assert "All 3" in page.text
    assert "Paid 1" in page.text
    for typed, found in ((f"%23{first.number}", first), ("asha@example.com", first)):
        text = shop.client.page(f"/merchant/orders?q={typed}").links
        assert f"/merchant/orders/{found.id}" in text
        assert f"/merchant/orders/{second.id}" not in text


def test_pages_keep_their_filter_and_lead_both_ways(shop: Shop) -> None:
    made = [an_order(shop) for _ in range(27)]
    first = shop.client.page("/merchant/orders?status=pending")
    older = next(link for link in first.links if "older=" in link)
    assert "status=pending" in older
    second = shop.client.page(older)
    assert f"/merchant/orders/{made[0].id}" in second.links
    newer = next(link for link in second.links if "newer=" in link)
    assert f"/merchant/orders/{made[-1].id}" in shop.client.page(newer).links


def test_a_page_address_that_is_not_ours_is_refused(shop: Shop) -> None:
    assert shop.client.get("/merchant/orders?older=%F0%9F%98%80").status_code == 400


def without_ids(body: str) -> str:
    """A page without what differs at every request."""
    body = re.sub(r'name="csrf-token" content="[^"]+"|name="csrf_token" value="[^"]+"', "", body)
    return re.sub(r"(req|ord|pay)_[0-9A-Z]{26}", "", body)


def test_a_suspended_merchant_gets_no_new_order_or_link_and_still_cancels(shop: Shop) -> None:
    order = an_order(shop)
    form = shop.client.page(NEW).form(CREATE)
    link = shop.client.page(f"/merchant/orders/{order.id}").form("/link")
    with db.scoped(db.ADMIN):
        accounts.suspend_merchant(shop.id, because="A check", by=Actor("admin", "usr_admin"))
    for answer in (
        shop.client.get(NEW),
        shop.client.post(CREATE, data=form.fields | GOOD),
        shop.client.post(link.action, data=link.fields),
    ):
        assert answer.status_code == 403
        assert "suspended this merchant" in answer.get_data(as_text=True)
    assert [one.id for one in orders_in(shop)] == [order.id]
    page = f"/merchant/orders/{order.id}"
    assert shop.client.send(page, "/cancel").status_code == 303


def test_the_search_of_an_order_page_looks_through_orders(shop: Shop) -> None:
    order = an_order(shop)
    for place in ("/merchant/orders", NEW, f"/merchant/orders/{order.id}"):
        text = shop.client.get(place).get_data(as_text=True)
        assert 'aria-label="Search orders" action="/merchant/orders" method="get"' in text
    found = shop.client.get(f"/merchant/orders?q={order.number}").get_data(as_text=True)
    assert f"/merchant/orders/{order.id}" in found
    assert f'value="{order.number}"' in found
    assert "q" in shop.client.page("/merchant").form("/merchant/payments").fields
