"""Older contracts, request for request as they were printed."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import text

from tests.api.desk import Shop, a_shop
from tests.api.printed import bare, refused
from tests.api.things import a_saved_card
from tests.builders import (
    a_method,
    a_payment,
    answered,
    inr,
    now_at,
    succeeded,
)
from tests.provider_process import Sandbox, running_sandbox
from tests.webhooks.hooks import public_names
from webapp import gateway, payments
from webapp.gateway import Card, Outcome, Result, tokenising
from webapp.kernel import clock, crypto, db
from webapp.payments import Status

USER = "550e8400-e29b-41d4-a716-446655440000"
MERCHANT = "550e8400-e29b-41d4-a716-446655440001"
VPA = "user@paytm"
UPI_BODY = {
    "user_id": USER,
    "merchant_id": MERCHANT,
    "amount_paisa": 10000,
    "currency": "INR",
    "payment_method": "UPI",
    "payment_details": {"vpa": VPA},
    "description": "Payment for order #12345",
    "callback_url": "https://merchant.com/webhook",
    "metadata": {"order_id": "ORD_12345", "customer_email": "user@people.example"},
}
CARD_BODY = {
    "user_id": USER,
    "type": "CARD",
    "details": {
        "card_number": "4111111111111111",
        "expiry_month": "12",
        "expiry_year": "25",
        "cvv": "123",
        "holder_name": "John Doe",
    },
    "display_name": "**** **** **** 1111",
}


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


@pytest.fixture
def sandbox(app: Flask, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that makes the portal's tokens."""
    settings = app.extensions["paydeck_settings"]
    with running_sandbox(tmp_path) as running:
        tokenising.use(replace(settings, provider_api_base=running.origin))
        yield running
    tokenising.use(settings)


@pytest.mark.requirement("S4-20")
def test_a_upi_payment_waits_with_a_link_a_picture_and_fifteen_minutes(shop: Shop) -> None:
    with clock.standing_at(clock.now()):
        answer = bare(shop.program(), "/api/v1/payments", UPI_BODY)
    assert answer.status_code == 201, answer.text
    told = answer.get_json()
    assert (told["payment_id"], told["status"]) == (told["id"], "PENDING")
    assert (told["amount_paisa"], told["fees_paisa"]) == (10000, 0)
    link = urlsplit(told["payment_url"])
    asked = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert (link.scheme, link.netloc, link.path) == ("upi", "pay", "")
    assert (asked["am"], asked["cu"], asked["pn"]) == ("100.00", "INR", "Lotus Tea House")
    assert asked["tn"] == "Payment for order #12345"
    assert asked["pa"].endswith("@paydeck-sandbox")
    head, _, picture = told["qr_code"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(picture).startswith(b"\x89PNG\r\n\x1a\n")
    made, ends = (dt.datetime.fromisoformat(told[name]) for name in ("created_at", "expires_at"))
    assert ends - made == dt.timedelta(minutes=15)
    assert told["metadata"]["order_id"] == "ORD_12345"
    assert told["metadata"]["user_id"] == USER
    assert told["metadata"]["vpa"] == crypto.mask_email(VPA)
    assert VPA not in _everything_kept()


@pytest.mark.requirement("S4-20")
def test_a_upi_payment_never_succeeds_by_itself_and_is_payable_by_its_link(
    app: Flask, shop: Shop
) -> None:
    told = bare(shop.program(), "/api/v1/payments", UPI_BODY).get_json()
    assert now_at(told["id"]).status == Status.CREATED
    page = app.test_client().get(told["checkout_url"].removeprefix("http://localhost:8000"))
    assert page.status_code == 200
    assert 'data-amount="10000"' in page.text


def test_paise_of_another_currency_and_another_merchants_id_are_refused(shop: Shop) -> None:
    program = shop.program()
    dollars = bare(program, "/api/v1/payments", UPI_BODY | {"currency": "USD"})
    assert refused(dollars) == (400, "parameter_invalid", "currency")
    other = bare(program, "/api/v1/payments", UPI_BODY | {"merchant_id": "mer_other"})
    assert refused(other) == (400, "parameter_invalid", "merchant_id")


def test_paise_are_paid_at_once_by_any_method_and_nothing_is_dropped(shop: Shop) -> None:
    program = shop.program()
    paise = {"amount_paisa": 10_000, "payment_method": a_method()}
    told = bare(program, "/api/v1/payments", paise)
    assert (told.status_code, told.get_json()["status"]) == (201, "PROCESSING"), told.text
    beside = UPI_BODY | {"payment_details": {"token": a_method()}}
    assert refused(bare(program, "/api/v1/payments", beside))[2] == "payment_details.token"
    waiting = bare(program, "/api/v1/payments", paise | {"confirm": False})
    assert refused(waiting)[2] == "confirm"
    many = {f"n{number}": "x" for number in range(50)}
    full = bare(program, "/api/v1/payments", UPI_BODY | {"metadata": many})
    assert refused(full)[2] == "metadata"
    assert "user_id" in full.get_json()["error"]["message"]
    long = UPI_BODY | {"callback_url": f"https://merchant.example/{'x' * 500}"}
    assert refused(bare(program, "/api/v1/payments", long))[2] == "callback_url"


def test_too_much_back_names_the_field_that_was_sent(shop: Shop) -> None:
    taken = a_payment(Status.CAPTURED, shop.merchant_id)
    program = shop.program()
    answer = bare(program, f"/api/v1/payments/{taken}/refund", {"amount_paisa": 10**9})
    assert refused(answer)[2] == "amount_paisa"


@pytest.mark.requirement("S4-21")
def test_a_payment_tells_what_the_bank_calls_it(shop: Shop) -> None:
    program = shop.program()
    payment_id = bare(
        program,
        "/api/v1/payments",
        UPI_BODY | {"payment_method": "CARD", "payment_details": {"token": a_method()}},
    ).get_json()["payment_id"]
    took = replace(succeeded(inr(100_00)), approval_code="123456", network_reference="403112345678")
    answered(payment_id, Outcome(Result.CREATED, intent_id="pi_named"), took)
    told = program.get(f"/payments/{payment_id}").get_json()
    assert (told["payment_id"], told["status"]) == (payment_id, "SUCCESS")
    assert (told["amount_paisa"], told["fees_paisa"]) == (10000, 200)
    assert told["external_txn_id"] == "ch_1"
    assert told["gateway_response"] == {"rrn": "403112345678", "approval_code": "123456"}
    for name in ("processed_at", "created_at"):
        assert dt.datetime.fromisoformat(told[name]).tzinfo is not None


def test_what_the_provider_does_not_tell_is_left_empty_and_not_made_up(shop: Shop) -> None:
    program = shop.program()
    taken = a_payment(Status.CAPTURED, shop.merchant_id)
    told = program.get(f"/payments/{taken}").get_json()
    assert told["gateway_response"] == {"rrn": None, "approval_code": None}


@pytest.mark.requirement("S4-22")
def test_a_refund_in_paise_keeps_the_reason_as_it_was_written(shop: Shop) -> None:
    program = shop.program()
    taken = a_payment(Status.CAPTURED, shop.merchant_id)
    body = {
        "amount_paisa": 5000,
        "reason": "Customer requested refund",
        "metadata": {"refund_request_id": "REF_123"},
    }
    answer = bare(program, f"/api/v1/payments/{taken}/refund", body)
    assert answer.status_code == 201, answer.text
    told = answer.get_json()
    assert (told["payment_id"], told["amount_paisa"], told["refund_id"]) == (
        taken,
        5000,
        told["id"],
    )
    assert (told["note"], told["reason"]) == ("Customer requested refund", "requested_by_customer")
    assert told["metadata"] == {"refund_request_id": "REF_123"}
    words = bare(program, f"/api/v1/payments/{taken}/refund", {"reason": "Wrong colour"})
    assert (words.get_json()["reason"], words.get_json()["amount"]) == ("other", 95_000)


@pytest.mark.requirement("S4-23", "S4-40")
def test_the_printed_cards_expired_year_gets_its_clear_error(shop: Shop, sandbox: Sandbox) -> None:
    assert sandbox.origin
    answer = bare(shop.program(), "/api/v1/payment-methods/tokenize", CARD_BODY)
    assert refused(answer) == (400, "card_expired", "details.expiry_year")
    assert "expired" in answer.get_json()["error"]["message"]


@pytest.mark.requirement("S4-23", "S4-24", "S4-40")
def test_a_test_card_becomes_a_token_that_is_listed_and_pays(shop: Shop, sandbox: Sandbox) -> None:
    assert sandbox.origin
    program = shop.program()
    answer = bare(program, "/api/v1/payment-methods/tokenize", _good())
    assert answer.status_code == 201, answer.text
    kept = answer.get_json()
    assert kept["display_name"] == "**** **** **** 1111"
    assert kept["card"] == {
        "token": kept["token"],
        "last_4": "1111",
        "expiry_month": 12,
        "expiry_year": 2040,
        "card_type": "credit",
        "issuer_bank": None,
        "brand": "visa",
    }
    listed = program.get(f"/users/{USER}/payment-methods").get_json()
    assert listed["data"] == [kept]
    paid = program.post(
        "/payments", {"amount": 100, "currency": "INR", "payment_method": kept["token"]}
    )
    assert paid.get_json()["status"] == "PROCESSING"
    other = a_shop(shop.app).program().get(f"/users/{USER}/payment-methods")
    assert other.status_code == 404


def test_a_users_tokens_are_listed_page_by_page_in_the_order_in_which_they_were_kept(
    shop: Shop,
) -> None:
    """The provider's own ids tell no order."""
    program, kept = shop.program(), [f"pm_{shop.merchant_id}_{end}" for end in "badce"]
    for token_id in kept:
        token = gateway.Token(token_id, Card("visa", "4242", 12, 2034))
        with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
            payments.keep_method(token, payments.Keeping(shop.merchant_id, "asha"))
    newest = kept[::-1]

    def page(**query: Any) -> tuple[list[str], bool]:
        answer = program.get("/users/asha/payment-methods", **query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.get_json()["data"]], answer.get_json()["has_more"]

    assert page() == (newest, False)
    assert page(limit=2) == (newest[:2], True)
    assert page(limit=2, starting_after=newest[1]) == (newest[2:4], True)
    assert page(limit=2, starting_after=newest[3]) == (newest[4:], False)
    assert page(limit=2, ending_before=newest[3]) == (newest[1:3], True)
    assert page(starting_after=newest[4]) == ([], False)
    for other in ("pm_nothing", a_saved_card(a_shop(shop.app))):
        refusal = program.get("/users/asha/payment-methods", starting_after=other)
        assert refused(refusal) == (400, "cursor_unknown", "starting_after")


@pytest.mark.requirement("S4-04", "S4-23")
def test_neither_number_nor_code_is_kept_anywhere(
    shop: Shop, sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sandbox.origin
    program = shop.program()
    for body in (_good(), CARD_BODY, _good(card_number="4000000000000000"), _good(surplus="x")):
        bare(program, "/api/v1/payment-methods/tokenize", body, **{"Idempotency-Key": "canary"})
    found = _everything_kept()
    assert "payment_method" in found
    for secret in ("4111111111111111", "4000000000000000", '"123"', "cvv"):
        assert secret not in found
    written = "".join(capfd.readouterr())
    assert "4111111111111111" not in written
    assert "4000000000000000" not in written


def test_a_token_that_another_merchant_keeps_charges_nobody(shop: Shop, sandbox: Sandbox) -> None:
    assert sandbox.origin
    program, stranger = shop.program(), a_shop(shop.app).program()
    kept = bare(program, "/api/v1/payment-methods/tokenize", _good()).get_json()["token"]
    body = {"amount": 100, "currency": "INR"}
    answer = stranger.post("/payments", {**body, "payment_method": kept})
    assert refused(answer) == (402, "method_refused", "payment_method")
    waiting = stranger.post("/payments", body).get_json()["id"]
    confirmed = stranger.post(f"/payments/{waiting}/confirm", {"payment_method": kept})
    assert refused(confirmed) == (402, "method_refused", "payment_method")
    assert now_at(waiting).status == Status.CREATED


def test_another_card_under_the_key_of_the_first_is_told_apart(
    shop: Shop, sandbox: Sandbox
) -> None:
    assert sandbox.origin
    path, key = "/api/v1/payment-methods/tokenize", {"Idempotency-Key": "one-card"}
    program = shop.program()
    first = bare(program, path, _good(), **key)
    assert bare(program, path, _good(card_number="4111 1111 1111 1111"), **key).data == first.data
    other = bare(program, path, _good(expiry_year="41"), **key)
    assert refused(other)[:2] == (422, "key_reused")


def test_what_a_publishable_key_sends_takes_no_key_of_the_shop(
    shop: Shop, sandbox: Sandbox
) -> None:
    assert sandbox.origin
    key = {"Idempotency-Key": "order-7732"}
    page = bare(
        shop.program(kind="publishable"), "/api/v1/payment-methods/tokenize", _good(), **key
    )
    assert page.status_code == 201, page.text
    server = shop.program().post("/orders", {"amount": 100, "currency": "INR"}, **key)
    assert server.status_code == 201, server.text


def test_a_card_that_is_no_test_card_and_a_live_key_are_refused(
    shop: Shop, sandbox: Sandbox
) -> None:
    assert sandbox.origin
    program = shop.program()
    unknown = _good(card_number="5500005555555559")
    stranger = bare(program, "/api/v1/payment-methods/tokenize", unknown)
    assert refused(stranger) == (400, "card_unusable", "details.card_number")
    assert "5500005555555559" not in stranger.text
    live = shop.program(livemode=True)
    answer = bare(live, "/api/v1/payment-methods/tokenize", _good())
    assert answer.status_code == 403


def test_with_a_real_provider_no_number_is_taken(app: Flask, shop: Shop) -> None:
    settings = app.extensions["paydeck_settings"]
    tokenising.use(replace(settings, provider_api_base="https://api.stripe.com"))
    try:
        answer = bare(shop.program(), "/api/v1/payment-methods/tokenize", _good())
    finally:
        tokenising.use(settings)
    assert refused(answer)[:2] == (403, "card_number_refused")


@pytest.mark.requirement("S4-25")
def test_a_webhook_is_made_with_the_callers_own_secret(shop: Shop) -> None:
    program = shop.program()
    body = {
        "url": "https://merchant.com/webhook",
        "events": ["payment.success", "payment.failed", "refund.processed"],
        "secret": "webhook_secret_key",
    }
    with public_names():
        answer = bare(program, "/api/v1/webhooks", body)
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert made["secret"] == "webhook_secret_key"
    assert sorted(made["events"]) == sorted(body["events"])
    assert program.get(f"/webhook-endpoints/{made['id']}").status_code == 200


def _good(**details: str) -> dict[str, Any]:
    card = {**CARD_BODY["details"], "expiry_year": "40", **details}  # type: ignore[dict-item]
    return {**CARD_BODY, "details": card}


def _everything_kept() -> str:
    """Return every row of every table as text."""
    with db.transaction(db.OWNER) as session:
        names = session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        ).all()
        rows = [
            f"{name}: {row}"
            for name in names
            for row in session.scalars(text(f'SELECT t::text FROM "{name}" t')).all()
        ]
    return "\n".join(rows)
