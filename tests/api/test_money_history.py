"""The balance of a merchant's account, and the history of money of merchants and people."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from tests.api.desk import Program, Shop, a_shop, a_user
from tests.builders import (
    a_checkout,
    a_payment,
    a_person,
    answered,
    card_tried,
    inr,
    money_in_wallet,
    succeeded,
    wallet_tried,
)
from tests.stories import behind
from webapp import payments, refunds
from webapp.kernel import clock, db
from webapp.outbox import Actor
from webapp.payments import Status


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def lines(program: Program, **query: object) -> list[dict[str, Any]]:
    answer = program.get("/transactions", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["data"]
    return found


def rupees(minor: int) -> dict[str, Any]:
    return {"amount": minor, "currency": "INR"}


def test_a_new_merchants_balance_is_empty(shop: Shop) -> None:
    balance = shop.program().get("/ledger/balance").get_json()
    assert balance["object"] == "balance"
    assert balance["available"] == balance["held"] == balance["leaving"] == []


def test_the_balance_is_what_was_taken_less_fees_and_refunds(shop: Shop) -> None:
    program = shop.program()
    taken = a_payment(Status.CAPTURED, shop.merchant_id)
    a_payment(Status.AUTHORISED, shop.merchant_id)
    a_payment(Status.CAPTURED)
    program.post("/refunds", {"payment": taken, "amount": 30_000})
    balance = program.get("/ledger/balance").get_json()
    assert balance["booked"] == [rupees(98_000)]
    assert balance["leaving"] == [rupees(30_000)]
    assert balance["available"] == [rupees(68_000)]
    assert balance["held"] == [rupees(100_000)]


@pytest.mark.requirement("S3-09", "S3-11")
def test_every_payment_is_a_line_of_the_merchants_history(shop: Shop) -> None:
    program = shop.program()
    taken = a_payment(Status.CAPTURED, shop.merchant_id)
    (line,) = lines(program)
    number = program.get(f"/payments/{taken}", **{"expand[]": "order"}).get_json()["order"][
        "number"
    ]
    assert line["description"] == f"₹1,000 paid for Order #{number}"
    assert (line["type"], line["source"]) == ("payment", taken)
    assert (line["amount"], line["fee"], line["net"]) == (100_000, 2_000, 98_000)


def test_a_merchants_history_goes_on_page_by_page_and_holds_refunds_that_left(shop: Shop) -> None:
    program = shop.program()
    shopper = a_person()
    money_in_wallet(shopper, inr(500_00))
    paid = wallet_tried(a_checkout(shop.merchant_id, inr(500_00)), shopper)
    other = a_payment(Status.CAPTURED, shop.merchant_id)
    _refunded(shop, paid)
    rows = lines(program)
    assert [(row["type"], row["net"]) for row in rows] == [
        ("refund", -50_000),
        ("payment", 98_000),
        ("payment", 49_000),
    ]
    assert rows[1]["source"] == other
    assert lines(program, limit=1, starting_after=rows[0]["id"]) == [rows[1]]
    assert lines(program, limit=1, ending_before=rows[2]["id"]) == [rows[1]]
    wrong = program.get("/transactions", starting_after="tr_none")
    assert wrong.get_json()["error"]["code"] == "cursor_unknown"


@pytest.mark.requirement("S3-08", "S3-09", "S3-11")
def test_a_persons_history_holds_cards_wallet_and_refunds_in_one_order(
    app: Flask, shop: Shop
) -> None:
    shopper = a_person()
    money_in_wallet(shopper, inr(500_00))
    by_wallet = wallet_tried(a_checkout(shop.merchant_id, inr(200_00)), shopper)
    by_card = card_tried(a_checkout(shop.merchant_id, inr(70_00)), payer=shopper.payer)
    answered(by_card, succeeded(inr(70_00)))
    _refunded(shop, by_wallet)
    me = a_user(app, shopper)
    rows = lines(me)
    assert [(row["type"], row["amount"]) for row in rows] == [
        ("refund", 20_000),
        ("payment", -7_000),
        ("payment", -20_000),
        ("deposit", 50_000),
        ("payment", -50_000),
    ]
    assert rows[2]["description"].startswith("₹200 paid for Order #")
    for size in (1, 2, 3):
        assert _walked(me, size) == rows
    assert lines(a_user(app, a_person())) == []
    assert lines(me, limit=2, ending_before=rows[3]["id"]) == rows[1:3]
    stranger = a_user(app, a_person()).get("/transactions", starting_after=rows[0]["id"])
    assert stranger.get_json()["error"]["code"] == "cursor_unknown"


def _walked(program: Program, size: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        query: dict[str, object] = {"starting_after": found[-1]["id"]} if found else {}
        page = program.get("/transactions", limit=size, **query).get_json()
        found += page["data"]
        if not page["has_more"]:
            return found


def _refunded(shop: Shop, payment_id: str) -> None:
    """Refund all of a payment, and let it leave."""
    by = Actor("merchant_user", shop.owner.id)
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        amount = payments.payment_of(shop.merchant_id, payment_id).payment.amount
        refunds.request(payment_id, amount=amount, reason="other", by=by)
    later = clock.now() + dt.timedelta(minutes=1)
    with clock.standing_at(later), db.scoped(behind()):
        assert refunds.release_due() == 1
