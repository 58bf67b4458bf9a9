"""A repeated request gets the first answer, byte for byte, as the provider promises."""

import threading

import pytest
import requests
import stripe

from tests.sandbox.running import RunningSandbox

INTENT = {"amount": "100000", "currency": "inr"}
DAY = 24 * 3600


def test_the_same_key_gets_the_same_bytes_and_does_the_work_once(sandbox: RunningSandbox) -> None:
    first = sandbox.post("/v1/payment_intents", INTENT, key="op_1")
    again = sandbox.post("/v1/payment_intents", INTENT, key="op_1")
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Request-Id"] != again.headers["Request-Id"]
    assert len(sandbox.get("/control/books")["payment_intents"]) == 1


def test_the_order_of_parameters_does_not_matter(sandbox: RunningSandbox) -> None:
    first = sandbox.post("/v1/payment_intents", INTENT, key="op_1")
    turned = dict(reversed(INTENT.items()))
    assert sandbox.post("/v1/payment_intents", turned, key="op_1").content == first.content


def test_other_parameters_under_the_same_key_are_refused(sandbox: RunningSandbox) -> None:
    sandbox.post("/v1/payment_intents", INTENT, key="op_1")
    other = sandbox.post("/v1/payment_intents", INTENT | {"amount": "200000"}, key="op_1")
    assert other.status_code == 400
    assert other.json()["error"]["type"] == "idempotency_error"
    assert len(sandbox.get("/control/books")["payment_intents"]) == 1


def test_another_endpoint_under_the_same_key_is_refused(sandbox: RunningSandbox) -> None:
    intent = sandbox.post("/v1/payment_intents", INTENT, key="op_1").json()["id"]
    other = sandbox.post(f"/v1/payment_intents/{intent}/cancel", {}, key="op_1")
    assert other.status_code == 400
    assert other.json()["error"]["type"] == "idempotency_error"
    assert sandbox.stripe.v1.payment_intents.retrieve(intent).status == "requires_payment_method"


def test_a_decline_is_replayed_and_the_bank_is_asked_once(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent()
    path = f"/v1/payment_intents/{intent.id}/confirm"
    values = {"payment_method": "pm_card_chargeDeclined"}
    first = sandbox.post(path, values, key="op_2")
    again = sandbox.post(path, values, key="op_2")
    assert first.status_code == again.status_code == 402
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert sandbox.books_of(intent.id)["failed_charges"] == 1


def test_a_refused_parameter_leaves_the_key_free(sandbox: RunningSandbox) -> None:
    wrong = sandbox.post("/v1/payment_intents", {"amount": "x", "currency": "inr"}, key="op_1")
    assert wrong.status_code == 400
    assert sandbox.post("/v1/payment_intents", INTENT, key="op_1").status_code == 200


def test_a_key_is_kept_for_a_day_and_then_forgotten(sandbox: RunningSandbox) -> None:
    first = sandbox.post("/v1/payment_intents", INTENT, key="op_1").json()["id"]
    sandbox.control("clock", offset_seconds=DAY - 60)
    assert sandbox.post("/v1/payment_intents", INTENT, key="op_1").json()["id"] == first
    sandbox.control("clock", offset_seconds=DAY + 60)
    assert sandbox.post("/v1/payment_intents", INTENT, key="op_1").json()["id"] != first


def test_a_key_is_not_shared_by_two_requests_at_once(sandbox: RunningSandbox) -> None:
    sandbox.control("faults", endpoint="payment_intents.create", fault="slow", seconds=1)
    answers: list[requests.Response] = []

    def ask() -> None:
        answers.append(sandbox.post("/v1/payment_intents", INTENT, key="op_1"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    busy = next(answer for answer in answers if answer.status_code == 409)
    assert busy.json()["error"]["code"] == "idempotency_key_in_use"
    assert len(sandbox.get("/control/books")["payment_intents"]) == 1
    assert sandbox.post("/v1/payment_intents", INTENT, key="op_1").status_code == 200


def test_a_key_that_is_too_long_is_refused(sandbox: RunningSandbox) -> None:
    answer = sandbox.post("/v1/payment_intents", INTENT, key="k" * 256)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "idempotency_error"


def test_the_client_library_sees_a_key_error_as_one(sandbox: RunningSandbox) -> None:
    create = sandbox.stripe.v1.payment_intents.create
    create({"amount": 100000, "currency": "inr"}, {"idempotency_key": "op_1"})
    with pytest.raises(stripe.IdempotencyError):
        create({"amount": 100001, "currency": "inr"}, {"idempotency_key": "op_1"})
