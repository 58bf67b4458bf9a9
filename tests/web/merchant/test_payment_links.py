"""Payment links through the merchant's door: made once, shown with their address, ended."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import a_payment_link, answered, card_tried, inr, opened_by, succeeded
from tests.web.merchant.world import Shop, a_colleague, a_shop
from webapp import orders
from webapp.kernel import db
from webapp.kernel.paging import PageRequest

NEW = "/merchant/payment-links/new"
LINKS = "/merchant/payment-links"
GOOD = {"amount": "500.00", "currency": "INR", "description": "A seat at the tasting"}


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def links_in(shop: Shop) -> list[orders.PaymentLink]:
    with db.scoped(shop.scope()):
        page = orders.payment_links_of(
            shop.id, livemode=False, asked=orders.PaymentLinkFilter(), page=PageRequest(limit=100)
        )
        return list(page.rows)


def test_a_link_is_made_and_its_address_can_be_copied_by_every_colleague(shop: Shop) -> None:
    answer = shop.client.send(NEW, LINKS, **GOOD, max_payments="40", last_day="2099-12-01")
    assert answer.status_code == 303
    [link] = links_in(shop)
    assert answer.location == f"{LINKS}/{link.id}"
    assert (link.amount, link.max_payments) == (inr(500_00), 40)
    assert link.ends_at is not None
    for client in (shop.client, a_colleague(shop, "viewer")):
        page = client.page(answer.location)
        assert f"http://localhost:8000/pay/{link.token}" in page.text
        assert "0 of 40" in page.text


def test_the_same_form_twice_makes_one_link(shop: Shop) -> None:
    form = shop.client.page(NEW).form(LINKS)
    first = shop.client.post(LINKS, data=form.fields | GOOD)
    second = shop.client.post(LINKS, data=form.fields | GOOD)
    assert first.location == second.location
    assert len(links_in(shop)) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"amount": "nothing"}, 'id="amount-error"'),
        ({"amount": "0"}, 'id="amount-error"'),
        ({"currency": "XXX"}, 'id="currency-error"'),
        ({"description": " "}, "Say what the payment is for"),
        ({"max_payments": "0"}, "from 1 to 10,000"),
        ({"max_payments": "many"}, "from 1 to 10,000"),
        ({"max_payments": "10001"}, "from 1 to 10,000"),
        ({"last_day": "tomorrow"}, "Enter a day such as"),
        ({"last_day": "2020-01-01"}, "still to come"),
        ({"last_day": "9999-12-31"}, "Enter a day such as"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    shop: Shop, wrong: dict[str, str], says: str
) -> None:
    answer = shop.client.send(NEW, LINKS, **(GOOD | wrong))
    assert answer.status_code == 400
    assert says in answer.text
    assert links_in(shop) == []


def test_its_page_lists_its_orders_and_counts_what_was_paid(shop: Shop) -> None:
    link = a_payment_link(shop.id, max_payments=2)
    opened_by(link)
    answered(card_tried(opened_by(link)), succeeded(inr(500_00)))
    page = shop.client.page(f"{LINKS}/{link.id}")
    assert "1 of 2" in page.text
    rows = [address for address in page.links if address.startswith("/merchant/orders/ord_")]
    assert len(rows) == 2
    assert f"{LINKS}/{link.id}" in shop.client.page(rows[0]).links
    assert "1 of 2" in shop.client.page(LINKS).text
    live = shop.client.get(f"{LINKS}/{link.id}/live", headers={"X-Fragment": "1"})
    assert "1 of 2" in live.text


def test_one_payment_too_many_is_pointed_out(shop: Shop) -> None:
    link = a_payment_link(shop.id, max_payments=1)
    for payment_id in [card_tried(opened_by(link)), card_tried(opened_by(link))]:
        answered(payment_id, succeeded(inr(500_00)))
    assert "More was paid than you asked for" in shop.client.page(f"{LINKS}/{link.id}").text


def test_a_link_is_ended_by_who_may_and_stays_in_the_list(shop: Shop) -> None:
    link = a_payment_link(shop.id)
    address = f"{LINKS}/{link.id}"
    assert a_colleague(shop, "viewer").send(address, f"{address}/end").status_code == 403
    assert shop.client.send(address, f"{address}/end").location == address
    assert [one.status for one in links_in(shop)] == ["ended"]
    assert address in shop.client.page(f"{LINKS}?status=ended").links
    assert address not in shop.client.page(f"{LINKS}?status=active").links


def test_another_shop_sees_none_of_it(app: Flask, shop: Shop) -> None:
    link = a_payment_link(shop.id)
    other = a_shop(app)
    other.client.page(f"{LINKS}/{link.id}", status=404)
    assert "No payment links yet" in other.client.page(LINKS).text
