"""Expanding: what a payment names is told in its place, in bounds and by scope."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.desk import Shop, a_shop
from tests.api.test_payments import paid_for, read, refused
from webapp.api import expanding


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def test_what_a_payment_names_is_told_in_its_place(shop: Shop) -> None:
    program = shop.program()
    payment = paid_for(program, customer_email="asha@people.example")
    whole = read(
        program,
        payment["id"],
        **{"expand[]": ["order.customer", "customer", "checkout_session.order", "refunds"]},
    )
    assert whole["order"]["object"] == "order"
    assert whole["order"]["customer"]["email"] == "asha@people.example"
    assert whole["customer"]["id"] == payment["customer"]
    assert whole["checkout_session"]["order"]["id"] == payment["order"]
    assert whole["refunds"]["data"] == []
    many = program.get("/payments", **{"expand[]": "data.order"}).get_json()
    assert many["data"][0]["order"]["object"] == "order"


@pytest.mark.parametrize(
    "path", ["nothing", "order.nothing", "order.customer.a.b.c", "data.order", ""]
)
def test_what_cannot_be_expanded_is_refused(shop: Shop, path: str) -> None:
    program = shop.program()
    payment = paid_for(program)
    wrong = program.get(f"/payments/{payment['id']}", **{"expand[]": path})
    assert refused(wrong) == (400, "parameter_invalid", "expand[]")


def test_a_path_that_names_nothing_of_a_list_is_told_so(shop: Shop) -> None:
    wrong = shop.program().get("/payments", **{"expand[]": "data"})
    assert refused(wrong) == (400, "parameter_invalid", "expand[]")
    assert "Name what" in wrong.get_json()["error"]["message"]


def test_expanding_asks_for_the_scope_of_what_is_expanded(shop: Shop) -> None:
    payment = paid_for(shop.program(), customer_email="asha@people.example")
    narrow = shop.program(scopes=["payments:read"])
    wrong = narrow.get(f"/payments/{payment['id']}", **{"expand[]": "customer"})
    assert refused(wrong)[:2] == (403, "scope_missing")


def test_expanding_is_bounded_by_what_it_loads(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    program = shop.program()
    for _ in range(3):
        paid_for(program)
    monkeypatch.setattr(expanding, "MOST_LOADED", 2)
    answer = program.get("/payments", **{"expand[]": "data.order"})
    assert refused(answer) == (400, "parameter_invalid", "expand[]")
    few = program.get("/payments", limit=2, **{"expand[]": "data.order"}).get_json()
    assert [row["order"]["object"] for row in few["data"]] == ["order", "order"]
