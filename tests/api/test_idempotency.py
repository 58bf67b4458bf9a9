"""Idempotency-Key over the wire: one effect, one answer, byte for byte, whatever comes twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.desk import Program, Shop, a_shop, a_user
from tests.api.test_orders import paid
from tests.builders import (
    BACK,
    a_method,
    a_person,
    an_admin,
    answered,
    calls_answered,
    declined,
)
from tests.portal import Committed
from webapp import idempotency
from webapp.api.caller import MERCHANT_HEADER
from webapp.gateway import Outcome, Result
from webapp.kernel import wake

PRICE = {"amount": 50_000, "currency": "INR"}
#: What an answer says of this very request; all else is as it was the first time.
OF_THIS_REQUEST = {
    "Request-Id",
    "X-Request-Id",
    "Idempotent-Replayed",
    "RateLimit-Remaining",
    "RateLimit-Reset",
}


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def create(program: Program, key: str, body: dict[str, Any] | None = None) -> TestResponse:
    """Create an order under a key."""
    return program.post("/orders", body or PRICE, **{"Idempotency-Key": key})


def count(program: Program) -> int:
    """Return how many orders the program's merchant has."""
    return len(program.get("/orders", limit=100).get_json()["data"])


def lasting(answer: TestResponse) -> list[tuple[str, str]]:
    """Return the headers that do not speak of one request alone."""
    return sorted(pair for pair in answer.headers if pair[0] not in OF_THIS_REQUEST)


def code_of(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


def test_a_deed_without_a_key_is_refused(shop: Shop) -> None:
    program = shop.program()
    headers = {"Authorization": f"Bearer {program.token}"}
    answer = program.client.post("/api/v1/orders", json=PRICE, headers=headers)
    assert code_of(answer) == (400, "key_missing")
    assert answer.get_json()["error"]["param"] == "Idempotency-Key"
    assert answer.get_json()["error"]["type"] == "idempotency_error"
    assert count(program) == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ", "a\tb"])
def test_a_key_that_is_none_is_refused(shop: Shop, key: str) -> None:
    program = shop.program()
    answer = create(program, key.encode().decode("latin1"))
    assert code_of(answer) == (400, "key_malformed")
    assert count(program) == 0


def test_the_second_request_gets_the_first_ones_bytes_and_headers(shop: Shop) -> None:
    program = shop.program()
    first, again = create(program, "one"), create(program, "one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert lasting(again) == lasting(first)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert again.headers["Request-Id"] != first.headers["Request-Id"]
    assert count(program) == 1


def test_a_body_that_says_the_same_is_the_same(shop: Shop) -> None:
    program = shop.program()
    raw = (b'{"amount":50000,"currency":"INR"}', b' {"currency" : "INR",\n "amount": 50000} ')
    answers = [
        program.ask(
            "POST",
            "/orders",
            data=one,
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )
        for one in raw
    ]
    assert answers[0].data == answers[1].data
    assert count(program) == 1


def test_another_request_with_the_key_is_refused(shop: Shop) -> None:
    program = shop.program()
    order = create(program, "one").get_json()["id"]
    assert code_of(create(program, "one", {**PRICE, "amount": 1})) == (422, "key_reused")
    elsewhere = program.post(f"/orders/{order}/cancel", None, **{"Idempotency-Key": "one"})
    assert code_of(elsewhere) == (422, "key_reused")
    assert count(program) == 1
    assert program.get(f"/orders/{order}").get_json()["status"] == "PENDING"


def test_a_rolled_key_of_the_merchant_finds_the_answer_and_another_merchants_does_not(
    app: Flask, shop: Shop
) -> None:
    first = create(shop.program(), "one")
    assert create(shop.program(), "one").data == first.data
    other = a_shop(app).program()
    assert create(other, "one").data != first.data
    assert count(other) == 1


def test_a_member_and_a_key_of_one_merchant_share_its_keys(app: Flask, shop: Shop) -> None:
    first = create(shop.program(), "one")
    member = a_user(app, shop.owner, **{MERCHANT_HEADER: shop.merchant_id})
    assert create(member, "one").data == first.data


def test_what_a_rule_refuses_stays_refused_under_its_key(shop: Shop) -> None:
    program = shop.program()
    order = create(program, "one").get_json()["id"]
    paid(shop.merchant_id, order)
    answers = [
        program.post(f"/orders/{order}/cancel", None, **{"Idempotency-Key": "two"})
        for _ in range(2)
    ]
    assert code_of(answers[0]) == (409, "order_not_payable")
    assert answers[0].data == answers[1].data
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_what_passes_by_itself_is_not_kept_under_the_key(shop: Shop) -> None:
    program = shop.program()
    paying = {"payment_method": a_method(), "return_url": BACK}
    first = program.post("/payments", {**PRICE, **paying}).get_json()
    again = {"order": first["order"], **paying, "payment_method": a_method()}
    two = {"Idempotency-Key": "two"}
    assert code_of(program.post("/payments", again, **two)) == (409, "payment_under_way")
    answered(first["id"], Outcome(Result.CREATED, intent_id="pi_two"), declined())
    calls_answered(first["id"])
    passed = program.post("/payments", again, **two)
    assert (passed.status_code, passed.get_json()["status"]) == (201, "PROCESSING")


def test_what_was_not_there_may_be_there_later_under_the_same_key(shop: Shop) -> None:
    program = shop.program()
    answers = [
        program.post("/orders/ord_nothing/cancel", None, **{"Idempotency-Key": "two"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert not any(replayed(answer) for answer in answers)


def test_what_was_written_wrongly_can_be_mended_under_the_same_key(shop: Shop) -> None:
    program = shop.program()
    assert create(program, "one", {"amount": 5}).status_code == 400
    assert create(program, "one", {**PRICE, "customer": "cus_nobody"}).status_code == 400
    assert create(program, "one").status_code == 201


def test_after_a_fault_of_ours_the_key_is_free(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    program = shop.program()

    def break_down(*_args: object, **_named: object) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as broken:
        broken.setattr("webapp.orders.create", break_down)
        assert create(program, "one").status_code == 500
    assert create(program, "one").status_code == 201
    assert count(program) == 1


def test_a_refused_credential_uses_no_key_up(shop: Shop) -> None:
    reader = shop.program(scopes=["orders:read"])
    assert create(reader, "one").status_code == 403
    assert create(shop.program(), "one").status_code == 201


def test_a_change_may_be_sent_with_a_key_too(shop: Shop) -> None:
    program = shop.program()
    order = create(program, "one").get_json()["id"]
    answers = [
        program.ask(
            "PATCH",
            f"/orders/{order}",
            json={"metadata": {"a": "b"}},
            headers={"Idempotency-Key": "two"},
        )
        for _ in range(2)
    ]
    assert answers[0].data == answers[1].data
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_the_answer_outlives_an_erasure_of_valkey(shop: Shop) -> None:
    program = shop.program()
    first = create(program, "one")
    wake.client().flushall()
    assert create(program, "one").data == first.data
    assert count(program) == 1


def test_one_person_as_an_admin_and_as_a_shopper_has_two_sets_of_keys(app: Flask) -> None:
    """The answers stand in different scopes, so the one never finds the other's."""
    admin = a_user(app, an_admin())
    body = {"because": "A test of the switch."}
    statuses = [
        admin.post(path, sent, **{"Idempotency-Key": "one"}).status_code
        for path, sent in (
            ("/admin/users/usr_nothing/suspend", body),
            ("/wallets/wal_nothing/deposits", {"amount": 5_000}),
        )
    ]
    assert [status for status in statuses if status >= 500] == []


@pytest.fixture
def real(committed: Committed) -> Shop:
    """Return a shop whose database commits for real."""
    return a_shop(committed.app)


def test_while_the_first_runs_the_second_is_told_when_to_ask_again(
    real: Shop, committed: Committed
) -> None:
    program = real.program()
    name = idempotency.request_hash("merchant", real.merchant_id, "False", "one")
    with committed.connect() as first:
        first.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"idempotency:{name}",)
        )
        answer = create(program, "one")
    assert code_of(answer) == (409, "key_in_use")
    assert answer.headers["Retry-After"] == "1"
    assert count(program) == 0


@pytest.mark.races
def test_fifty_at_once_with_one_key_have_one_effect(real: Shop) -> None:
    token = real.program().token
    gate = Barrier(50)

    def ask(_number: int) -> TestResponse:
        client = FlaskClient(real.app, real.app.response_class)
        gate.wait(30)
        return client.post(
            "/api/v1/orders",
            json=PRICE,
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "one"},
        )

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[201] >= 1
    assert set(statuses) <= {201, 409, 503}
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    fresh = [one for one in answers if one.status_code == 201 and not replayed(one)]
    assert len(fresh) == 1
    assert count(real.program()) == 1


def replayed(answer: TestResponse) -> bool:
    """Whether an answer was given before."""
    return answer.headers.get("Idempotent-Replayed") == "true"


def test_a_shopper_has_keys_of_their_own(app: Flask) -> None:
    one, other = a_user(app, a_person()), a_user(app, a_person())
    body = {"currency": "INR"}
    first = one.post("/wallets", body, **{"Idempotency-Key": "one"})
    assert one.post("/wallets", body, **{"Idempotency-Key": "one"}).data == first.data
    assert other.post("/wallets", body, **{"Idempotency-Key": "one"}).data != first.data
