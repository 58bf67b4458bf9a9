"""Checkout sessions through the API: opened, read without their address, ended."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.api.desk import Program, Shop, a_shop
from tests.builders import Link as CheckoutLink
from tests.builders import a_payment, card_tried, inr
from webapp import orders
from webapp.kernel import db
from webapp.payments import Status

PRICE = {"amount": 50_000, "currency": "INR"}


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def opened(program: Program, order_id: str | None = None) -> dict[str, Any]:
    order = order_id or program.post("/orders", PRICE).get_json()["id"]
    answer = program.post("/checkout-sessions", {"order": order})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def path_of(session: dict[str, Any]) -> str:
    return str(session["url"]).removeprefix("http://localhost:8000")


def test_a_session_opens_a_page_and_tells_its_address_once(app: Flask, shop: Shop) -> None:
    program = shop.program()
    session = opened(program)
    assert (session["object"], session["status"]) == ("checkout_session", "OPEN")
    assert session["expires_at"] - session["created"] == 15 * 60
    assert app.test_client().get(path_of(session)).status_code == 200
    seen = program.get(f"/checkout-sessions/{session['id']}").get_json()
    assert seen == {name: value for name, value in session.items() if name != "url"}


def test_a_fresh_session_ends_the_one_before(shop: Shop) -> None:
    program = shop.program()
    first = opened(program)
    second = opened(program, first["order"])
    rows = program.get("/checkout-sessions", order=first["order"]).get_json()["data"]
    assert [(row["id"], row["status"]) for row in rows] == [
        (second["id"], "OPEN"),
        (first["id"], "EXPIRED"),
    ]
    only = program.get("/checkout-sessions", status="EXPIRED", order=first["order"]).get_json()
    assert [row["id"] for row in only["data"]] == [first["id"]]


def test_a_session_is_ended_before_its_time_and_the_order_stays(app: Flask, shop: Shop) -> None:
    program = shop.program()
    session = opened(program)
    for _twice in range(2):
        ended = program.post(f"/checkout-sessions/{session['id']}/expire")
        assert (ended.status_code, ended.get_json()["status"]) == (200, "EXPIRED")
    assert "expired" in app.test_client().get(path_of(session)).text
    assert program.get(f"/orders/{session['order']}").get_json()["status"] == "PENDING"


def test_no_session_opens_or_ends_while_a_payment_is_under_way(shop: Shop) -> None:
    program = shop.program()
    session = opened(program)
    with db.scoped(db.NOBODY):
        ref = orders.checkout_for(session["url"].rsplit("/", 1)[1])
    card_tried(CheckoutLink("", ref))
    ended = program.post(f"/checkout-sessions/{session['id']}/expire")
    fresh = program.post("/checkout-sessions", {"order": session["order"]})
    for answer in (ended, fresh):
        assert answer.status_code == 409
        assert answer.get_json()["error"]["code"] == "payment_under_way"


def test_an_order_that_is_paid_or_unknown_gets_no_session(shop: Shop) -> None:
    program = shop.program()
    paid = a_payment(Status.CAPTURED, shop.merchant_id, inr(10_00))
    order = program.get(f"/payments/{paid}").get_json()["order"]
    refused = program.post("/checkout-sessions", {"order": order})
    assert refused.get_json()["error"]["code"] == "order_not_payable"
    unknown = program.post("/checkout-sessions", {"order": "ord_none"})
    assert unknown.get_json()["error"]["param"] == "order"


def test_a_publishable_key_reads_a_session_and_opens_none(shop: Shop) -> None:
    session = opened(shop.program())
    page = shop.program(kind="publishable")
    assert page.get(f"/checkout-sessions/{session['id']}").status_code == 200
    expanding = page.get(f"/checkout-sessions/{session['id']}", **{"expand[]": "order"})
    assert expanding.get_json()["error"]["code"] == "scope_missing"
    assert page.post("/checkout-sessions", {"order": session["order"]}).status_code == 403


def test_a_publishable_key_lists_no_sessions_from_any_page(shop: Shop) -> None:
    opened(shop.program())
    page = shop.program(kind="publishable")
    listing = page.ask("GET", "/checkout-sessions", headers={"Origin": "https://shop.example"})
    assert (listing.status_code, listing.get_json()["error"]["code"]) == (403, "scope_missing")
    assert "Access-Control-Allow-Origin" not in listing.headers
    narrow = shop.program(scopes=["checkout_sessions:read"])
    assert len(narrow.get("/checkout-sessions").get_json()["data"]) == 1
