"""Charges by a user's plain name, payments initiated, and the flow from order to history."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.desk import Shop, a_shop, a_user, nobody
from tests.api.printed import bare, refused
from tests.builders import a_person, answered, inr, money_in_wallet, now_at, succeeded
from tests.stories import scalar
from webapp import accounts, payments
from webapp.api.aliases import charge
from webapp.gateway import Failure
from webapp.kernel import db
from webapp.kernel.money import Money


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


@pytest.mark.requirement("S1-01", "S1-02", "S1-03", "S1-04", "S1-05")
def test_a_charge_sent_twice_fills_the_wallet_once_and_the_balance_is_a_bare_number(
    app: Flask,
) -> None:
    program = nobody(app)
    body = '{"userId": "bruce_wayne", "amount": 5000.00, "currency": "USD"}'
    header = {"Idempotency-Key": "unique-click-001"}
    first = bare(program, "/api/payments/charge", body, **header)
    assert first.status_code == 200, first.text
    again = bare(program, "/api/payments/charge", body, **header)
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert b'"amount":5000.00' in first.data
    answered(first.get_json()["payment_id"], succeeded(Money(500_000, "USD")))
    assert plain_balance(program.client, "bruce_wayne") == b"5000.0"
    assert plain_balance(program.client, "clark_kent") == b"0.0"


@pytest.mark.requirement("S1-03")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("5000.00", 500_000),
        ("0.29", 29),
        ("1e2", 10_000),
        ("9007199254740.93", None),
        ('"19.99"', 1_999),
        ("4.35", 435),
        ("70368744177.65", None),
        ("1.005", None),
        ("0", None),
        ("-5", None),
        ("true", None),
        ("1e400", None),
        ('"NaN"', None),
        ('"1_000"', None),
    ],
)
def test_decimals_are_read_exactly_or_refused(app: Flask, sent: str, kept: int | None) -> None:
    body = f'{{"userId": "decimal_dan", "amount": {sent}, "currency": "USD"}}'
    answer = bare(nobody(app), "/api/payments/charge", body)
    if kept is None:
        assert refused(answer)[0] == 400
        assert refused(answer)[2] == "amount"
    else:
        assert now_at(answer.get_json()["payment_id"]).amount_minor == kept


def test_a_test_key_has_test_users_of_its_own_and_a_live_one_none(app: Flask, shop: Shop) -> None:
    body = {"userId": "bruce_wayne", "amount": 10, "currency": "INR"}
    program = shop.program()
    payment_id = bare(program, "/api/payments/charge", body).get_json()["payment_id"]
    answered(payment_id, succeeded(inr(10_00)))
    header = {"Authorization": f"Bearer {program.token}"}
    assert plain_balance(program.client, "bruce_wayne", **header) == b"10.0"
    assert plain_balance(nobody(app).client, "bruce_wayne") == b"0.0"
    live = shop.program(livemode=True)
    assert refused(bare(live, "/api/payments/charge", body))[:2] == (403, "mode_not_connected")
    narrow = shop.program(scopes=["orders:read"])
    assert refused(bare(narrow, "/api/payments/charge", body))[:2] == (403, "scope_missing")
    person = a_user(app, a_person())
    assert refused(bare(person, "/api/payments/charge", body))[:2] == (403, "role_missing")


def test_how_a_charge_stands_is_told_to_whom_it_belongs(app: Flask, shop: Shop) -> None:
    body = {"userId": "bruce_wayne", "amount": "0.01", "currency": "USD"}
    program = shop.program()
    payment_id = bare(program, "/api/payments/charge", body).get_json()["payment_id"]
    address = f"/api/payments/charge/{payment_id}?userId=bruce_wayne"
    assert program.ask("GET", address, root=True).get_json()["status"] == "PROCESSING"
    tried = scalar("SELECT id FROM attempt WHERE payment_id = :id", id=payment_id)
    with db.scoped(db.WORKER):
        payments.apply(payment_id, Failure("amount_too_small"), purpose=tried)
    told = program.ask("GET", address, root=True).get_json()
    assert told == {
        "payment_id": payment_id,
        "status": "PENDING",
        "decline_code": "amount_too_small",
    }
    assert nobody(app).ask("GET", address, root=True).status_code == 404
    other = address.replace("bruce_wayne", "selina_kyle")
    assert program.ask("GET", other, root=True).status_code == 404


@pytest.mark.requirement("S1-01")
def test_outside_the_demo_nobody_charges_without_a_key(app: Flask) -> None:
    settings = app.extensions["paydeck_settings"]
    app.extensions["paydeck_settings"] = replace(settings, demo=False)
    try:
        body = {"userId": "bruce_wayne", "amount": 10, "currency": "INR"}
        answer = bare(nobody(app), "/api/payments/charge", body)
        read = nobody(app).client.get("/api/ledger/balance/bruce_wayne")
    finally:
        app.extensions["paydeck_settings"] = settings
    assert refused(answer)[:2] == refused(read)[:2] == (401, "credentials_missing")


@pytest.mark.requirement("S0-27", "S0-20")
def test_a_payment_is_initiated_by_a_person_with_a_token(app: Flask, shop: Shop) -> None:
    shopper = a_person()
    money_in_wallet(shopper, inr(500_00))
    order = shop.program().post("/orders", {"amount": 50_000, "currency": "INR"}).get_json()
    session = shop.program().post("/checkout-sessions", {"order": order["id"]}).get_json()
    body = {"checkout": session["url"].rsplit("/", 1)[1], "payment_method": "wallet"}
    key = {"Idempotency-Key": "initiate-1"}
    unsigned = bare(nobody(app), "/payments/initiate", body, **key)
    assert refused(unsigned)[:2] == (401, "credentials_missing")
    answer = bare(a_user(app, shopper), "/payments/initiate", body, **key)
    assert (answer.status_code, answer.get_json()["status"]) == (201, "SUCCESS")


def plain_balance(client: FlaskClient, name: str, **headers: str) -> bytes:
    db.end_reads()
    answer = client.get(f"/api/ledger/balance/{name}", headers=headers)
    assert answer.status_code == 200, answer.text
    given: bytes = answer.data
    return given


def test_where_all_seats_are_taken_a_balance_is_told_as_it_stands(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"userId": "seat_taker", "amount": 10, "currency": "INR"}
    bare(nobody(app), "/api/payments/charge", body)
    asked: list[str] = []
    monkeypatch.setattr(payments, "is_being_charged", asked.append)
    seats = threading.BoundedSemaphore(1)
    monkeypatch.setattr(charge, "SEATS", seats)
    with seats:
        assert plain_balance(nobody(app).client, "seat_taker") == b"0.0"
    assert asked == []
    assert plain_balance(nobody(app).client, "seat_taker") == b"0.0"
    assert len(asked) == 1


def test_naming_a_test_user_hashes_no_password(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signing in has two places for that, and nobody signs in as one."""
    assert app
    monkeypatch.setattr(accounts.passwords, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(accounts.passwords, "WAIT_SECONDS", 0)
    with accounts.passwords._turns:  # noqa: SLF001 - every place taken
        user_id = accounts.make_named_user("quick_quill", space="demo")
    stored = str(scalar("SELECT password_hash FROM app_user WHERE id = :id", id=user_id))
    assert not accounts.passwords.is_right(stored, "")
