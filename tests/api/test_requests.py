"""The log of requests by the API: listed, followed, read; an event sent to any own endpoint."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.desk import Shop, a_shop, a_user
from tests.api.test_who_may import member
from tests.api.things import MAKERS
from tests.builders import PASSWORD
from tests.stories import scalar
from webapp.api.caller import MERCHANT_HEADER
from webapp.api.routing import OPERATIONS
from webapp.kernel import ids

PRICE = {"amount": 50_000, "currency": "INR"}


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A merchant."""
    return a_shop(app)


def test_what_was_asked_is_listed_newest_first_and_told_with_its_bodies(shop: Shop) -> None:
    program = shop.program()
    sent = program.post("/orders", {**PRICE, "customer_email": "asha@people.example"})
    program.get("/orders/ord_nothing")
    listed = program.get("/requests").get_json()["data"]
    assert [(one["method"], one["status"]) for one in listed] == [("GET", 404), ("POST", 201)]
    assert listed[0]["error_code"] == "order_not_found"
    assert listed[1]["id"] == sent.headers["Request-Id"]
    assert listed[1]["about"] == sent.get_json()["id"]
    told = program.get(f"/requests/{listed[1]['id']}").get_json()
    assert '"amount":50000' in told["request_body"]
    assert "asha@people.example" not in told["request_body"]


def test_who_misspells_an_address_or_a_method_finds_it_in_the_log(app: Flask, shop: Shop) -> None:
    program = shop.program()
    asked = [
        program.get("/ordres", limit=3),
        program.ask("PUT", "/orders", json=PRICE),
        program.ask("GET", "/payments/initiate", root=True),
        a_user(app, shop.owner, **{MERCHANT_HEADER: shop.merchant_id}).get("/Customer"),
        a_user(app, shop.owner).get("/customres"),
    ]
    a_user(app, a_shop(app).owner, **{MERCHANT_HEADER: shop.merchant_id}).get("/not-theirs")
    listed = program.get("/requests").get_json()["data"]
    told = [(one["method"], one["path"], one["status"], one["error_code"]) for one in listed]
    assert told == [
        ("GET", "/api/v1/Customer", 404, "address_unknown"),
        ("GET", "/payments/initiate", 405, "method_not_allowed"),
        ("PUT", "/api/v1/orders", 405, "method_not_allowed"),
        ("GET", "/api/v1/ordres", 404, "address_unknown"),
    ]
    assert [one["id"] for one in listed[::-1]] == [one.headers["Request-Id"] for one in asked[:4]]
    assert (listed[3]["query"], listed[3]["api_key"]) == ("limit=3", listed[2]["api_key"])
    assert (listed[0]["user"], listed[0]["api_key"]) == (shop.owner.id, None)
    alone = "SELECT user_id FROM api_request WHERE path = '/api/v1/customres'"
    assert scalar(alone) == shop.owner.id


def test_what_may_open_something_in_an_address_that_is_none_is_not_kept(shop: Shop) -> None:
    program = shop.program()
    secret, order = ids.secret_token(), ids.new("order")
    program.get(f"/orders/{order}/refund-all/{secret}")
    program.get(f"/pay/{secret}", token=secret, note="4242 4242 4242 4242")
    program.post(f"/auht/tokens/{secret}", {"email": "a@b.example", "password": PASSWORD})
    listed = program.get("/requests").get_json()["data"]
    assert [one["path"] for one in listed] == [
        "/api/v1/auht/tokens/[hidden]",
        "/api/v1/pay/[hidden]",
        f"/api/v1/orders/{order}/refund-all/[hidden]",
    ]
    told = [program.get(f"/requests/{one['id']}").text for one in listed]
    assert all(secret not in one and PASSWORD not in one and "4242" not in one for one in told)


def test_the_log_is_followed_by_the_id_of_the_last_one_seen(shop: Shop) -> None:
    program = shop.program()
    first = program.get("/orders").headers["Request-Id"]
    rest = [program.get("/orders").headers["Request-Id"] for _ in range(3)]
    asked = {"ending_before": first, "path": "/api/v1/orders", "limit": 2}
    page = program.ask("GET", "/requests", query_string=asked).get_json()
    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([rest[1], rest[0]], True)
    asked["ending_before"] = rest[1]
    page = program.ask("GET", "/requests", query_string=asked).get_json()
    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([rest[2]], False)


def test_the_log_is_found_by_what_was_asked(shop: Shop) -> None:
    program = shop.program()
    order = program.post("/orders", PRICE, **{"Idempotency-Key": "one"}).get_json()["id"]
    program.get("/customers")

    def found(**asked: object) -> list[str]:
        rows = program.ask("GET", "/requests", query_string=asked).get_json()["data"]
        return [row["path"] for row in rows if row["path"] != "/api/v1/requests"]

    assert found(method="POST") == ["/api/v1/orders"]
    assert found(status=200) == ["/api/v1/customers"]
    assert found(about=order) == ["/api/v1/orders"]
    assert found(idempotency_key="one") == ["/api/v1/orders"]
    assert found(path="/api/v1/cust") == ["/api/v1/customers"]


def test_who_only_looks_at_figures_does_not_see_the_log(app: Flask, shop: Shop) -> None:
    named = {MERCHANT_HEADER: shop.merchant_id}
    analyst = a_user(app, member(shop, "analyst"), **named).get("/requests")
    developer = a_user(app, member(shop, "developer"), **named).get("/requests")
    assert (analyst.status_code, analyst.get_json()["error"]["code"]) == (403, "role_missing")
    assert developer.status_code == 200


def test_an_event_is_sent_to_an_endpoint_that_never_had_it(shop: Shop) -> None:
    program, event, other = shop.program(), MAKERS["event_id"](shop), MAKERS["endpoint_id"](shop)
    sent = program.post(f"/events/{event}/resend", {"to": other})
    assert sent.status_code == 201, sent.text
    assert (sent.get_json()["event"], sent.get_json()["endpoint"]) == (event, other)
    foreign = MAKERS["endpoint_id"](a_shop(shop.app))
    refused = program.post(f"/events/{event}/resend", {"to": foreign})
    assert (refused.status_code, refused.get_json()["error"]["param"]) == (400, "to")


def test_no_password_and_no_token_that_is_sent_stays_in_the_log(app: Flask, shop: Shop) -> None:
    me, kept = a_user(app, shop.owner), 0
    for operation in OPERATIONS.values():
        if operation.body is None or not operation.rule.startswith(("/auth/", "/users/me/p")):
            continue
        body = dict.fromkeys(operation.body.EXAMPLE, "Marigold-Marker-77-Lantern")
        me.ask(operation.method, operation.rule, json=body)
        kept += 1
    me.post("/users/me/password", {"current": "Mistyped-Marigold-Marker", "new": "x" * 20})
    me.post("/users/me/password", {"current": PASSWORD, "new": "New-Marigold-Marker-42"})
    marked = "SELECT count(*) FROM api_request WHERE request_body LIKE '%Marigold-Marker%'"
    assert kept > 3
    assert scalar("SELECT count(*) FROM api_request WHERE path LIKE '%/password'") >= 2
    assert scalar(marked) == 0
