"""The hosted payment page, driven by plain forms as a browser without JavaScript does."""

import time
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.running import RunningSandbox, Shape, wait_until

SHOP = "http://localhost:9/checkout"
CARD = {"name": "Asha Rao", "number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvc": "123"}


def opened(sandbox: RunningSandbox, **others: Shape) -> Shape:
    wanted: Shape = {
        "mode": "payment",
        "line_items": [
            {
                "price_data": {
                    "currency": "inr",
                    "unit_amount": 500_00,
                    "product_data": {"name": "Order #1042"},
                },
                "quantity": 2,
            }
        ],
        "payment_intent_data": {"metadata": {"operation": "op_1"}},
        "client_reference_id": "pay_1",
        "customer_email": "asha@example.com",
        "metadata": {"subject": "pay_1"},
        "success_url": SHOP + "/return?session={CHECKOUT_SESSION_ID}",
        "cancel_url": SHOP + "/back",
        **others,
    }
    return sandbox.stripe.v1.checkout.sessions.create(wanted)


def pay(url: str, **typed: str) -> requests.Response:
    return requests.post(url, data=CARD | typed, allow_redirects=False, timeout=10)


def test_a_session_is_paid_by_a_plain_form(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    assert (session.status, session.payment_status, session.payment_intent) == (
        "open",
        "unpaid",
        None,
    )
    assert session.amount_total == 1000_00
    page = requests.get(session.url, timeout=10)
    assert "Order #1042" in page.text
    assert "₹1,000.00" in page.text
    gone = pay(session.url)
    assert gone.status_code == 303
    assert gone.headers["Location"] == f"{SHOP}/return?session={session.id}"
    after: Any = sandbox.stripe.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge"]}
    )
    assert (after.status, after.payment_status, after.url) == ("complete", "paid", None)
    assert after.client_reference_id == "pay_1"
    assert after.payment_intent.status == "succeeded"
    assert after.payment_intent.metadata["operation"] == "op_1"
    assert after.payment_intent.latest_charge.receipt_email == "asha@example.com"
    assert pay(session.url).status_code == 303
    assert sandbox.books_of(after.payment_intent.id)["successful_charges"] == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": " "}, "Enter the name on the card."),
        ({"number": ""}, "Enter your card number."),
        ({"number": "4242"}, "The card number is incomplete."),
        ({"number": "4242424242424241"}, "Check the card number: a digit looks wrong."),
        ({"number": "4012888888881881"}, "Only test cards work here."),
        ({"expiry": ""}, "Enter the expiry date."),
        ({"expiry": "soon"}, "Write the expiry as month and year"),
        ({"expiry": "12/20"}, "This card has expired."),
        ({"cvc": ""}, "Enter the security code."),
        ({"cvc": "12"}, "The security code has 3 digits"),
    ],
)
def test_a_mistyped_field_is_said_and_nothing_is_tried(
    sandbox: RunningSandbox, typed: dict[str, str], sentence: str
) -> None:
    session = opened(sandbox)
    page = pay(session.url, **typed)
    assert page.status_code == 422
    assert sentence in page.text
    assert sandbox.get("/control/books")["payment_intents"] == []


def test_a_decline_is_shown_and_another_card_pays_the_same_intent(
    sandbox: RunningSandbox,
) -> None:
    session = opened(sandbox)
    page = pay(session.url, number="4000000000009995")
    assert page.status_code == 402
    assert "Your card has insufficient funds." in page.text
    assert "No money moved." in page.text
    assert pay(session.url).status_code == 303
    rows = sandbox.get("/control/books")["payment_intents"]
    assert [(row["successful_charges"], row["failed_charges"]) for row in rows] == [(1, 1)]


@pytest.mark.parametrize(("choice", "status"), [("complete", "complete"), ("fail", "open")])
def test_a_session_asks_the_bank_by_redirect(
    sandbox: RunningSandbox, choice: str, status: str
) -> None:
    session = opened(sandbox)
    challenge = pay(session.url, number="4000002760003184").headers["Location"]
    end = requests.Session()
    back = end.post(challenge, data={"answer": choice}, allow_redirects=False, timeout=10)
    last = end.get(back.headers["Location"], allow_redirects=False, timeout=10)
    assert sandbox.stripe.v1.checkout.sessions.retrieve(session.id).status == status
    if choice == "complete":
        assert last.headers["Location"] == f"{SHOP}/return?session={session.id}"
    else:
        assert "Your bank did not confirm this payment." in last.text


def test_an_expired_session_takes_no_money(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    expire = sandbox.stripe.v1.checkout.sessions.expire
    assert expire(session.id).status == "expired"
    page = pay(session.url)
    assert page.status_code == 410
    assert "No money moved." in page.text
    with pytest.raises(stripe.InvalidRequestError, match="status of expired"):
        expire(session.id)
    assert sandbox.get("/control/books")["payment_intents"] == []


@pytest.mark.parametrize("end", ["taken", "let go"])
def test_a_page_may_only_hold_the_money(sandbox: RunningSandbox, end: str) -> None:
    for_intent = {"metadata": {"operation": "op_1"}, "capture_method": "manual"}
    session = opened(sandbox, payment_intent_data=for_intent)
    assert pay(session.url).status_code == 303
    after: Any = sandbox.stripe.v1.checkout.sessions.retrieve(session.id)
    assert (after.status, after.payment_status) == ("complete", "unpaid")
    intents = sandbox.stripe.v1.payment_intents
    held = intents.retrieve(after.payment_intent)
    assert (held.status, held.amount_capturable) == ("requires_capture", 1000_00)
    if end == "taken":
        assert intents.capture(held.id, {"amount_to_capture": 1_00}).amount_received == 1_00
    else:
        assert intents.cancel(held.id).status == "canceled"
    assert sandbox.books_of(held.id)["captured"] == (1_00 if end == "taken" else 0)


def test_a_session_expires_by_itself_and_cancels_what_was_begun(sandbox: RunningSandbox) -> None:
    session = opened(sandbox, expires_at=int(time.time()) + 1800)
    pay(session.url, number="4000000000000002")
    sandbox.control("clock", offset_seconds=1801)
    retrieve = sandbox.stripe.v1.checkout.sessions.retrieve
    wait_until(lambda: retrieve(session.id).status == "expired")
    rows = sandbox.get("/control/books")["payment_intents"]
    assert [row["status"] for row in rows] == ["canceled"]


def test_a_paid_session_cannot_be_expired(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    pay(session.url)
    with pytest.raises(stripe.InvalidRequestError, match="status of complete"):
        sandbox.stripe.v1.checkout.sessions.expire(session.id)


@pytest.mark.parametrize(
    ("others", "param"),
    [
        ({"expires_at": int(time.time()) + 900}, "expires_at"),
        ({"line_items": []}, "line_items"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"payment_intent_data": {"colour": "red"}}, "payment_intent_data[colour]"),
    ],
)
def test_a_session_with_a_wrong_parameter_is_refused(
    sandbox: RunningSandbox, others: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        opened(sandbox, **others)
    assert caught.value.param == param


def test_a_session_settles_later_when_the_bank_is_slow(sandbox: RunningSandbox) -> None:
    sandbox.control("settlement", seconds=60)
    session = opened(sandbox)
    assert pay(session.url).status_code == 303
    retrieve = sandbox.stripe.v1.checkout.sessions.retrieve
    waiting = retrieve(session.id)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    sandbox.control("clock", offset_seconds=61)
    wait_until(lambda: retrieve(session.id).payment_status == "paid")
