"""What contradicts a payment, or would be dropped beside it, is refused by its name."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.desk import Shop, a_shop, a_user
from tests.api.test_payments import PRICE, refused
from tests.builders import a_checkout, a_method, a_person, inr, money_in_wallet
from tests.stories import scalar


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 1),
        ("currency", "USD"),
        ("capture", "manual"),
        ("customer", "cus_another"),
        ("description", "Something else"),
    ],
)
def test_what_contradicts_an_order_is_refused(shop: Shop, field: str, value: object) -> None:
    program = shop.program()
    said = {**PRICE, "description": "Two cups", "customer_email": "asha@people.example"}
    order = program.post("/orders", said).get_json()
    sent = {"order": order["id"], field: value, "payment_method": a_method()}
    if field == "amount":
        sent["currency"] = "INR"
    answer = program.post("/payments", sent)
    assert refused(answer) == (400, "parameter_invalid", field)
    assert scalar("SELECT count(*) FROM payment WHERE order_id = :id", id=order["id"]) == 0
    agreed = {**PRICE, "order": order["id"], "description": "Two cups"}
    agreed |= {"customer": order["customer"], "capture": "automatic"}
    assert program.post("/payments", agreed).status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "asha"),
        ("merchant_id", "our-shop"),
        ("callback_url", "https://shop.example/back"),
        ("payment_details", {"vpa": "asha@upi"}),
    ],
)
def test_what_goes_with_paise_alone_is_refused_without_them(
    shop: Shop, field: str, value: object
) -> None:
    answer = shop.program().post("/payments", {**PRICE, field: value})
    assert refused(answer) == (400, "parameter_invalid", field)


def test_a_customer_has_one_address(shop: Shop) -> None:
    program = shop.program()
    made = program.post("/customers", {"email": "asha@people.example"}).get_json()
    sent = {**PRICE, "customer": made["id"]}
    answer = program.post("/payments", {**sent, "customer_email": "ravi@people.example"})
    assert refused(answer) == (400, "parameter_invalid", "customer_email")
    same = program.post("/payments", {**sent, "customer_email": "Asha@people.example"})
    assert same.status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 1),
        ("currency", "USD"),
        ("order", "ord_other"),
        ("capture", "manual"),
        ("customer", "cus_other"),
        ("customer_email", "ravi@people.example"),
        ("description", "Something else"),
        ("metadata", {"a": "b"}),
        ("amount_paisa", 100),
        ("user_id", "ravi"),
        ("confirm", False),
        ("payment_method", "UPI"),
    ],
)
def test_a_person_who_pays_says_nothing_that_is_not_heard(
    app: Flask, shop: Shop, field: str, value: object
) -> None:
    shopper = a_person()
    money_in_wallet(shopper, inr(700))
    link = a_checkout(shop.merchant_id, inr(700))
    me = a_user(app, shopper)
    sent = {"checkout": link.token, "payment_method": "wallet"}
    answer = me.post("/payments", sent | {field: value})
    assert refused(answer) == (400, "parameter_invalid", field)
    paid = me.post("/payments", {**sent, "confirm": True, "metadata": {}})
    assert paid.get_json()["status"] == "SUCCESS", paid.text
