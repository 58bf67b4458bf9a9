"""Refunds through the API: asked for, seen, decided by a second person, withdrawn."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.api.desk import Program, Shop, a_shop, a_user
from tests.api.test_who_may import member
from tests.builders import (
    a_checkout,
    a_payment,
    a_person,
    inr,
    money_in_wallet,
    wallet_tried,
)
from tests.stories import scalar
from webapp.payments import Status

LARGE = inr(60_000_00)


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


@pytest.fixture
def taken(shop: Shop) -> str:
    return a_payment(Status.CAPTURED, shop.merchant_id)


def asked(program: Program, payment_id: str, **more: object) -> dict[str, Any]:
    answer = program.post("/refunds", {"payment": payment_id, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def refused(answer: Any) -> tuple[int, str, str | None]:
    error = answer.get_json()["error"]
    return answer.status_code, error["code"], error["param"]


def test_part_of_a_payment_goes_back(shop: Shop, taken: str) -> None:
    program = shop.program()
    refund = asked(program, taken, amount=30_000, reason="duplicate", metadata={"ticket": "8"})
    assert (refund["status"], refund["state"], refund["amount"]) == ("PENDING", "approved", 30_000)
    assert (refund["reason"], refund["metadata"]) == ("duplicate", {"ticket": "8"})
    assert refund["leaves_at"] > refund["created"]
    assert program.get(f"/refunds/{refund['id']}").get_json() == refund
    assert program.get(f"/payments/{taken}").get_json()["amount_refundable"] == 70_000


def test_without_an_amount_all_that_is_left_goes_back_and_then_nothing(
    shop: Shop, taken: str
) -> None:
    program = shop.program()
    first = program.post(f"/payments/{taken}/refunds", {"amount": 40_000})
    assert first.status_code == 201
    assert asked(program, taken)["amount"] == 60_000
    assert refused(program.post("/refunds", {"payment": taken}))[:2] == (409, "refund_not_possible")
    rows = program.get(f"/payments/{taken}/refunds").get_json()["data"]
    assert [row["amount"] for row in rows] == [60_000, 40_000]


def test_the_refunds_of_a_payment_are_not_asked_for_by_another(shop: Shop, taken: str) -> None:
    program = shop.program()
    other = a_payment(Status.CAPTURED, shop.merchant_id)
    mine = asked(program, taken, amount=10_000, reason="duplicate")
    asked(program, other, amount=10_000)
    answer = program.get(f"/payments/{taken}/refunds", payment=other)
    assert refused(answer) == (400, "parameter_unknown", "payment")
    for query, found in (
        ({}, [mine]),
        ({"reason": "duplicate"}, [mine]),
        ({"status": "FAILED"}, []),
    ):
        told = program.get(f"/payments/{taken}/refunds", **query).get_json()
        assert told["data"] == found
        assert told["url"] == f"/api/v1/payments/{taken}/refunds"


@pytest.mark.parametrize(
    "sent",
    [
        {"target_order": "ord_nothing"},
        {"target_order": "ord_nothing", "destination": "order_credit"},
        {"destination": "order_credit"},
    ],
)
def test_the_order_that_a_credit_pays_is_told_of_by_its_own_name(
    shop: Shop, taken: str, sent: dict[str, str]
) -> None:
    answer = shop.program().post("/refunds", {"payment": taken, **sent})
    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, "target_order")


def test_too_much_a_stale_look_and_an_unknown_payment_are_refused(shop: Shop, taken: str) -> None:
    program = shop.program()
    too_much = program.post("/refunds", {"payment": taken, "amount": 100_001})
    assert refused(too_much) == (400, "refund_exceeds_available", "amount")
    stale = program.post("/refunds", {"payment": taken, "amount": 1, "seen_available": 99})
    assert refused(stale)[:2] == (409, "available_changed")
    elsewhere = a_payment(Status.CAPTURED)
    assert refused(program.post("/refunds", {"payment": elsewhere}))[:2] == (
        404,
        "payment_not_found",
    )
    assert program.get("/refunds").get_json()["data"] == []


def test_what_came_from_a_wallet_goes_back_there(app: Flask, shop: Shop) -> None:
    shopper = a_person()
    money_in_wallet(shopper, inr(500_00))
    paid = wallet_tried(a_checkout(shop.merchant_id, inr(500_00)), shopper)
    refund = asked(shop.program(), paid)
    assert refund["destination"] == "wallet"
    mine = a_user(app, shopper).get("/refunds").get_json()["data"]
    assert [row["id"] for row in mine] == [refund["id"]]
    assert a_user(app, a_person()).get("/refunds").get_json()["data"] == []


def test_a_large_refund_waits_for_a_second_person_and_no_key_is_one(app: Flask, shop: Shop) -> None:
    program = shop.program()
    taken = a_payment(Status.CAPTURED, shop.merchant_id, LARGE)
    refund = asked(program, taken)
    assert (refund["state"], refund["needs_approval"]) == ("requested", True)
    for verb, body in (("approve", None), ("refuse", {"reason": "No"})):
        answer = shop.program().post(f"/refunds/{refund['id']}/{verb}", body)
        assert refused(answer)[:2] == (403, "forbidden")
    admin = a_user(app, member(shop, "admin"), **{"Paydeck-Merchant": shop.merchant_id})
    approved = admin.post(f"/refunds/{refund['id']}/approve")
    assert (approved.status_code, approved.get_json()["state"]) == (200, "approved")


def test_whoever_asked_does_not_approve_and_another_may_refuse(app: Flask, shop: Shop) -> None:
    taken = a_payment(Status.CAPTURED, shop.merchant_id, LARGE)
    owner = a_user(app, shop.owner, **{"Paydeck-Merchant": shop.merchant_id})
    refund = asked(owner, taken)
    own = owner.post(f"/refunds/{refund['id']}/approve")
    assert refused(own)[:2] == (403, "same_approver")
    admin = a_user(app, member(shop, "admin"), **{"Paydeck-Merchant": shop.merchant_id})
    ended = admin.post(f"/refunds/{refund['id']}/refuse", {"reason": "Goods kept"})
    assert (ended.status_code, ended.get_json()["status"]) == (200, "CANCELLED")


@pytest.mark.parametrize("way", ["their own key", "one that it made", "one that it was rolled to"])
def test_who_made_the_key_that_asked_does_not_approve(app: Flask, shop: Shop, way: str) -> None:
    program, named = shop.program(), {"Paydeck-Merchant": shop.merchant_id}
    admin = a_user(app, member(shop, "admin"), **named)
    if way == "one that it made":
        program.token = program.post("/api-keys", {"name": "next"}).get_json()["token"]
    elif way == "one that it was rolled to":
        (key,) = admin.get("/api-keys").get_json()["data"]
        program.token = admin.post(f"/api-keys/{key['id']}/roll", {}).get_json()["token"]
    refund = asked(program, a_payment(Status.CAPTURED, shop.merchant_id, LARGE))
    own = a_user(app, shop.owner, **named).post(f"/refunds/{refund['id']}/approve")
    assert refused(own)[:2] == (403, "same_approver")
    other = a_user(app, member(shop, "admin"), **named).post(f"/refunds/{refund['id']}/approve")
    assert (other.status_code, other.get_json()["state"]) == (200, "approved")


def test_a_refund_is_withdrawn_before_it_leaves(shop: Shop, taken: str) -> None:
    program = shop.program()
    refund = asked(program, taken)
    for _twice in range(2):
        ended = program.post(f"/refunds/{refund['id']}/withdraw")
        assert (ended.status_code, ended.get_json()["status"]) == (200, "CANCELLED")
    assert program.get(f"/payments/{taken}").get_json()["amount_refundable"] == 100_000


def test_what_a_key_does_to_a_refund_is_on_the_audit_trail(shop: Shop, taken: str) -> None:
    program = shop.program()
    refund = asked(program, taken)
    program.post(f"/refunds/{refund['id']}/withdraw")
    deeds = "SELECT array_agg(action ORDER BY id) FROM audit_entry WHERE subject_id = :id"
    assert scalar(deeds, id=refund["id"]) == ["refund.requested", "refund.undone"]
    kinds = "SELECT DISTINCT actor_kind FROM audit_entry WHERE subject_id = :id"
    assert scalar(kinds, id=refund["id"]) == "api_key"


def test_refunds_are_filtered_and_tell_what_they_name(shop: Shop, taken: str) -> None:
    program = shop.program()
    first = asked(program, taken, amount=100, reason="duplicate")
    second = asked(program, taken, amount=200, reason="fraudulent")
    program.post(f"/refunds/{second['id']}/withdraw")

    def ids(**query: object) -> list[str]:
        return [row["id"] for row in program.get("/refunds", **query).get_json()["data"]]

    assert ids() == [second["id"], first["id"]]
    assert ids(status="CANCELLED") == [second["id"]]
    assert ids(status="PENDING") == ids(reason="duplicate") == [first["id"]]
    assert ids(payment=taken, limit=1, starting_after=second["id"]) == [first["id"]]
    assert ids(currency="USD") == []
    whole = program.get(f"/refunds/{first['id']}", **{"expand[]": "payment.order"}).get_json()
    assert whole["payment"]["order"]["object"] == "order"


@pytest.mark.parametrize(
    ("begin", "path"),
    [
        ("/payments/{payment}", "refunds.payment.refunds"),
        ("/refunds/{id}", "payment.refunds.payment"),
        ("/refunds", "data.payment.refunds.payment"),
    ],
)
def test_a_path_that_leads_back_is_refused(shop: Shop, taken: str, begin: str, path: str) -> None:
    program = shop.program()
    refund, other = (asked(program, taken, amount=100) for _ in "ab")
    once_round = program.get(begin.format(**refund), **{"expand[]": path.rpartition(".")[0]})
    assert once_round.status_code == 200
    assert other["id"] in once_round.text
    answer = program.get(begin.format(**refund), **{"expand[]": path})
    assert refused(answer) == (400, "parameter_invalid", "expand[]")


def test_a_note_is_the_merchants_own(app: Flask, shop: Shop) -> None:
    shopper = a_person()
    money_in_wallet(shopper, inr(500_00))
    paid = wallet_tried(a_checkout(shop.merchant_id, inr(500_00)), shopper)
    refund = asked(shop.program(), paid, note="An awkward customer")
    assert refund["note"] == "An awkward customer"
    seen = a_user(app, shopper).get(f"/refunds/{refund['id']}").get_json()
    assert seen["note"] == ""


def test_a_card_number_as_a_note_is_refused_by_name(shop: Shop, taken: str) -> None:
    answer = shop.program().post("/refunds", {"payment": taken, "note": "card 4242424242424242"})
    assert refused(answer) == (400, "parameter_invalid", "note")
    assert "4242" not in answer.text
