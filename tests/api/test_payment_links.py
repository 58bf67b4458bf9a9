"""Payment links through the API: made, read with their address, listed, noted on, ended."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.api.desk import Program, a_shop
from tests.builders import answered, card_tried, inr, opened_by, succeeded
from webapp import orders
from webapp.kernel import db

PRICE = {"amount": 50_000, "currency": "inr", "description": "A seat at the tasting"}


def made(program: Program, **more: object) -> dict[str, Any]:
    answer = program.post("/payment-links", {**PRICE, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def ids(program: Program, **query: object) -> list[str]:
    answer = program.get("/payment-links", **query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.get_json()["data"]]


def test_a_link_is_made_and_told_with_its_address_each_time(app: Flask) -> None:
    program = a_shop(app).program()
    link = made(program, max_payments=2, ends_at=4_000_000_000, metadata={"event": "spring"})
    assert (link["object"], link["status"], link["currency"]) == ("payment_link", "ACTIVE", "INR")
    assert (link["payments"], link["max_payments"], link["ends_at"]) == (0, 2, 4_000_000_000)
    assert link["url"].startswith("http://localhost:8000/pay/")
    assert program.get(f"/payment-links/{link['id']}").get_json() == link
    assert program.get("/payment-links").get_json()["data"] == [link]


def test_its_orders_name_it_and_its_payments_are_counted(app: Flask) -> None:
    shop = a_shop(app)
    program = shop.program()
    link = made(program, max_payments=1)
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        row = orders.payment_link_of(shop.merchant_id, link["id"])
    answered(card_tried(opened_by(row)), succeeded(inr(500_00)))
    now = program.get(f"/payment-links/{link['id']}").get_json()
    assert (now["payments"], now["status"]) == (1, "ENDED")
    [order] = program.get("/orders", payment_link=link["id"]).get_json()["data"]
    assert (order["payment_link"], order["status"]) == (link["id"], "COMPLETED")
    whole = program.get(f"/orders/{order['id']}", **{"expand[]": "payment_link"}).get_json()
    assert whole["payment_link"] == now


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"description": ""}, "description"),
        ({"description": "4242 4242 4242 4242"}, "description"),
        ({"max_payments": 0}, "max_payments"),
        ({"max_payments": 10_001}, "max_payments"),
        ({"ends_at": 1_000_000_000}, "ends_at"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(app: Flask, wrong: dict[str, object], param: str) -> None:
    answer = a_shop(app).program().post("/payment-links", {**PRICE, **wrong})
    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, param)


def test_links_are_listed_newest_first_and_by_status(app: Flask) -> None:
    program = a_shop(app).program()
    first, second = made(program)["id"], made(program)["id"]
    program.patch(f"/payment-links/{first}", {"active": False})
    assert ids(program) == [second, first]
    assert ids(program, status="ACTIVE") == [second]
    assert ids(program, status="ENDED") == [first]
    assert ids(program, limit=1, starting_after=second) == [first]


def test_a_link_is_noted_on_and_ended_for_good(app: Flask) -> None:
    program = a_shop(app).program()
    link = f"/payment-links/{made(program)['id']}"
    noted = program.patch(link, {"metadata": {"room": "2"}, "active": True}).get_json()
    assert (noted["metadata"], noted["status"]) == ({"room": "2"}, "ACTIVE")
    for _ in range(2):
        ended = program.patch(link, {"active": False}).get_json()
        assert (ended["metadata"], ended["status"]) == ({"room": "2"}, "ENDED")
    again = program.patch(link, {"active": True})
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "payment_link_ended")
    assert program.patch(link, {"amount": 1}).get_json()["error"]["code"] == "parameter_unknown"
    assert program.patch(link, {}).status_code == 400
