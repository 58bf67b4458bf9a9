"""Paying through the checkout's own pages, without JavaScript: what each press does and says."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.builders import (
    Link,
    Someone,
    a_checkout,
    a_link,
    a_merchant,
    a_person,
    a_top_up,
    an_admin,
    an_order,
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
from tests.checked_client import CheckedClient, Page
from tests.stories import attempts, operations, payment_is_whole, scalar
from webapp import accounts, orders, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.payments import Status

PRICE = inr(1_000_00)
WRITTEN = ("payment", "attempt", "provider_operation", "transfer", "move", "fact", "customer",
           "idempotency_key", "checkout_session")  # fmt: skip


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


def counts() -> dict[str, int]:
    """Return how many rows there are of everything that paying can write."""
    return {table: scalar(f"SELECT count(*) FROM {table}") for table in WRITTEN}


def at(link: Link, what: str = "") -> str:
    """Return an address of a link's checkout."""
    return f"/checkout/{link.token}{f'/{what}' if what else ''}"


def press_pay(client: CheckedClient, link: Link, **fields: str) -> TestResponse:
    """Open the checkout and press Pay with those fields."""
    return client.send(at(link), "/pay", **fields)


def payment_of(link: Link) -> str:
    """Return the id of the newest payment of a link's order."""
    found = scalar("SELECT max(id) FROM payment WHERE order_id = :id", id=link.ref.order_id)
    return str(found)


def text_of(response: TestResponse) -> str:
    """Return what a page says."""
    return Page(response.get_data(as_text=True)).text


def set_together(page: Page) -> str:
    """Return what a page says without its spaces: typography sets the parts of amounts apart."""
    return page.text.replace(" ", "")


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


@pytest.mark.parametrize(
    "query",
    ["payment_intent=pi_other", "session_id=cs_other", "payment_intent=pi_1&session_id=cs_other",
     "payment_intent=' OR 1=1 --"],
)  # fmt: skip
def test_a_return_address_that_was_changed_is_refused(
    client: CheckedClient, shop: str, query: str
) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = card_tried(link, "pm_1")
    answered(payment_id, Outcome(Result.CREATED, intent_id="pi_1"), needs_action("pm_1"))
    before = counts()
    response = client.get(f"{at(link, 'return')}?{query}&redirect_status=succeeded")
    assert response.status_code == 400
    assert "This return address belongs to another payment" in text_of(response)
    assert counts() == before
    assert now_at(payment_id).status == Status.REQUIRES_ACTION


def test_what_a_return_address_says_is_not_believed_but_asked(
    client: CheckedClient, shop: str
) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = card_tried(link, "pm_1")
    answered(payment_id, Outcome(Result.CREATED, intent_id="pi_1"), needs_action("pm_1"))
    back = f"{at(link, 'return')}?payment_intent=pi_1&redirect_status=succeeded"
    for _ in range(3):
        response = client.get(back)
        assert response.status_code == 303
    assert now_at(payment_id).status == Status.REQUIRES_ACTION
    assert operations(payment_id).count("look_up") == 1


def test_a_return_before_anything_was_begun_is_refused(client: CheckedClient, shop: str) -> None:
    assert client.get(at(a_checkout(shop), "return")).status_code == 400


@pytest.mark.parametrize("what", ["", "status", "return", "pay", "check", "cancel", "fresh"])
@pytest.mark.parametrize("token", ["x" * 43, "..%2f..%2fadmin", "a" * 5000, "ord_1"])
def test_a_token_that_is_not_ours_opens_nothing(
    client: CheckedClient, shop: str, what: str, token: str
) -> None:
    ours = a_checkout(shop)
    path = f"/checkout/{token}{f'/{what}' if what else ''}"
    if what in {"", "status", "return"}:
        response = client.get(path)
    else:
        fields = client.page(at(ours)).form("/pay").fields
        response = client.post(path, data={**fields, "method": "card", "payment_method": "pm_1"})
    assert response.status_code == 404
    said = text_of(response)
    assert "not one of ours" in said or "There is nothing here" in said


def test_the_live_part_is_a_fragment_or_json_with_the_same_stage(
    client: CheckedClient, shop: str
) -> None:
    link = a_checkout(shop, PRICE)
    as_json = {"Accept": "application/json"}
    first = client.get(at(link, "status"), headers=as_json).get_json()
    assert first["stage"] == "pay"
    payment_id = card_tried(link, "pm_1")
    second = client.get(at(link, "status"), headers=as_json).get_json()
    assert (second["stage"], second["reference"]) == ("confirming", payment_id)
    assert second["version"] > first["version"]
    fragment = client.get(at(link, "status"), headers={"X-Fragment": "1"}).get_data(as_text=True)
    assert 'data-stage="confirming"' in fragment
    assert "<html" not in fragment


def test_a_receipt_opens_by_its_signed_address_alone(client: CheckedClient, shop: str) -> None:
    link = a_checkout(shop, PRICE)
    answered(card_tried(link), succeeded(PRICE))
    page = client.page(at(link))
    receipt = next(target for target in page.links if target.startswith("/receipt/"))
    said = client.page(receipt).text
    assert "₹1,000" in said
    assert "Visa •••• 4242" in said
    body, _, proof = receipt.removeprefix("/receipt/").rpartition(".")
    for forged in (f"{body}.{'0' * len(proof)}", body, f".{proof}", f"{body}x.{proof}"):
        assert client.get(f"/receipt/{forged}").status_code == 404


def test_a_receipt_of_what_was_not_paid_is_not_there(client: CheckedClient, shop: str) -> None:
    payment_id = card_tried(a_checkout(shop))
    response = client.get(f"/receipt/{now_at(payment_id).receipt_key}")
    assert response.status_code == 404


def test_a_top_up_is_paid_by_card_and_offers_no_wallet(app: Flask) -> None:
    person: Someone = a_person()
    browser, link = browser_of(app, person), a_top_up(person, inr(500_00))
    page = browser.page(at(link))
    assert "Top up your wallet" in page.text
    response = press_pay(browser, link, method="wallet")
    assert response.status_code == 402
    assert "Use a card" in text_of(response)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(Money(5_000, "JPY"), "¥5,000"), (Money(1_250, "KWD"), "KWD 1.250"),
     (Money(1_00, "USD"), "$1.00"), (Money(12_34_567_89, "INR"), "₹12,34,567.89")],
)  # fmt: skip
def test_every_currency_is_shown_as_its_country_writes_it(
    client: CheckedClient, shop: str, amount: Money, shown: str
) -> None:
    page = client.page(at(a_checkout(shop, amount)))
    assert shown.replace(" ", "") in set_together(page)


def test_what_a_merchant_wrote_is_text_and_never_markup(client: CheckedClient, shop: str) -> None:
    words = "<script>alert(1)</script>"
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        asked = orders.NewOrder(shop, livemode=False, amount=PRICE, description=words)
        order = orders.create(asked)
    html = client.get(at(a_link(order))).get_data(as_text=True)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_way_back_of_a_signed_in_shopper_keeps_their_name_on_it(app: Flask, shop: str) -> None:
    person = a_person()
    link = a_link(an_order(shop))
    press_pay(browser_of(app, person), link, method="card", payment_method="pm_1")
    assert now_at(payment_of(link)).user_id == person.id
    assert now_at(payment_of(link)).shopper == {"email": person.email}
