"""Orders through the API: made once, read, listed, changed, cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.api.desk import Program, a_shop
from tests.builders import a_link, answered, card_tried, inr, succeeded
from webapp import orders
from webapp.kernel import clock, db

PRICE = {"amount": 50_000, "currency": "inr"}


def made(program: Program, **more: object) -> dict[str, Any]:
    answer = program.post("/orders", {**PRICE, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def paid(merchant_id: str, order_id: str) -> None:
    with db.scoped(db.Scope(merchant_id=merchant_id, livemode=False)):
        link = a_link(orders.order_of(merchant_id, order_id))
    answered(card_tried(link), succeeded(inr(500_00)))


def ids(program: Program, **query: object) -> list[str]:
    answer = program.get("/orders", **query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.get_json()["data"]]


def test_an_order_is_made_and_told_as_an_object(app: Flask) -> None:
    program = a_shop(app).program()
    order = made(program, description="Tea", metadata={"basket": "7"}, capture="manual")
    assert order["object"] == "order"
    assert (order["amount"], order["currency"]) == (50_000, "INR")
    assert (order["status"], order["livemode"], order["capture"]) == ("PENDING", False, "manual")
    assert order["metadata"] == {"basket": "7"}
    assert program.get(f"/orders/{order['id']}").get_json() == order


def test_an_order_names_its_customer_by_address_or_by_id(app: Flask) -> None:
    program = a_shop(app).program()
    first = made(program, customer_email="asha@people.example")
    second = made(program, customer=first["customer"])
    assert first["customer"] is not None
    assert second["customer"] == first["customer"]
    both = program.post("/orders", {**PRICE, "customer": "cus_1", "customer_email": "a@b.example"})
    assert both.get_json()["error"]["param"] == "customer"


@pytest.mark.parametrize(
    ("wrong", "param", "code"),
    [
        ({"amount": "50000"}, "amount", "parameter_invalid"),
        ({"amount": 0}, "amount", "parameter_invalid"),
        ({"amount": 1.5}, "amount", "parameter_invalid"),
        ({"amount": True}, "amount", "parameter_invalid"),
        ({"amount": None}, "amount", "parameter_invalid"),
        ({"currency": "XXX"}, "currency", "parameter_invalid"),
        ({"metadata": {"a": 1}}, "metadata.a", "parameter_invalid"),
        ({"metadata": {f"n{i}": "x" for i in range(51)}}, "metadata", "parameter_invalid"),
        ({"colour": "red"}, "colour", "parameter_unknown"),
        ({"description": "4242 4242 4242 4242"}, "description", "parameter_invalid"),
        ({"customer": "cus_nobody"}, "customer", "parameter_invalid"),
        ({"customer_email": "nope"}, "customer_email", "invalid"),
        ({"customer_email": "asha@people"}, "customer_email", "invalid"),
        (
            {"customer_email": "a@b.example\r\nBcc: c@d.example"},
            "customer_email",
            "invalid",
        ),
    ],
)
def test_what_is_wrong_is_named_and_never_repeated(
    app: Flask, wrong: dict[str, object], param: str, code: str
) -> None:
    answer = a_shop(app).program().post("/orders", {**PRICE, **wrong})
    error = answer.get_json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)
    assert "4242" not in answer.text
    assert "XXX" not in answer.text


def test_what_is_missing_is_named(app: Flask) -> None:
    answer = a_shop(app).program().post("/orders", {"amount": 5})
    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (
        400,
        "parameter_missing",
        "currency",
    )


def test_a_list_goes_on_by_ids_in_both_directions(app: Flask) -> None:
    program = a_shop(app).program()
    made_ids = [made(program)["id"] for _ in range(5)]
    newest_first = made_ids[::-1]
    assert ids(program) == newest_first
    assert ids(program, limit=2) == newest_first[:2]
    assert ids(program, limit=2, starting_after=newest_first[1]) == newest_first[2:4]
    assert ids(program, limit=2, ending_before=newest_first[3]) == newest_first[1:3]
    ends = [
        program.get("/orders", limit=2, **where).get_json()["has_more"]
        for where in (
            {},
            {"starting_after": newest_first[1]},
            {"starting_after": newest_first[2]},
            {"ending_before": newest_first[3]},
            {"ending_before": newest_first[2]},
        )
    ]
    assert ends == [True, True, False, True, False]


def test_a_list_is_filtered_by_status_customer_currency_and_time(app: Flask) -> None:
    shop = a_shop(app)
    program = shop.program()
    with clock.standing_at(clock.now()):
        first = made(program, customer_email="asha@people.example")
    dollars = made(program, currency="USD")
    program.post(f"/orders/{dollars['id']}/cancel")
    assert ids(program, status="PENDING") == [first["id"]]
    assert ids(program, status="CANCELLED") == [dollars["id"]]
    assert ids(program, currency="usd") == [dollars["id"]]
    assert ids(program, customer=first["customer"]) == [first["id"]]
    assert ids(program, **{"created[lte]": first["created"] - 1}) == []
    assert len(ids(program, **{"created[gte]": first["created"]})) == 2


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "1e1"}, "limit"),
        ({"limit": "١"}, "limit"),
        ({"starting_after": "ord_nothing"}, "starting_after"),
        ({"colour": "red"}, "colour"),
        ({"status": "paid"}, "status"),
        ({"created[gte]": "yesterday"}, "created[gte]"),
        ({"limit": ["1", "2"]}, "limit"),
    ],
)
def test_a_list_refuses_what_it_does_not_know(
    app: Flask, query: dict[str, Any], param: str
) -> None:
    answer = a_shop(app).program().get("/orders", **query)
    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, param)


def test_the_place_in_a_list_is_never_anothers_object(app: Flask) -> None:
    theirs = made(a_shop(app).program())["id"]
    mine = a_shop(app).program()
    told = [
        mine.get("/orders", starting_after=sent).get_json()["error"]["message"]
        for sent in (theirs, "ord_nothing")
    ]
    assert told[0] == told[1]


def test_metadata_and_description_change_and_nothing_else(app: Flask) -> None:
    program = a_shop(app).program()
    order = made(program, description="Tea", metadata={"basket": "7"})
    changed = program.patch(f"/orders/{order['id']}", {"metadata": {"gift": "yes"}}).get_json()
    assert (changed["metadata"], changed["description"]) == ({"gift": "yes"}, "Tea")
    program.patch(f"/orders/{order['id']}", {"description": "Green tea"})
    assert program.get(f"/orders/{order['id']}").get_json()["description"] == "Green tea"
    refused = program.patch(f"/orders/{order['id']}", {"amount": 1})
    assert refused.get_json()["error"]["code"] == "parameter_unknown"


def test_an_order_is_cancelled_once_and_a_paid_one_never(app: Flask) -> None:
    shop = a_shop(app)
    program = shop.program()
    order = made(program)
    for _ in range(2):
        answer = program.post(f"/orders/{order['id']}/cancel")
        assert (answer.status_code, answer.get_json()["status"]) == (200, "CANCELLED")
    other = made(program)
    paid(shop.merchant_id, other["id"])
    answer = program.post(f"/orders/{other['id']}/cancel")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "order_not_payable")


def test_an_order_tells_its_customer_in_its_place(app: Flask) -> None:
    program = a_shop(app).program()
    order = made(program, customer_email="asha@people.example")
    whole = program.get(f"/orders/{order['id']}", **{"expand[]": "customer"}).get_json()
    assert whole["customer"]["email"] == "asha@people.example"
    many = program.get("/orders", **{"expand[]": "data.customer"}).get_json()
    assert many["data"] == [whole]


def test_the_second_of_an_order_is_within_both_bounds(app: Flask) -> None:
    program = a_shop(app).program()
    order = made(program)
    second = order["created"]
    assert ids(program, **{"created[gte]": second, "created[lte]": second}) == [order["id"]]
    assert ids(program, **{"created[lte]": second - 1}) == []
