"""Paying through the checkout's own pages, without JavaScript: what each press does and says."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import (
    Link,
    a_checkout,
    a_merchant,
    a_person,
    an_admin,
    answered,
    browser_of,
    calls_answered,
    card_tried,
    declined,
    end_links,
    inr,
    money_in_wallet,
    needs_action,
    now_at,
    succeeded,
)
from tests.checked_client import CheckedClient
from tests.stories import attempts, operations, payment_is_whole, scalar
from tests.web.checkout.desk import (
    PRICE,
    at,
    counts,
    payment_of,
    press_pay,
    set_together,
    text_of,
)
from webapp import accounts, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.outbox import Actor
from webapp.payments import Status


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


@pytest.mark.requirement("S0-01")
def test_a_card_entry_becomes_a_payment_that_is_being_confirmed(
    client: CheckedClient, shop: str
) -> None:
    link = a_checkout(shop, PRICE)
    page = client.page(at(link))
    assert "₹1,000.00" in set_together(page)
    response = press_pay(client, link, method="card", payment_method="pm_1")
    assert (response.status_code, response.location) == (303, at(link))
    assert now_at(payment_of(link)).status == Status.PROCESSING
    assert operations(payment_of(link)) == ["create_intent"]
    answered(payment_of(link), succeeded(PRICE, "pm_1"))
    assert "Paid" in client.page(at(link)).text


def test_the_same_form_sent_twice_has_one_effect(client: CheckedClient, shop: str) -> None:
    link = a_checkout(shop, PRICE)
    form = client.page(at(link)).form("/pay")
    fields = {**form.fields, "method": "card", "payment_method": "pm_1"}
    first = client.post(form.action, data=fields)
    before = counts()
    for _ in range(3):
        again = client.post(form.action, data=fields)
        assert (again.status_code, again.location) == (303, first.location)
    assert counts() == before
    changed = client.post(form.action, data={**fields, "payment_method": "pm_2"})
    assert changed.status_code == 303, "the payment is under way: its page says so"
    assert counts() == before


def test_two_tabs_of_one_order_begin_one_payment(client: CheckedClient, shop: str) -> None:
    link = a_checkout(shop, PRICE)
    tabs = [client.page(at(link)).form("/pay") for _ in range(2)]
    for number, form in enumerate(tabs):
        fields = {**form.fields, "method": "card", "payment_method": f"pm_{number}"}
        assert client.post(form.action, data=fields).status_code == 303
    assert attempts(payment_of(link)) == ["processing"]
    assert scalar("SELECT count(*) FROM payment WHERE order_id = :i", i=link.ref.order_id) == 1


@pytest.mark.requirement("S0-02", "S4-32e")
def test_a_wallet_pays_on_the_press(app: Flask, shop: str) -> None:
    person = a_person()
    money_in_wallet(person, inr(1_500_00))
    browser, link = browser_of(app, person), a_checkout(shop, PRICE)
    page = browser.page(at(link))
    assert "You have ₹1,500.00; ₹500.00 will be left" in page.text
    response = press_pay(browser, link, method="wallet")
    assert response.status_code == 303
    assert "Paid" in browser.page(at(link)).text
    payment_is_whole(payment_of(link))


@pytest.mark.requirement("S3-06")
def test_a_wallet_with_too_little_says_so_and_pays_nothing(app: Flask, shop: str) -> None:
    person = a_person()
    money_in_wallet(person, inr(999_99))
    browser, link = browser_of(app, person), a_checkout(shop, PRICE)
    assert "which is not enough" in browser.page(at(link)).text
    before = counts()
    response = press_pay(browser, link, method="wallet")
    assert response.status_code == 402
    assert "No money has moved" in text_of(response)
    assert counts() == before


def test_a_guest_is_asked_to_sign_in_for_a_wallet(client: CheckedClient, shop: str) -> None:
    link = a_checkout(shop, PRICE)
    before = counts()
    response = press_pay(client, link, method="wallet")
    assert response.status_code == 403
    assert "Sign in to pay from your wallet" in text_of(response)
    assert counts() == before


@pytest.mark.requirement("S2-84")
@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"method": ""}, 400, "Choose how you want to pay"),
        ({"method": "cash"}, 400, "Choose how you want to pay"),
        ({"method": "card\x00"}, 400, "cannot be stored"),
        ({"method": "card", "payment_method": "card_1"}, 402, "card details did not arrive"),
        ({"method": "card", "payment_method": "pm_"}, 402, "card details did not arrive"),
        ({"method": "card", "payment_method": "4242424242424242"}, 402, "did not arrive"),
        ({"method": "card", "payment_method": "pm_" + "a" * 500}, 402, "did not arrive"),
        ({"method": "card", "payment_method": "pm_' OR 1=1"}, 402, "did not arrive"),
        ({"method": "card", "payment_method": "pm_1", "email": "nobody"}, 400, "e-mail address"),
        ({"method": "card", "payment_method": "pm_1", "email": "a@b@c.d"}, 400, "e-mail address"),
        ({"method": "card", "payment_method": "pm_1", "email": "a\nb@c.in"}, 400, "e-mail"),
        ({"method": "card", "payment_method": "pm_1", "form_key": ""}, 400, "out of date"),
        ({"method": "card", "payment_method": "pm_1", "form_key": "x"}, 400, "out of date"),
        ({"method": "card", "payment_method": "pm_1", "form_key": "form_é"}, 400, "key"),
    ],
)
def test_a_wrong_field_is_answered_in_words_and_changes_nothing(
    client: CheckedClient, shop: str, fields: dict[str, str], status: int, says: str
) -> None:
    link = a_checkout(shop, PRICE)
    before = counts()
    response = press_pay(client, link, **fields)
    assert response.status_code == status, text_of(response)
    assert says.lower() in text_of(response).lower()
    assert counts() == before


def test_what_the_browser_says_of_amount_and_order_is_not_read(
    client: CheckedClient, shop: str
) -> None:
    link, other = a_checkout(shop, PRICE), a_checkout(shop, inr(1_00))
    extra = {"amount": "1", "currency": "JPY", "order_id": other.ref.order_id, "user_id": "usr_x"}
    press_pay(client, link, method="card", payment_method="pm_1", **extra)
    payment = now_at(payment_of(link))
    assert payment.amount == PRICE
    assert payment.user_id is None
    assert scalar("SELECT count(*) FROM payment WHERE order_id = :i", i=other.ref.order_id) == 0


@pytest.mark.requirement("S4-20")
def test_an_expired_link_says_so_takes_no_payment_and_gives_a_fresh_one(
    client: CheckedClient, shop: str
) -> None:
    link = a_checkout(shop, PRICE)
    form = client.page(at(link)).form("/pay")
    end_links(link)
    before = counts()
    fields = {**form.fields, "method": "card", "payment_method": "pm_1"}
    response = client.post(form.action, data=fields)
    assert response.status_code == 409
    assert "This payment link has expired" in text_of(response)
    assert counts() == before
    response = client.send(at(link), "/fresh")
    assert response.status_code == 303
    assert response.location != at(link)
    assert "How do you want to pay?" in client.page(response.location).text
    assert "expired" in client.page(at(link)).text


@pytest.mark.parametrize("state", ["paid", "cancelled", "suspended"])
def test_what_cannot_be_paid_is_explained_and_stays_as_it_is(
    client: CheckedClient, shop: str, state: str
) -> None:
    link = a_checkout(shop, PRICE)
    form = client.page(at(link)).form("/pay")
    close(shop, link, state)
    before = counts()
    fields = {**form.fields, "method": "card", "payment_method": "pm_1"}
    response = client.post(form.action, data=fields)
    if state == "suspended":
        assert response.status_code == 402
        assert "takes no payments at present" in text_of(response)
    else:
        assert (response.status_code, response.location) == (303, at(link))
    assert counts() == before


def close(shop: str, link: Link, state: str) -> None:
    """Make a link's order unpayable."""
    if state == "paid":
        answered(card_tried(link), succeeded(PRICE))
    elif state == "cancelled":
        with db.scoped(link.scope()):
            payments.cancel_order(link.ref.order_id, by=Actor("user", "usr_x"))
    else:
        by = Actor("admin", an_admin().id)
        with db.scoped(db.ADMIN):
            accounts.suspend_merchant(shop, because="Under review.", by=by)


def test_a_declined_card_is_explained_and_another_can_be_tried(
    client: CheckedClient, shop: str
) -> None:
    link = a_checkout(shop, PRICE)
    press_pay(client, link, method="card", payment_method="pm_1")
    answered(payment_of(link), declined("pm_1"))
    calls_answered(payment_of(link))
    page = client.page(at(link))
    assert "The card does not have enough money available." in page.text
    assert "No money has left your account." in page.text
    assert press_pay(client, link, method="card", payment_method="pm_2").status_code == 303
    assert attempts(payment_of(link)) == ["declined", "processing"]


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent"])
def test_a_suspected_card_is_a_plain_decline_to_the_shopper(
    client: CheckedClient, shop: str, code: str
) -> None:
    link = a_checkout(shop, PRICE)
    answered(card_tried(link, "pm_1"), declined("pm_1", code))
    said = client.page(at(link)).text.lower()
    assert "declined" in said
    for word in ("lost", "stolen", "fraud"):
        assert word not in said


def test_a_challenge_leads_to_the_bank_and_can_be_given_up(
    client: CheckedClient, shop: str
) -> None:
    link = a_checkout(shop, PRICE)
    press_pay(client, link, method="card", payment_method="pm_1")
    payment_id = payment_of(link)
    answered(payment_id, Outcome(Result.CREATED, intent_id="pi_1"), needs_action("pm_1"))
    onwards = client.get(at(link))
    assert (onwards.status_code, onwards.location) == (303, "http://127.0.0.1:8002/challenge/1")
    page = client.page(at(link))
    assert any("/challenge/1" in target for target in page.links), "coming back stays here"
    calls_answered(payment_id)
    response = client.send(at(link), "/cancel")
    assert (response.status_code, response.location) == (303, at(link))
    assert operations(payment_id)[-1] == "cancel"
