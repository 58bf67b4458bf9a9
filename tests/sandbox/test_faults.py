"""Every fault does what it says, and the books tell what really happened."""

import time

import pytest
import requests
import stripe

from tests.sandbox.running import RunningSandbox, Shape

CONFIRM = {"payment_method": "pm_card_visa"}


def confirm(sandbox: RunningSandbox, intent_id: str, key: str = "op_1") -> Shape:
    return sandbox.stripe.v1.payment_intents.confirm(
        intent_id,
        CONFIRM,  # type: ignore[arg-type]
        {"idempotency_key": key},
    )


def test_a_connection_cut_before_does_nothing(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent()
    sandbox.control("faults", endpoint="payment_intents.confirm", fault="drop_before")
    with pytest.raises(stripe.APIConnectionError, match="Connection aborted"):
        confirm(sandbox, intent.id)
    assert sandbox.books_of(intent.id)["successful_charges"] == 0
    assert confirm(sandbox, intent.id).status == "succeeded"
    assert sandbox.books_of(intent.id)["successful_charges"] == 1


def test_a_connection_cut_after_took_effect_once_and_the_same_key_replays_it(
    sandbox: RunningSandbox,
) -> None:
    intent = sandbox.intent()
    sandbox.control("faults", endpoint="payment_intents.confirm", fault="drop_after")
    with pytest.raises(stripe.APIConnectionError, match="Connection aborted"):
        confirm(sandbox, intent.id)
    assert sandbox.books_of(intent.id)["successful_charges"] == 1
    replayed = confirm(sandbox, intent.id)
    assert replayed.status == "succeeded"
    assert replayed.last_response.headers["Idempotent-Replayed"] == "true"
    assert sandbox.books_of(intent.id)["successful_charges"] == 1


def test_a_cut_connection_is_a_reset_of_the_network(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent()
    for fault in ("drop_before", "drop_after"):
        sandbox.control("faults", endpoint="payment_intents.retrieve", fault=fault)
        with pytest.raises(stripe.APIConnectionError, match="reset by peer"):
            sandbox.stripe.v1.payment_intents.retrieve(intent.id)


def test_an_error_before_does_nothing_and_leaves_the_key_free(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent()
    sandbox.control("faults", endpoint="payment_intents.confirm", fault="500_before")
    with pytest.raises(stripe.APIError):
        confirm(sandbox, intent.id)
    assert sandbox.books_of(intent.id)["successful_charges"] == 0
    assert confirm(sandbox, intent.id).status == "succeeded"


def test_an_error_after_took_effect_and_the_same_key_replays_the_error(
    sandbox: RunningSandbox,
) -> None:
    intent = sandbox.intent()
    sandbox.control("faults", endpoint="payment_intents.confirm", fault="500_after")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            confirm(sandbox, intent.id)
    assert sandbox.books_of(intent.id)["successful_charges"] == 1
    assert sandbox.stripe.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_a_slow_answer_comes_late(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent()
    sandbox.control("faults", endpoint="payment_intents.confirm", fault="slow", seconds=0.5)
    begun = time.monotonic()
    assert confirm(sandbox, intent.id).status == "succeeded"
    assert time.monotonic() - begun >= 0.5


@pytest.mark.parametrize(("fault", "status"), [("409", 409), ("429", 429)])
def test_a_turned_away_call_does_nothing(sandbox: RunningSandbox, fault: str, status: int) -> None:
    intent = sandbox.intent()
    sandbox.control("faults", endpoint="payment_intents.confirm", fault=fault, times=2)
    path = f"/v1/payment_intents/{intent.id}/confirm"
    answers = [sandbox.post(path, CONFIRM, key="op_1").status_code for _ in range(3)]
    assert answers == [status, status, 200]
    assert sandbox.books_of(intent.id)["successful_charges"] == 1


def test_an_outage_cuts_every_call_until_it_is_ended(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent()
    sandbox.control("faults", endpoint="*", fault="outage")
    for _ in range(3):
        with pytest.raises(stripe.APIConnectionError):
            sandbox.stripe.v1.payment_intents.retrieve(intent.id)
    sandbox.control("faults", endpoint="*", fault="none")
    assert sandbox.stripe.v1.payment_intents.retrieve(intent.id).id == intent.id


def test_an_outage_ends_when_its_time_is_over(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent()
    sandbox.control("faults", endpoint="*", fault="outage", seconds=60)
    with pytest.raises(stripe.APIConnectionError):
        sandbox.stripe.v1.payment_intents.retrieve(intent.id)
    sandbox.control("clock", offset_seconds=61)
    assert sandbox.stripe.v1.payment_intents.retrieve(intent.id).id == intent.id


def test_a_fault_hits_its_own_endpoint_alone(sandbox: RunningSandbox) -> None:
    sandbox.control("faults", endpoint="payment_intents.capture", fault="500_before")
    assert sandbox.paid().status == "succeeded"
    assert sandbox.get("/control/faults")["faults"][0]["times"] == 1


@pytest.mark.parametrize(
    "order",
    [
        {"endpoint": "no.such", "fault": "slow"},
        {"endpoint": "*", "fault": "no such"},
        {"endpoint": "*", "fault": "slow", "seconds": "soon"},
        {"endpoint": "*", "fault": "slow", "seconds": -1},
        {"endpoint": "*", "fault": "slow", "seconds": 1e300},
    ],
)
def test_an_order_that_cannot_be_done_is_refused(
    sandbox: RunningSandbox, order: dict[str, str | float]
) -> None:
    answer = requests.post(f"{sandbox.origin}/control/faults", json=order, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert sandbox.get("/control/faults")["faults"] == []


def test_a_page_of_another_origin_cannot_give_orders(sandbox: RunningSandbox) -> None:
    answer = requests.post(
        f"{sandbox.origin}/control/reset",
        json={},
        headers={"Origin": "http://localhost:8000"},
        timeout=5,
    )
    assert answer.status_code == 403
    rebound = requests.post(
        f"{sandbox.origin}/control/reset", json={}, headers={"Host": "evil.example"}, timeout=5
    )
    assert rebound.status_code == 421
