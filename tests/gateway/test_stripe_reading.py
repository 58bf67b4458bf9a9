"""What Stripe's objects mean to us, as a table."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.gateway.signing import an_event
from webapp.gateway import Card, Decline, Result
from webapp.gateway import stripe_events as events
from webapp.gateway import stripe_reading as reading
from webapp.kernel.money import Money

ERROR = {
    "code": "card_declined",
    "decline_code": "insufficient_funds",
    "message": "Your card has insufficient funds.",
    "charge": "ch_declined",
    "payment_method": {"id": "pm_declined", "card": {"brand": "visa", "last4": "9995"}},
}
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "status": "succeeded",
    "captured": True,
    "amount": 1000,
    "amount_captured": 1000,
    "currency": "inr",
    "payment_intent": "pi_1",
    "payment_method": "pm_1",
    "metadata": {"subject": "pay_01", "operation": "op_made"},
    "balance_transaction": {"id": "txn_1", "fee": 320, "currency": "inr"},
    "payment_method_details": {
        "card": {
            "brand": "visa",
            "last4": "4242",
            "exp_month": 12,
            "exp_year": 2030,
            "funding": "credit",
            "country": "US",
            "issuer": "A Bank",
            "three_d_secure": {"result": "authenticated"},
            "wallet": {"type": "apple_pay"},
        }
    },
}


def an_intent(**changes: Any) -> dict[str, Any]:
    thing: dict[str, Any] = an_event()["data"]["object"]
    return thing | changes


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("requires_payment_method", Result.CREATED),
        ("requires_confirmation", Result.CREATED),
        ("requires_action", Result.REQUIRES_ACTION),
        ("processing", Result.PROCESSING),
        ("requires_capture", Result.AUTHORISED),
        ("succeeded", Result.SUCCEEDED),
        ("canceled", Result.CANCELLED),
    ],
)
def test_each_of_the_seven_states_of_an_intent_has_its_meaning(status: str, result: Result) -> None:
    assert reading.intent(an_intent(status=status)).result is result


def test_a_success_says_what_was_received_by_which_card_and_at_what_cost() -> None:
    outcome = reading.intent(an_intent(latest_charge=CHARGE))
    assert outcome.amount == Money(1000, "INR")
    assert outcome.card == Card(
        "visa", "4242", 12, 2030, "credit", "US", issuer="A Bank", wallet="apple_pay"
    )
    assert outcome.provider_fee == Money(320, "INR")
    assert outcome.three_d_secure == "authenticated"
    assert (outcome.charge_id, outcome.subject_id) == ("ch_1", "pay_01")


def test_money_that_is_held_is_what_can_be_captured() -> None:
    outcome = reading.intent(an_intent(status="requires_capture", amount_capturable=700))
    assert outcome.amount == Money(700, "INR")


def test_until_when_a_bank_holds_money_is_what_the_charge_tells() -> None:
    holds = {"card": {"brand": "visa", "last4": "4242", "capture_before": 1_800_000_000}}
    charge = CHARGE | {"payment_method_details": holds, "status": "succeeded", "captured": False}
    held = an_intent(status="requires_capture", amount_capturable=700, latest_charge=charge)
    until = dt.datetime(2027, 1, 15, 8, tzinfo=dt.UTC)
    assert reading.intent(held).held_until == until
    assert reading.intent(held | {"status": "succeeded"}).held_until is None
    assert reading.intent(held | {"latest_charge": "ch_1"}).held_until is None
    news = reading.charge(charge | {"payment_intent": "pi_1", "amount": 700, "currency": "inr"})
    assert news is not None
    assert news.held_until == until


def test_a_decline_names_the_try_it_belongs_to_and_both_codes() -> None:
    outcome = reading.intent(
        an_intent(status="requires_payment_method", last_payment_error=ERROR, payment_method=None)
    )
    assert outcome.result is Result.DECLINED
    assert outcome.method_id == "pm_declined"
    assert outcome.charge_id == "ch_declined"
    assert outcome.card == Card("visa", "9995")
    assert outcome.decline == Decline(
        "card_declined", "insufficient_funds", "Your card has insufficient funds."
    )


def test_a_challenge_says_where_to_send_the_shopper_and_nothing_of_an_older_decline() -> None:
    outcome = reading.intent(
        an_intent(
            status="requires_action",
            last_payment_error=ERROR,
            latest_charge=CHARGE,
            next_action={
                "type": "redirect_to_url",
                "redirect_to_url": {"url": "https://bank.example/3ds", "return_url": "x"},
            },
        )
    )
    assert outcome.next_url == "https://bank.example/3ds"
    assert (outcome.decline, outcome.card, outcome.charge_id) == (None, None, None)
    assert outcome.method_id == "pm_1"


@pytest.mark.parametrize(
    ("action", "url"),
    [
        (
            {"use_stripe_sdk": {"stripe_js": "https://hooks.stripe.com/3d"}},
            "https://hooks.stripe.com/3d",
        ),
        ({"use_stripe_sdk": {"type": "three_d_secure_redirect"}}, None),
        ({"redirect_to_url": {"url": "javascript:alert(1)"}}, None),
        ({}, None),
    ],
)
def test_only_an_address_of_the_web_is_followed(action: dict[str, Any], url: str | None) -> None:
    assert reading.intent(an_intent(status="requires_action", next_action=action)).next_url == url


def test_a_decline_on_the_providers_page_leaves_that_page_open() -> None:
    metadata = {"subject": "pay_01", "operation": "op_1", "via": "session"}
    outcome = reading.intent(
        an_intent(status="requires_payment_method", last_payment_error=ERROR, metadata=metadata)
    )
    assert outcome.result is Result.SESSION_OPEN
    assert outcome.decline is not None


@pytest.mark.parametrize(
    ("status", "payment_status", "result"),
    [
        ("open", "unpaid", Result.SESSION_OPEN),
        ("expired", "unpaid", Result.SESSION_EXPIRED),
        ("complete", "paid", Result.SUCCEEDED),
        ("complete", "unpaid", Result.PROCESSING),
    ],
)
def test_a_session_stands_where_its_two_states_say(
    status: str, payment_status: str, result: Result
) -> None:
    outcome = reading.session(
        {
            "id": "cs_1",
            "status": status,
            "payment_status": payment_status,
            "payment_intent": "pi_1",
            "amount_total": 1000,
            "currency": "inr",
            "url": "https://checkout.example/cs_1",
            "metadata": {"subject": "pay_01"},
        }
    )
    assert outcome.result is result
    assert (outcome.next_url is not None) is (status == "open")
    assert (outcome.amount == Money(1000, "INR")) is (result is Result.SUCCEEDED)


def test_the_intent_inside_a_complete_session_decides() -> None:
    session = {
        "id": "cs_1",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": an_intent(latest_charge=CHARGE),
    }
    outcome = reading.session(session)
    assert outcome.result is Result.SUCCEEDED
    assert (outcome.session_id, outcome.card is not None) == ("cs_1", True)


@pytest.mark.parametrize(
    ("minor", "currency"),
    [(1000, "jpy"), (1000, "inr"), (1250, "kwd"), (1000, "vnd")],
)
def test_their_minor_units_are_ours(minor: int, currency: str) -> None:
    assert reading.money(minor, currency) == Money(minor, currency.upper())


def test_a_currency_we_do_not_take_is_no_amount() -> None:
    assert reading.money(1000, "isk") is None


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({}, Result.SUCCEEDED),
        ({"captured": False}, Result.AUTHORISED),
        ({"status": "failed"}, None),
        ({"payment_intent": None}, None),
    ],
)
def test_a_charge_is_news_only_when_it_brings_success(
    changes: dict[str, Any], result: Result | None
) -> None:
    outcome = reading.charge(CHARGE | changes)
    assert (outcome.result if outcome else None) is result


def test_an_event_that_our_call_caused_names_our_operation() -> None:
    asked = an_event(request={"id": "req_1", "idempotency_key": "op_confirm"})
    outcome = events.event(asked).outcome
    assert outcome is not None
    assert outcome.operation_id == "op_confirm"
    by_itself = events.event(an_event()).outcome
    assert by_itself is not None
    assert by_itself.operation_id == "op_made"


@pytest.mark.parametrize("kind", ["payment_intent.created", "balance.available", "some.thing_new"])
def test_an_event_of_another_kind_carries_no_news(kind: str) -> None:
    assert events.event(an_event(kind)).outcome is None


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "event",
        {},
        {"id": "evt_1", "type": "x", "livemode": False, "created": 1, "data": {}},
        {"id": "", "type": "x", "livemode": False, "created": 1, "data": {"object": {}}},
        {"id": "evt_1", "type": "x", "livemode": "no", "created": 1, "data": {"object": {}}},
        {"id": "e" * 256, "type": "x", "livemode": False, "created": 1, "data": {"object": {}}},
    ],
)
def test_what_is_not_an_event_is_seen(payload: object) -> None:
    assert not events.is_event(payload)
