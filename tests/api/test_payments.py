"""Payments through the API: begun by programs and people, read, captured, cancelled."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.api.desk import Program, Shop, a_shop, a_user
from tests.builders import (
    BACK,
    Link,
    a_checkout,
    a_method,
    a_payment,
    a_person,
    answered,
    calls_answered,
    declined,
    held,
    hosted_tried,
    inr,
    money_in_wallet,
    needs_action,
    now_at,
    succeeded,
    wallet_tried,
)
from webapp import orders
from webapp.gateway import Outcome, Result
from webapp.kernel import clock, db
from webapp.payments import Status

PRICE = {"amount": 50_000, "currency": "INR"}


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def paid_for(program: Program, **more: object) -> dict[str, Any]:
    answer = program.post("/payments", {**PRICE, "return_url": BACK, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def read(program: Program, payment_id: str, **query: object) -> dict[str, Any]:
    answer = program.get(f"/payments/{payment_id}", **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def listed(program: Program, **query: object) -> list[str]:
    answer = program.get("/payments", **query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.get_json()["data"]]


def refused(answer: Any) -> tuple[int, str, str | None]:
    error = answer.get_json()["error"]
    return answer.status_code, error["code"], error["param"]


def test_a_payment_by_card_is_begun_by_the_checkouts_own_verbs(shop: Shop) -> None:
    program = shop.program()
    method = a_method()
    payment = paid_for(program, payment_method=method, metadata={"basket": "7"})
    assert (payment["status"], payment["amount"], payment["currency"]) == (
        "PROCESSING",
        50_000,
        "INR",
    )
    assert payment["metadata"] == {"basket": "7"}
    answered(payment["id"], Outcome(Result.CREATED, intent_id="pi_api"), succeeded(inr(500_00)))
    taken = read(program, payment["id"])
    assert (taken["status"], taken["amount_captured"], taken["fee"]) == ("SUCCESS", 50_000, 1_000)
    assert taken["payment_method"] == {"kind": "card", "label": "Visa •••• 4242"}
    assert program.get(f"/orders/{taken['order']}").get_json()["status"] == "COMPLETED"


def test_the_program_is_told_of_as_who_began_it(shop: Shop) -> None:
    program = shop.program()
    payment = paid_for(program, payment_method=a_method())
    told = program.get(f"/payments/{payment['id']}/timeline").get_json()
    assert told["object"] == "list"
    assert [(row["target"], row["by"]) for row in told["data"]] == [
        ("processing", "api_key"),
        ("created", "api_key"),
    ]


def test_without_a_method_it_waits_and_its_link_is_told_once(app: Flask, shop: Shop) -> None:
    program = shop.program()
    payment = paid_for(program)
    assert payment["status"] == "PENDING"
    page = app.test_client().get(payment["checkout_url"].removeprefix("http://localhost:8000"))
    assert page.status_code == 200
    assert "checkout_url" not in read(program, payment["id"])


def test_a_waiting_payment_is_confirmed_with_a_method(shop: Shop) -> None:
    program = shop.program()
    payment = paid_for(program)
    body = {"payment_method": a_method(), "return_url": BACK}
    confirmed = program.post(f"/payments/{payment['id']}/confirm", body)
    assert (confirmed.status_code, confirmed.get_json()["status"]) == (200, "PROCESSING")
    again = program.post(f"/payments/{payment['id']}/confirm", body | {"payment_method": "pm_2"})
    assert refused(again)[:2] == (409, "payment_under_way")
    answered(payment["id"], declined())
    other = program.post(f"/payments/{payment['id']}/confirm", body | {"payment_method": "pm_3"})
    assert other.get_json()["attempts"] == 2
    tries = program.get(f"/payments/{payment['id']}/attempts").get_json()["data"]
    assert [row["status"] for row in tries] == ["processing", "declined"]
    assert tries[1]["failure_reason"]


def test_a_payment_that_has_ended_is_not_confirmed_and_no_other_is_charged(shop: Shop) -> None:
    program = shop.program()
    payment = paid_for(program)
    program.post(f"/payments/{payment['id']}/cancel", {"reason": "Out of stock"})
    body = {"payment_method": a_method(), "return_url": BACK}
    late = program.post(f"/payments/{payment['id']}/confirm", body)
    assert refused(late)[:2] == (409, "conflict")
    assert listed(program, order=payment["order"]) == [payment["id"]]


def test_the_payment_that_is_charged_is_the_one_that_is_told(shop: Shop) -> None:
    program = shop.program()
    waiting = paid_for(program)
    with db.scoped(db.NOBODY):
        ref = orders.checkout_for(waiting["checkout_url"].rsplit("/", 1)[1])
    hosted_tried(Link("", ref))
    page = Outcome(Result.SESSION_OPEN, session_id="cs_told", next_url="http://p/1")
    answered(waiting["id"], page, Outcome(Result.SESSION_EXPIRED, session_id="cs_told"))
    charged = paid_for(program, order=waiting["order"], payment_method=a_method())
    assert charged["status"] == "PROCESSING"
    assert charged["id"] != waiting["id"]
    assert read(program, waiting["id"])["status"] == "CANCELLED"


def test_an_order_is_paid_as_it_stands(shop: Shop) -> None:
    program = shop.program()
    order = program.post("/orders", PRICE).get_json()
    wrong = program.post("/payments", {"order": order["id"], "amount": 1, "currency": "INR"})
    assert refused(wrong) == (400, "parameter_invalid", "amount")
    later = program.post("/payments", {"order": order["id"], "capture": "manual"})
    assert refused(later) == (400, "parameter_invalid", "capture")
    payment = program.post("/payments", {"order": order["id"]}).get_json()
    assert (payment["order"], payment["amount"]) == (order["id"], 50_000)
    unknown = program.post("/payments", {"order": "ord_none"})
    assert refused(unknown) == (400, "parameter_invalid", "order")


def test_nothing_to_pay_is_refused_by_the_name_of_what_is_missing(shop: Shop) -> None:
    program = shop.program()
    assert refused(program.post("/payments", {})) == (400, "parameter_missing", "order")
    halved = program.post("/payments", {"amount": 100})
    assert refused(halved) == (400, "parameter_invalid", "currency")
    waiting = program.post("/payments", {**PRICE, "payment_method": "pm_1", "confirm": False})
    assert refused(waiting) == (400, "parameter_invalid", "confirm")
    script = program.post("/payments", {**PRICE, "return_url": "javascript:alert(1)"})
    assert refused(script) == (400, "parameter_invalid", "return_url")


def test_the_bank_asks_and_the_answer_says_where_to_go(shop: Shop) -> None:
    program = shop.program()
    method = a_method()
    payment = paid_for(program, payment_method=method)
    answered(payment["id"], Outcome(Result.CREATED, intent_id="pi_asked"), needs_action(method))
    asked = read(program, payment["id"])
    assert asked["status"] == "REQUIRES_ACTION"
    assert asked["next_action"] == {
        "type": "redirect_to_url",
        "url": "http://127.0.0.1:8002/challenge/1",
    }


def test_held_money_is_captured_in_part_or_let_go(shop: Shop) -> None:
    program = shop.program()
    first, second = (paid_for(program, payment_method=a_method(), capture="manual") for _ in "ab")
    for payment, intent in ((first, "pi_one"), (second, "pi_two")):
        answered(payment["id"], Outcome(Result.CREATED, intent_id=intent), held(inr(500_00)))
        calls_answered(payment["id"])
    too_much = program.post(f"/payments/{first['id']}/capture", {"amount": 50_001})
    assert refused(too_much) == (400, "capture_exceeds_held", "amount")
    taken = program.post(f"/payments/{first['id']}/capture", {"amount": 30_000})
    assert taken.status_code == 200
    answered(first["id"], succeeded(inr(300_00)))
    assert read(program, first["id"])["amount_captured"] == 30_000
    gone = program.post(f"/payments/{second['id']}/cancel", {"reason": "Out of stock"})
    assert (gone.status_code, gone.get_json()["cancellation_reason"]) == (200, "Out of stock")
    answered(second["id"], Outcome(Result.CANCELLED))
    assert read(program, second["id"])["status"] == "CANCELLED"


def test_a_payment_that_waits_is_cancelled_and_one_that_was_taken_is_not(shop: Shop) -> None:
    program = shop.program()
    waiting = paid_for(program)
    ended = program.post(f"/payments/{waiting['id']}/cancel", {}).get_json()
    assert ended["status"] == "CANCELLED"
    taken = a_payment(Status.CAPTURED, shop.merchant_id)
    assert refused(program.post(f"/payments/{taken}/cancel", {}))[:2] == (409, "not_held")
    asked = paid_for(program, payment_method=a_method())
    busy = program.post(f"/payments/{asked['id']}/cancel", {})
    assert refused(busy)[:2] == (409, "payment_under_way")


def test_the_provider_is_asked_now_and_not_too_often(shop: Shop) -> None:
    program = shop.program()
    payment = paid_for(program, payment_method=a_method())
    codes = [program.post(f"/payments/{payment['id']}/check").status_code for _ in range(25)]
    assert codes[0] == 200
    assert codes[-1] == 429


@pytest.mark.requirement("S3-12")
def test_a_person_pays_what_a_checkout_stands_for_from_their_wallet(app: Flask, shop: Shop) -> None:
    shopper = a_person()
    money_in_wallet(shopper, inr(2_000_00))
    session = _checkout_of(shop.program(), 1_000_00)
    me = a_user(app, shopper)
    body = {"checkout": session["url"].rsplit("/", 1)[1], "payment_method": "wallet"}
    answer = me.post("/payments", body)
    assert (answer.status_code, answer.get_json()["status"]) == (201, "SUCCESS")
    assert listed(me)[0] == answer.get_json()["id"]
    order = shop.program().get(f"/orders/{session['order']}").get_json()
    assert order["status"] == "COMPLETED"
    again = me.post("/payments", body)
    assert refused(again)[:2] == (409, "already_paid")


def test_a_person_with_too_little_is_refused_and_nothing_has_moved(app: Flask, shop: Shop) -> None:
    shopper = a_person()
    money_in_wallet(shopper, inr(10_00))
    session = _checkout_of(shop.program(), 1_000_00)
    body = {"checkout": session["url"].rsplit("/", 1)[1], "payment_method": "wallet"}
    answer = a_user(app, shopper).post("/payments", body)
    assert refused(answer)[:2] == (402, "insufficient_balance")
    assert answer.get_json()["error"]["decline_code"] == "insufficient_funds"
    order = shop.program().get(f"/orders/{session['order']}").get_json()
    assert order["status"] == "PENDING"


def test_a_program_cannot_pay_from_anybodys_wallet(shop: Shop) -> None:
    program = shop.program()
    answer = program.post("/payments", {**PRICE, "payment_method": "wallet"})
    assert refused(answer)[:2] == (403, "sign_in_to_pay")
    token = program.post("/payments", {"checkout": "some-token", "payment_method": "wallet"})
    assert refused(token) == (400, "parameter_unknown", "checkout")


def test_people_see_their_own_payments_and_no_others(app: Flask, shop: Shop) -> None:
    theirs = a_payment(Status.CAPTURED, shop.merchant_id)
    me = a_user(app, a_person())
    assert listed(me) == []
    assert refused(me.get(f"/payments/{theirs}"))[:2] == (404, "payment_not_found")
    assert refused(me.post("/payments", {})) == (400, "parameter_missing", "checkout")


def test_a_shopper_is_told_neither_the_merchants_notes_nor_the_banks_reasons(
    app: Flask, shop: Shop
) -> None:
    program, shopper = shop.program(), a_person()
    url = paid_for(program, metadata={"risk": "high"})["checkout_url"]
    body = {"checkout": url.rsplit("/", 1)[1], "payment_method": a_method()}
    tried = a_user(app, shopper).post("/payments", body).get_json()
    answered(tried["id"], declined(code="stolen_card"))
    seen = read(a_user(app, shopper), tried["id"])
    theirs = read(program, tried["id"])
    assert (theirs["decline_code"], seen["decline_code"]) == ("stolen_card", None)
    assert "stolen" in theirs["failure_reason"]
    assert "stolen" not in seen["failure_reason"]
    assert (theirs["metadata"], tried["metadata"], seen["metadata"]) == ({"risk": "high"}, {}, {})


def test_a_shopper_reads_no_metadata_and_no_fee(app: Flask, shop: Shop) -> None:
    program, shopper = shop.program(), a_person()
    money_in_wallet(shopper, inr(2_000_00))
    paid = wallet_tried(a_checkout(shop.merchant_id, inr(500_00)), shopper)
    refund = {"payment": paid, "amount": 100, "metadata": {"risk": "high"}}
    assert program.post("/refunds", refund).status_code == 201
    me = a_user(app, shopper)
    assert read(program, paid)["fee"] > 0
    assert (read(me, paid)["fee"], read(me, paid)["fees_paisa"]) == (0, None)
    assert "risk" in program.get("/refunds").text
    assert "risk" not in me.get("/refunds").text
    assert "risk" not in me.get(f"/payments/{paid}", **{"expand[]": "refunds"}).text


def test_a_payment_needs_a_key_and_is_begun_once_with_it(shop: Shop) -> None:
    program = shop.program()
    body = {**PRICE, "payment_method": a_method(), "return_url": BACK}
    first = program.post("/payments", body, **{"Idempotency-Key": "one"})
    again = program.post("/payments", body, **{"Idempotency-Key": "one"})
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(listed(program)) == 1
    keyless = Program(program.client, headers={"Authorization": f"Bearer {program.token}"})
    bare = keyless.client.post("/api/v1/payments", json=body, headers=keyless.headers)
    assert refused(bare)[:2] == (400, "key_missing")


def test_an_expired_link_does_not_stop_a_program(shop: Shop) -> None:
    program = shop.program()
    payment = paid_for(program)
    body = {"payment_method": a_method(), "return_url": BACK}
    with clock.standing_at(clock.now() + dt.timedelta(minutes=16)):
        confirmed = program.post(f"/payments/{payment['id']}/confirm", body)
    assert confirmed.status_code == 200, confirmed.text
    assert now_at(payment["id"]).status == Status.PROCESSING


def _checkout_of(program: Program, minor: int) -> dict[str, Any]:
    order = program.post("/orders", {"amount": minor, "currency": "INR"}).get_json()
    session: dict[str, Any] = program.post("/checkout-sessions", {"order": order["id"]}).get_json()
    db.end_reads()
    return session


def test_a_second_link_without_metadata_leaves_what_the_payment_has(shop: Shop) -> None:
    program = shop.program()
    waiting = paid_for(program, metadata={"basket": "7"})
    again = program.post("/payments", {"order": waiting["order"]}).get_json()
    assert (again["id"], again["metadata"]) == (waiting["id"], {"basket": "7"})


@pytest.mark.parametrize("field", ["order", "amount", "capture", "customer"])
def test_what_is_not_of_the_older_contract_is_refused_beside_paise(shop: Shop, field: str) -> None:
    other = {"order": "ord_1", "amount": 5_000, "capture": "manual", "customer": "cus_1"}[field]
    body = {"amount_paisa": 5_000, "currency": "INR", field: other}
    answer = shop.program().post("/payments", body)
    assert refused(answer) == (400, "parameter_invalid", field)


def test_the_way_back_is_a_whole_address_and_in_live_mode_by_https(
    app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = shop.program()
    for address in ("https://", "http:// shop.example", "ftp://shop.example"):
        answer = program.post("/payments", {**PRICE, "return_url": address})
        assert refused(answer) == (400, "parameter_invalid", "return_url")
    settings = app.extensions["paydeck_settings"]
    live = replace(settings, stripe_secret_key="sk_live_1")
    plain = {**PRICE, "return_url": "http://shop.example/back"}
    assert program.post("/payments", plain).status_code == 201
    monkeypatch.setitem(app.extensions, "paydeck_settings", live)
    answer = shop.program(livemode=True).post("/payments", plain)
    assert refused(answer) == (400, "parameter_invalid", "return_url")
