"""Everything the sandbox answers has the shape that the provider publishes."""

import json
from typing import Any

import pytest
import requests

from tests.contract.published_schema import faults_of, unknown_fields
from tests.sandbox.running import RunningSandbox

INTENT = {"amount": "100000", "currency": "inr"}
PAY = {"confirm": "true", "payment_method": "pm_card_visa"}
WAYS: dict[str, dict[str, str]] = {
    "requires_payment_method": {},
    "requires_confirmation": {"payment_method": "pm_card_visa"},
    "requires_action": {
        "confirm": "true",
        "payment_method": "pm_card_authenticationRequired",
        "return_url": "http://localhost:9/back",
    },
    "requires_capture": PAY | {"capture_method": "manual"},
    "processing": PAY,
    "canceled": {},
    "succeeded": PAY,
}


def fits(kind: str, body: dict[str, Any]) -> None:
    assert faults_of(kind, body) == []
    assert unknown_fields(kind, body) == set()


def fetched(sandbox: RunningSandbox, path: str) -> dict[str, Any]:
    answer = requests.get(
        sandbox.origin + path, headers={"Authorization": "Bearer sk_test_sandbox"}, timeout=10
    )
    body: dict[str, Any] = answer.json()
    return body


def made(sandbox: RunningSandbox, path: str, **values: str) -> dict[str, Any]:
    answer = sandbox.post(f"/v1/{path}", values)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def intent_in(sandbox: RunningSandbox, status: str) -> dict[str, Any]:
    """A payment intent brought into the status by calls alone."""
    sandbox.control("settlement", seconds=600 if status == "processing" else 0)
    body = made(sandbox, "payment_intents", **(INTENT | WAYS[status]))
    if status == "canceled":
        body = made(sandbox, f"payment_intents/{body['id']}/cancel")
    return body


@pytest.mark.parametrize("status", WAYS)
def test_a_payment_intent_fits_in_every_status(sandbox: RunningSandbox, status: str) -> None:
    body = intent_in(sandbox, status)
    assert body["status"] == status
    fits("payment_intent", body)


@pytest.mark.parametrize(("end", "status"), [("capture", "succeeded"), ("cancel", "canceled")])
def test_held_money_taken_in_part_or_let_go_fits(
    sandbox: RunningSandbox, end: str, status: str
) -> None:
    held = intent_in(sandbox, "requires_capture")
    values = {"expand[]": "latest_charge"} | (
        {"amount_to_capture": "400"} if end == "capture" else {}
    )
    body = made(sandbox, f"payment_intents/{held['id']}/{end}", **values)
    assert (body["status"], body["amount_capturable"]) == (status, 0)
    assert body["amount_received"] == body["latest_charge"]["amount_captured"]
    fits("payment_intent", body)
    fits("charge", body["latest_charge"])


def test_an_expanded_payment_intent_fits(sandbox: RunningSandbox) -> None:
    paid = intent_in(sandbox, "succeeded")
    expand = "expand[]=latest_charge.balance_transaction&expand[]=payment_method"
    body = fetched(sandbox, f"/v1/payment_intents/{paid['id']}?{expand}")
    assert body["latest_charge"]["object"] == "charge"
    fits("payment_intent", body)
    fits("charge", body["latest_charge"])
    fits("balance_transaction", body["latest_charge"]["balance_transaction"])
    fits("payment_method", body["payment_method"])


@pytest.mark.parametrize(
    "method",
    ["pm_card_chargeDeclined", "pm_card_chargeDeclinedExpiredCard", "pm_card_radarBlock"],
)
def test_a_decline_and_what_it_leaves_behind_fit(sandbox: RunningSandbox, method: str) -> None:
    values = INTENT | {"confirm": "true", "payment_method": method}
    answer = sandbox.post("/v1/payment_intents", values)
    assert answer.status_code == 402
    error = answer.json()["error"]
    fits("error", answer.json())
    fits("api_errors", error)
    fits("payment_intent", error["payment_intent"])
    fits("charge", fetched(sandbox, f"/v1/charges/{error['charge']}"))


def test_a_failed_authentication_fits(sandbox: RunningSandbox) -> None:
    asked = intent_in(sandbox, "requires_action")
    url = asked["next_action"]["redirect_to_url"]["url"]
    requests.post(url, data={"answer": "fail"}, allow_redirects=False, timeout=10)
    body = fetched(sandbox, f"/v1/payment_intents/{asked['id']}")
    assert body["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    fits("payment_intent", body)


@pytest.mark.parametrize(
    ("path", "values", "status"),
    [
        ("payment_intents", {"currency": "inr"}, 400),
        ("payment_intents", INTENT | {"colour": "red"}, 400),
        ("payment_intents/pi_nope/confirm", {}, 404),
        ("refunds", {}, 400),
        ("nowhere", {}, 404),
    ],
)
def test_a_refusal_fits(
    sandbox: RunningSandbox, path: str, values: dict[str, str], status: int
) -> None:
    answer = sandbox.post(f"/v1/{path}", values)
    assert answer.status_code == status
    fits("error", answer.json())
    fits("api_errors", answer.json()["error"])


@pytest.mark.parametrize("fault", ["409", "429", "500_before"])
def test_a_fault_is_answered_in_the_providers_shape(sandbox: RunningSandbox, fault: str) -> None:
    sandbox.control("faults", endpoint="payment_intents.create", fault=fault)
    answer = sandbox.post("/v1/payment_intents", INTENT)
    assert answer.status_code == int(fault[:3])
    fits("error", answer.json())
    fits("api_errors", answer.json()["error"])


def test_a_checkout_session_fits_open_paid_and_expired(sandbox: RunningSandbox) -> None:
    values = {
        "mode": "payment",
        "line_items[0][price_data][currency]": "inr",
        "line_items[0][price_data][unit_amount]": "100000",
        "line_items[0][price_data][product_data][name]": "Order",
        "line_items[0][quantity]": "1",
        "customer_email": "asha@example.com",
        "success_url": "http://localhost:9/ok",
    }
    paid, expired = (made(sandbox, "checkout/sessions", **values) for _ in range(2))
    fits("checkout.session", paid)
    card = {"name": "Asha", "number": "4242424242424242", "expiry": "12/40", "cvc": "123"}
    requests.post(paid["url"], data=card, allow_redirects=False, timeout=10)
    paid = fetched(sandbox, f"/v1/checkout/sessions/{paid['id']}")
    assert paid["payment_status"] == "paid"
    fits("checkout.session", paid)
    fits("checkout.session", made(sandbox, f"checkout/sessions/{expired['id']}/expire"))
    lines = fetched(sandbox, f"/v1/checkout/sessions/{paid['id']}/line_items")
    fits("item", lines["data"][0])


def test_refunds_of_every_end_fit(sandbox: RunningSandbox) -> None:
    for number in ("4242424242424242", "4000000000007726", "4000000000005126"):
        method = sandbox.typed_card(number).json()["id"]
        paid = made(sandbox, "payment_intents", **INTENT, confirm="true", payment_method=method)
        refund = made(sandbox, "refunds", payment_intent=paid["id"])
        fits("refund", refund)
        movement = fetched(sandbox, f"/v1/balance_transactions/{refund['balance_transaction']}")
        fits("balance_transaction", movement)
        fits("charge", fetched(sandbox, f"/v1/charges/{paid['latest_charge']}"))


def test_customers_balances_and_typed_cards_fit(sandbox: RunningSandbox) -> None:
    fits("customer", made(sandbox, "customers", email="asha@example.com", name="Asha"))
    fits("payment_method", sandbox.typed_card("4242424242424242").json())
    fits("balance", fetched(sandbox, "/v1/balance"))


def test_every_event_told_so_far_fits_and_so_does_what_it_holds(sandbox: RunningSandbox) -> None:
    intent_in(sandbox, "succeeded")
    listed = fetched(sandbox, "/v1/events?limit=100")
    assert set(listed) == {"object", "data", "has_more", "url"}
    assert listed["data"]
    for event in listed["data"]:
        fits("event", event)
        fits(event["data"]["object"]["object"], event["data"]["object"])


def test_a_wrong_shape_is_noticed(sandbox: RunningSandbox) -> None:
    body = json.loads(json.dumps(intent_in(sandbox, "succeeded")))
    assert faults_of("payment_intent", body | {"status": "bogus"})
    assert faults_of("payment_intent", body | {"amount": "12"})
    assert unknown_fields("payment_intent", body | {"colour": 1}) == {"colour"}
