"""The adapter on a real provider process: each answer, each error, and how often it charges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import stripe as sdk

from tests.gateway.signing import an_event, raw, signature
from tests.provider_process import SECRET_KEY, Sandbox
from webapp.gateway import (
    CallKey,
    Cancel,
    Capture,
    Confirm,
    CreateIntent,
    CreateSession,
    ExpireSession,
    LookUp,
    NeedsPerson,
    Outcome,
    ProviderError,
    Refused,
    Result,
    UnknownOutcome,
    Unreachable,
)
from webapp.gateway.errors import BadEvent
from webapp.gateway.stripe_adapter import StripeKeys, StripeProvider
from webapp.kernel import ids
from webapp.kernel.money import Money

BACK = "http://localhost:8000/back"
CARD = {"name": "Ada", "number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvc": "123"}


def a_key(subject: str | None = None) -> CallKey:
    return CallKey(ids.new("operation"), subject or ids.new("payment"))


def an_intent(stripe: StripeProvider, subject: str, *, manual: bool = False) -> str:
    call = CreateIntent(1000_00, "INR", "1042", "Two lamps", manual_capture=manual)
    outcome = stripe.create_intent(a_key(subject), call)
    assert outcome.result is Result.CREATED
    assert outcome.intent_id is not None
    return outcome.intent_id


def charged(stripe: StripeProvider, subject: str, method: str, *, manual: bool = False) -> Outcome:
    intent_id = an_intent(stripe, subject, manual=manual)
    return stripe.confirm(a_key(subject), Confirm(intent_id, method, BACK))


@pytest.mark.requirement("S1-07", "S0-01")
def test_a_good_card_pays_once_and_the_answer_says_all_that_is_shown(
    stripe: StripeProvider, sandbox: Sandbox
) -> None:
    subject = ids.new("payment")
    outcome = charged(stripe, subject, "pm_card_visa")
    assert outcome.result is Result.SUCCEEDED
    assert outcome.amount == Money(1000_00, "INR")
    assert outcome.card is not None
    assert (outcome.card.brand, outcome.card.last4) == ("visa", "4242")
    assert outcome.provider_fee is not None
    assert outcome.subject_id == subject
    assert sandbox.charges(subject) == 1


@pytest.mark.parametrize(
    ("method", "code", "reason"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
    ],
)
def test_a_decline_is_an_answer_that_says_why(
    stripe: StripeProvider, sandbox: Sandbox, method: str, code: str, reason: str | None
) -> None:
    subject = ids.new("payment")
    outcome = charged(stripe, subject, method)
    assert outcome.result is Result.DECLINED
    assert outcome.decline is not None
    assert outcome.decline.code == code
    assert outcome.decline.decline_code in {reason, code}
    assert outcome.method_id == method
    assert outcome.card is not None
    assert sandbox.charges(subject) == 0


@pytest.mark.parametrize(
    ("answer", "result"), [("complete", Result.SUCCEEDED), ("fail", Result.DECLINED)]
)
def test_a_challenge_is_answered_at_the_bank_and_looked_up_afterwards(
    stripe: StripeProvider, sandbox: Sandbox, answer: str, result: Result
) -> None:
    subject = ids.new("payment")
    asked = charged(stripe, subject, "pm_card_threeDSecure2Required")
    assert asked.result is Result.REQUIRES_ACTION
    assert asked.next_url is not None
    assert sandbox.charges(subject) == 0
    assert sandbox.form(asked.next_url, answer=answer).startswith(BACK)
    outcome = stripe.look_up(a_key(subject), LookUp(intent_id=asked.intent_id))
    assert outcome.result is result
    assert sandbox.charges(subject) == (1 if result is Result.SUCCEEDED else 0)
    if outcome.decline is not None:
        assert outcome.decline.code == "payment_intent_authentication_failure"


def test_held_money_is_taken_once(stripe: StripeProvider, sandbox: Sandbox) -> None:
    subject = ids.new("payment")
    held = charged(stripe, subject, "pm_card_visa", manual=True)
    assert (held.result, held.amount) == (Result.AUTHORISED, Money(1000_00, "INR"))
    assert held.held_until is not None
    assert dt.timedelta(days=6) < held.held_until - dt.datetime.now(dt.UTC) < dt.timedelta(days=8)
    call = Capture(held.intent_id or "")
    for _ in range(2):
        taken = stripe.capture(a_key(subject), call)
        assert (taken.result, taken.amount) == (Result.SUCCEEDED, Money(1000_00, "INR"))
    assert sandbox.charges(subject) == 1


def test_held_money_is_taken_in_part_and_the_rest_is_let_go(
    stripe: StripeProvider, sandbox: Sandbox
) -> None:
    subject = ids.new("payment")
    held = charged(stripe, subject, "pm_card_visa", manual=True)
    intent_id = held.intent_id or ""
    with pytest.raises(Refused):
        stripe.capture(a_key(subject), Capture(intent_id, 1000_01))
    taken = stripe.capture(a_key(subject), Capture(intent_id, 400_00))
    assert (taken.result, taken.amount) == (Result.SUCCEEDED, Money(400_00, "INR"))
    again = stripe.capture(a_key(subject), Capture(intent_id, 600_00))
    assert (again.result, again.amount) == (Result.SUCCEEDED, Money(400_00, "INR"))
    late = stripe.cancel(a_key(subject), Cancel(intent_id))
    assert late.result is Result.SUCCEEDED, "what was taken is not let go"
    assert sandbox.taken(subject) == 400_00


def test_held_money_that_was_let_go_cannot_be_taken(
    stripe: StripeProvider, sandbox: Sandbox
) -> None:
    subject = ids.new("payment")
    intent_id = charged(stripe, subject, "pm_card_visa", manual=True).intent_id or ""
    for _ in range(2):
        assert stripe.cancel(a_key(subject), Cancel(intent_id)).result is Result.CANCELLED
    late = stripe.capture(a_key(subject), Capture(intent_id, 400_00))
    assert late.result is Result.CANCELLED
    assert sandbox.taken(subject) == 0


def test_giving_up_answers_with_where_the_payment_really_stands(stripe: StripeProvider) -> None:
    subject = ids.new("payment")
    intent_id = an_intent(stripe, subject)
    for _ in range(2):
        assert stripe.cancel(a_key(subject), Cancel(intent_id)).result is Result.CANCELLED
    paid = charged(stripe, subject, "pm_card_visa")
    late = stripe.cancel(a_key(subject), Cancel(paid.intent_id or ""))
    assert late.result is Result.SUCCEEDED


def test_a_second_charge_of_a_paid_intent_answers_with_the_first(
    stripe: StripeProvider, sandbox: Sandbox
) -> None:
    subject = ids.new("payment")
    paid = charged(stripe, subject, "pm_card_visa")
    again = stripe.confirm(a_key(subject), Confirm(paid.intent_id or "", "pm_card_visa", BACK))
    assert again.charge_id == paid.charge_id
    assert sandbox.charges(subject) == 1


def a_session(stripe: StripeProvider, subject: str) -> Outcome:
    call = CreateSession(
        1000_00, "INR", "1042", "Two lamps", f"{BACK}?session={{CHECKOUT_SESSION_ID}}", BACK
    )
    return stripe.create_session(a_key(subject), call)


def test_the_providers_own_page_takes_the_money_without_any_script(
    stripe: StripeProvider, sandbox: Sandbox
) -> None:
    subject = ids.new("payment")
    opened = a_session(stripe, subject)
    assert opened.result is Result.SESSION_OPEN
    assert opened.next_url is not None
    assert opened.session_id is not None
    back = sandbox.form(opened.next_url, **CARD)
    assert back == f"{BACK}?session={opened.session_id}"
    paid = stripe.look_up(a_key(subject), LookUp(session_id=opened.session_id))
    assert (paid.result, paid.amount) == (Result.SUCCEEDED, Money(1000_00, "INR"))
    assert paid.session_id == opened.session_id
    assert paid.card is not None
    late = stripe.expire_session(a_key(subject), ExpireSession(opened.session_id))
    assert late.result is Result.SUCCEEDED
    assert sandbox.charges(subject) == 1


def test_a_page_that_is_closed_stays_closed(stripe: StripeProvider) -> None:
    subject = ids.new("payment")
    opened = a_session(stripe, subject)
    for _ in range(2):
        closed = stripe.expire_session(a_key(subject), ExpireSession(opened.session_id or ""))
        assert closed.result is Result.SESSION_EXPIRED


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("drop_before", UnknownOutcome, "connection_lost"),
        ("drop_after", UnknownOutcome, "connection_lost"),
        ("500_before", UnknownOutcome, "provider_error"),
        ("500_after", UnknownOutcome, "provider_error"),
        ("409", UnknownOutcome, "key_in_use"),
        ("429", Unreachable, "rate_limited"),
        ("outage", UnknownOutcome, "connection_lost"),
    ],
)
def test_each_fault_says_what_is_known_of_the_money(
    stripe: StripeProvider, sandbox: Sandbox, fault: str, error: type[ProviderError], code: str
) -> None:
    subject = ids.new("payment")
    call = Confirm(an_intent(stripe, subject), "pm_card_visa", BACK)
    sandbox.fault(fault, endpoint="payment_intents.confirm")
    with pytest.raises(error) as met:
        stripe.confirm(a_key(subject), call)
    assert met.value.code == code
    assert sandbox.charges(subject) == (1 if fault.endswith("_after") else 0)


def test_the_same_key_asks_again_and_charges_once(stripe: StripeProvider, sandbox: Sandbox) -> None:
    key = a_key()
    call = Confirm(an_intent(stripe, key.subject_id), "pm_card_visa", BACK)
    sandbox.fault("drop_after", endpoint="payment_intents.confirm")
    with pytest.raises(UnknownOutcome):
        stripe.confirm(key, call)
    first = stripe.confirm(key, call)
    assert first.result is Result.SUCCEEDED
    assert stripe.confirm(key, call) == first
    assert sandbox.charges(key.subject_id) == 1


def test_an_answer_that_was_never_received_is_found_by_our_own_id(stripe: StripeProvider) -> None:
    key = a_key()
    made = stripe.create_intent(key, CreateIntent(500, "USD", "7"))
    found = stripe.look_up(a_key(key.subject_id), LookUp(operation_id=key.operation_id))
    assert found.intent_id == made.intent_id


@pytest.mark.parametrize(
    "ask",
    [
        lambda it: it.look_up(a_key(), LookUp(intent_id="pi_nothing")),
        lambda it: it.look_up(a_key(), LookUp(session_id="cs_nothing")),
        lambda it: it.look_up(a_key(), LookUp(operation_id="op_nothing")),
    ],
    ids=["intent", "session", "operation"],
)
def test_what_is_not_there_is_a_definite_answer(
    stripe: StripeProvider, ask: Callable[[StripeProvider], Outcome]
) -> None:
    with pytest.raises(Refused) as met:
        ask(stripe)
    assert met.value.code == "not_found"


def test_a_wrong_request_is_refused_by_name(stripe: StripeProvider) -> None:
    subject = ids.new("payment")
    with pytest.raises(Refused) as met:
        stripe.confirm(a_key(subject), Confirm(an_intent(stripe, subject), "pm_nothing", BACK))
    assert met.value.code == "payment_method_unknown"


def test_one_key_with_two_requests_is_for_a_person(stripe: StripeProvider) -> None:
    key = a_key()
    stripe.create_intent(key, CreateIntent(500, "USD", "7"))
    with pytest.raises(NeedsPerson) as met:
        stripe.create_intent(key, CreateIntent(501, "USD", "7"))
    assert met.value.code == "idempotency_error"


def test_an_answer_about_another_payment_is_for_a_person(stripe: StripeProvider) -> None:
    intent_id = an_intent(stripe, ids.new("payment"))
    with pytest.raises(NeedsPerson) as met:
        stripe.look_up(a_key(), LookUp(intent_id=intent_id))
    assert met.value.code == "other_subject"


def news_of(stripe: StripeProvider, sandbox: Sandbox, subject: str) -> dict[str, Outcome]:
    """Return what the provider's own events say about one payment, by kind."""
    client = sdk.StripeClient(SECRET_KEY, base_addresses={"api": sandbox.origin})
    news: dict[str, Outcome] = {}
    for one in client.v1.events.list({"limit": 20}).data:
        body = raw(one.to_dict(for_json=True))
        event = stripe.parse_event(body, signature(body))
        if event.outcome is not None and event.subject_id == subject:
            news[event.kind] = event.outcome
    return news


def test_the_providers_own_events_read_as_its_own_answers(
    stripe: StripeProvider, sandbox: Sandbox
) -> None:
    subject = ids.new("payment")
    paid = charged(stripe, subject, "pm_card_visa")
    news = news_of(stripe, sandbox, subject)
    told = news["payment_intent.succeeded"]
    assert (told.result, told.amount) == (paid.result, paid.amount)
    assert told.intent_id == paid.intent_id
    assert told.operation_id == paid.operation_id
    assert news["charge.succeeded"].card == paid.card


def test_what_happens_on_the_providers_page_is_told_as_ours(
    stripe: StripeProvider, sandbox: Sandbox
) -> None:
    subject = ids.new("payment")
    opened = a_session(stripe, subject)
    with pytest.raises(AssertionError, match="402"):
        sandbox.form(opened.next_url or "", **{**CARD, "number": "4000 0000 0000 9995"})
    declined = news_of(stripe, sandbox, subject)["payment_intent.payment_failed"]
    assert declined.result is Result.SESSION_OPEN
    assert declined.decline is not None
    assert declined.decline.decline_code == "insufficient_funds"
    sandbox.form(opened.next_url or "", **CARD)
    news = news_of(stripe, sandbox, subject)
    assert news["payment_intent.succeeded"].amount == Money(1000_00, "INR")
    assert news["checkout.session.completed"].session_id == opened.session_id
    assert news["checkout.session.completed"].result is Result.SUCCEEDED


@pytest.mark.parametrize("changes", [{"livemode": True}, {"account": "acct_somebody"}])
def test_an_event_of_another_account_or_mode_is_refused_though_signed(
    stripe: StripeProvider, changes: dict[str, Any]
) -> None:
    body = raw(an_event(**changes))
    with pytest.raises(BadEvent):
        stripe.parse_event(body, signature(body))


def test_secrets_are_not_in_what_is_printed() -> None:
    keys = StripeKeys("https://api.stripe.com", "sk_live_hush", ("whsec_hush",), livemode=True)
    assert "hush" not in repr(keys)
