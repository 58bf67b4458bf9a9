"""Money through the API with real commits and the web's own role, whose rows are its caller's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.desk import Program, a_shop, a_user, nobody
from tests.builders import a_method, a_payment, a_person, answered, inr, money_in_wallet, succeeded
from tests.portal import Committed
from tests.stories import postings, scalar
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.payments import Status

PRICE = {"amount": 50_000, "currency": "INR"}


def checkout(program: Program) -> str:
    """Open a checkout of a new order and return its token."""
    order = program.post("/orders", PRICE).get_json()["id"]
    session = program.post("/checkout-sessions", {"order": order}).get_json()
    return str(session["url"].rsplit("/", 1)[1])


@pytest.mark.requirement("S3-12")
def test_a_person_pays_from_their_wallet_and_both_read_of_it(committed: Committed) -> None:
    shop, shopper = a_shop(committed.app), a_person()
    money_in_wallet(shopper, inr(500_00))
    seller, me = shop.program(), a_user(committed.app, shopper)
    body = {"checkout": checkout(seller), "payment_method": "wallet"}
    paid = me.post("/payments", body)
    assert (paid.status_code, paid.get_json()["status"]) == (201, "SUCCESS")
    assert seller.get(f"/payments/{paid.get_json()['id']}").status_code == 200
    assert me.get("/transactions").get_json()["data"][0]["amount"] == -50_000
    assert seller.get("/ledger/balance").get_json()["available"] == [
        {"amount": 49_000, "currency": "INR"}
    ]
    rival = a_shop(committed.app).program()
    for path in ("/payments", "/orders", "/transactions", "/customers", "/checkout-sessions"):
        assert rival.get(path).get_json()["data"] == [], path
    assert rival.get("/ledger/balance").get_json()["booked"] == []


def test_a_program_changes_customers_and_expands_them_with_its_own_role(
    committed: Committed,
) -> None:
    program = a_shop(committed.app).program()
    paid = program.post("/payments", {**PRICE, "customer_email": "asha@people.example"}).get_json()
    renamed = program.patch(f"/customers/{paid['customer']}", {"name": "Asha Raman"})
    assert renamed.status_code == 200, renamed.text
    whole = program.get(f"/payments/{paid['id']}", **{"expand[]": "customer"}).get_json()
    assert whole["customer"]["name"] == "Asha Raman"


@pytest.mark.requirement("S1-04", "S1-06")
def test_one_charge_sent_many_times_at_once_is_one_payment(committed: Committed) -> None:
    body = '{"userId": "bruce_wayne", "amount": 5000.00, "currency": "USD"}'
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(_charge, committed.app, body) for _ in range(6)]
        answers = [one.result() for one in tries]
    assert {status for status, _code, _payment in answers} <= {200, 409}
    assert {code for status, code, _payment in answers if status == 409} <= {"key_in_use"}
    found = {payment for status, _code, payment in answers if status == 200}
    assert len(found) == 1
    assert scalar("SELECT count(*) FROM payment") == 1
    payment_id = found.pop()
    assert payment_id is not None
    for _twice in range(2):
        answered(payment_id, succeeded(Money(500_000, "USD")))
    assert postings(payment_id) == 1
    db.end_reads()
    told = nobody(committed.app).client.get("/api/ledger/balance/bruce_wayne")
    assert told.data == b"5000.0"


def test_a_card_is_charged_and_refunded_with_the_webs_own_role(committed: Committed) -> None:
    shop = a_shop(committed.app)
    program = shop.program()
    begun = program.post("/payments", {**PRICE, "payment_method": a_method()})
    assert (begun.status_code, begun.get_json()["status"]) == (201, "PROCESSING")
    taken = a_payment(Status.CAPTURED, shop.merchant_id)
    refund = program.post(f"/payments/{taken}/refunds", {"amount": 1_000})
    assert refund.status_code == 201, refund.text
    gone = program.post(f"/refunds/{refund.get_json()['id']}/withdraw")
    assert gone.get_json()["status"] == "CANCELLED"


def _charge(app: Flask, body: str) -> tuple[int, Any, Any]:
    client = FlaskClient(app, app.response_class)
    answer = client.post(
        "/api/payments/charge",
        data=body,
        content_type="application/json",
        headers={"Idempotency-Key": "unique-click-001"},
    )
    told = answer.get_json()
    return answer.status_code, told.get("error", {}).get("code"), told.get("payment_id")
