"""The flow as it is printed: register, sign in, order ₹1,000, pay, recorded, told."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from jobs.subscriptions import NOTIFY
from tests.api.desk import Program, a_shop, nobody
from tests.builders import PASSWORD, Someone, inr, money_in_wallet
from tests.stories import behind
from webapp import notifications, outbox
from webapp.kernel import db
from webapp.notifications import Mail

EMAIL = "nila@people.example"


def confirming_token() -> str:
    """Return the token of the link in the one mail that was written to the new address."""
    with db.scoped(behind()):
        (words,) = [one.text_body for one in db.session.scalars(select(Mail)) if one.to == EMAIL]
    found = re.search(r"http://localhost:8000/verify/([\w-]+)", words)
    assert found is not None
    return found[1]


def signed_up(app: Flask) -> Program:
    """Register, confirm the address and sign in, each by the API; returns who holds the token."""
    new = {"email": EMAIL, "name": "Nila Iyer", "password": PASSWORD}
    credentials = {"email": EMAIL, "password": PASSWORD}
    assert nobody(app).post("/auth/register", new).status_code == 202
    confirmed = nobody(app).post("/auth/verify-email", {"token": confirming_token()})
    assert confirmed.status_code == 200
    pair = nobody(app).post("/auth/tokens", credentials)
    assert pair.status_code == 200, pair.text
    return Program(nobody(app).client, pair.get_json()["access_token"])


def tell_people() -> None:
    """Do the relay’s part for the inbox: what happened is told to whom it concerns."""
    with db.transaction(db.WORKER):
        facts = outbox.take_due(NOTIFY)
        notifications.notify(facts)
        outbox.told(NOTIFY, facts)


def balance(me: Program) -> int:
    """Return what is in the one wallet, in paise."""
    (wallet,) = me.get("/wallets").get_json()["data"]
    found = me.get(f"/wallets/{wallet['id']}/balance").get_json()
    return int(found["available"])


@pytest.mark.requirement("S3-01", "S3-09", "S3-11", "S3-12", "S3-19")
def test_register_sign_in_order_pay_record_and_alert(app: Flask) -> None:
    me = signed_up(app)
    who = me.get("/users/me").get_json()
    assert (who["name"], who["is_verified"]) == ("Nila Iyer", True)
    money_in_wallet(Someone(who["id"], EMAIL), inr(1_500_00))
    assert balance(me) == 1_500_00
    seller = a_shop(app).program()
    order = seller.post("/orders", {"amount": 1_000_00, "currency": "INR"}).get_json()
    assert order["status"] == "PENDING"
    session = seller.post("/checkout-sessions", {"order": order["id"]}).get_json()
    token = session["url"].rsplit("/", 1)[1]
    tell_people()
    told_before = me.get("/users/me/messages").get_json()["data"]
    paid = me.post("/payments", {"checkout": token, "payment_method": "wallet"}).get_json()
    assert paid["status"] == "SUCCESS"
    assert balance(me) == 500_00
    assert seller.get(f"/orders/{order['id']}").get_json()["status"] == "COMPLETED"
    line = me.get("/transactions").get_json()["data"][0]
    assert line["description"] == f"₹1,000 paid for Order #{order['number']}"
    assert (line["type"], line["amount"], line["source"]) == ("payment", -1_000_00, paid["id"])
    tell_people()
    (fresh, *rest) = me.get("/users/me/messages").get_json()["data"]
    assert fresh["text"] == f"Your payment of ₹1,000 for Order #{order['number']} is successful."
    assert rest == told_before
    stranger = seller.get("/users/me/messages")
    assert stranger.status_code in {401, 403}
