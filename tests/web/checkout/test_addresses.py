"""Addresses of the checkout: returns, tokens, fragments and receipts, ours and made up."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import (
    Someone,
    a_checkout,
    a_link,
    a_merchant,
    a_person,
    a_top_up,
    an_order,
    answered,
    browser_of,
    card_tried,
    inr,
    needs_action,
    now_at,
    succeeded,
)
from tests.checked_client import CheckedClient
from tests.stories import operations
from tests.web.checkout.desk import (
    PRICE,
    at,
    counts,
    payment_of,
    press_pay,
    set_together,
    text_of,
)
from webapp import orders
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.payments import Status


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


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
