"""The page of a payment link: looking makes nothing, pressing makes an order and its checkout."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.builders import (
    a_merchant,
    a_payment_link,
    an_admin,
    answered,
    card_tried,
    inr,
    opened_by,
    succeeded,
)
from tests.checked_client import CheckedClient
from tests.stories import scalar
from tests.web.checkout.desk import set_together
from webapp import accounts, orders
from webapp.accounts.throttle import LIMITS
from webapp.kernel import clock, db
from webapp.outbox import Actor

MADE = ("shop_order", "checkout_session", "payment", "fact", "customer")


def counts() -> dict[str, int]:
    """Return how many rows there are of all that opening a link can make."""
    return {table: scalar(f"SELECT count(*) FROM {table}") for table in MADE}


def at(link: orders.PaymentLink) -> str:
    """Return a link's address."""
    return f"/pay/{link.token}"


@pytest.fixture
def link(app: Flask) -> orders.PaymentLink:
    return a_payment_link(a_merchant(name="Lotus Tea House"))


def test_looking_shows_what_is_asked_for_and_makes_nothing(
    client: CheckedClient, link: orders.PaymentLink
) -> None:
    before = counts()
    page = client.page(at(link))
    assert counts() == before
    for said in ("Lotus Tea House", "A seat at the tasting", "Pay"):
        assert said in page.text
    assert "500.00" in set_together(page)
    assert [form.action for form in page.forms] == [at(link)]


def test_each_press_makes_a_fresh_order_and_leads_to_its_checkout(
    client: CheckedClient, link: orders.PaymentLink
) -> None:
    before = counts()
    first, second = client.send(at(link), at(link)), client.send(at(link), at(link))
    assert first.status_code == second.status_code == 303
    assert first.location.startswith("/checkout/")
    assert first.location != second.location
    assert "A seat at the tasting" in client.page(first.location).text
    now = counts()
    assert now["shop_order"] == before["shop_order"] + 2
    assert now["checkout_session"] == before["checkout_session"] + 2


def test_the_same_press_twice_makes_one_order(
    client: CheckedClient, link: orders.PaymentLink
) -> None:
    form = client.page(at(link)).form(at(link))
    before = counts()["shop_order"]
    first = client.post(at(link), data=form.fields)
    second = client.post(at(link), data=form.fields)
    assert first.location == second.location
    assert counts()["shop_order"] == before + 1


def test_a_link_that_is_used_up_says_so_and_makes_no_order(
    client: CheckedClient, app: Flask
) -> None:
    link = a_payment_link(a_merchant(), max_payments=1)
    form = client.page(at(link)).form(at(link))
    answered(card_tried(opened_by(link)), succeeded(inr(500_00)))
    before = counts()
    assert client.post(at(link), data=form.fields).location == at(link)
    page = client.page(at(link))
    assert "This payment link has ended" in page.text
    assert page.forms == []
    assert counts() == before


def test_from_its_end_on_it_cannot_be_paid(client: CheckedClient, app: Flask) -> None:
    ends = clock.now() + dt.timedelta(hours=1)
    link = a_payment_link(a_merchant(), ends_at=ends)
    assert "It can be paid until" in client.page(at(link)).text
    with clock.standing_at(ends):
        assert "This payment link has ended" in client.page(at(link)).text


def test_a_merchant_that_may_not_sell_is_paid_nothing(
    client: CheckedClient, link: orders.PaymentLink
) -> None:
    form = client.page(at(link)).form(at(link))
    by = Actor("admin", an_admin().id)
    with db.scoped(db.ADMIN):
        accounts.suspend_merchant(link.merchant_id or "", because="fraud", by=by)
    before = counts()["shop_order"]
    assert client.post(at(link), data=form.fields).location == at(link)
    assert "takes no payments at present" in client.page(at(link)).text
    assert counts()["shop_order"] == before


def test_a_token_that_is_none_opens_nothing(client: CheckedClient, app: Flask) -> None:
    page = client.page(f"/pay/{'x' * 43}", status=404)
    assert "There is no such payment link" in page.text


def test_one_address_opens_so_many_and_then_waits(
    client: CheckedClient, link: orders.PaymentLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, accounts.OPEN_LINK, (2, 100))
    for _ in range(2):
        assert client.send(at(link), at(link)).status_code == 303
    before = counts()["shop_order"]
    assert client.send(at(link), at(link)).status_code == 429
    assert counts()["shop_order"] == before
    other = a_payment_link(link.merchant_id or "")
    assert client.send(at(other), at(other)).status_code == 303
