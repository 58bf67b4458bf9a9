"""The same adapter against Stripe itself, in test mode: `pytest -m live_stripe`, with a key set.

Left out of every other run, because it needs the Internet and somebody's own test key.
"""

from __future__ import annotations

import os

import pytest

from webapp.gateway import (
    CallKey,
    Cancel,
    Confirm,
    CreateIntent,
    CreateSession,
    ExpireSession,
    LookUp,
    Refused,
    Result,
)
from webapp.gateway.stripe_adapter import StripeKeys, StripeProvider
from webapp.kernel import ids
from webapp.kernel.money import Money

pytestmark = pytest.mark.live_stripe
BACK = "https://example.com/back"


@pytest.fixture
def stripe() -> StripeProvider:
    """Stripe in test mode; a live key is refused, since these tests charge cards."""
    key = os.environ.get("STRIPE_SECRET_KEY", "")
    assert key.startswith("sk_test_"), "set STRIPE_SECRET_KEY to a test key of your own"
    keys = StripeKeys("https://api.stripe.com", key, ("whsec_unused",), livemode=False)
    return StripeProvider(keys)


def a_key(subject: str) -> CallKey:
    return CallKey(ids.new("operation"), subject)


def an_intent(stripe: StripeProvider, subject: str) -> str:
    made = stripe.create_intent(a_key(subject), CreateIntent(1000, "USD", "1042", "Two lamps"))
    assert made.result is Result.CREATED
    return made.intent_id or ""


def test_our_key_is_known(stripe: StripeProvider) -> None:
    stripe.ping()


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("pm_card_visa", Result.SUCCEEDED),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", Result.DECLINED),
        ("pm_card_threeDSecure2Required", Result.REQUIRES_ACTION),
    ],
)
def test_a_card_answers_as_in_the_sandbox(
    stripe: StripeProvider, method: str, result: Result
) -> None:
    subject = ids.new("payment")
    key = a_key(subject)
    call = Confirm(an_intent(stripe, subject), method, BACK)
    outcome = stripe.confirm(key, call)
    assert outcome.result is result
    assert stripe.confirm(key, call).charge_id == outcome.charge_id
    assert (outcome.next_url is not None) is (result is Result.REQUIRES_ACTION)
    if result is Result.SUCCEEDED:
        assert outcome.amount == Money(1000, "USD")
        assert outcome.card is not None
        late = stripe.cancel(a_key(subject), Cancel(call.intent_id))
        assert late.result is Result.SUCCEEDED


def test_an_intent_is_given_up(stripe: StripeProvider) -> None:
    subject = ids.new("payment")
    call = Cancel(an_intent(stripe, subject))
    assert stripe.cancel(a_key(subject), call).result is Result.CANCELLED
    assert stripe.cancel(a_key(subject), call).result is Result.CANCELLED


def test_a_page_is_opened_and_closed(stripe: StripeProvider) -> None:
    subject = ids.new("payment")
    call = CreateSession(1000, "USD", "1042", "Two lamps", BACK, BACK)
    opened = stripe.create_session(a_key(subject), call)
    assert opened.result is Result.SESSION_OPEN
    assert opened.next_url is not None
    close = ExpireSession(opened.session_id or "")
    assert stripe.expire_session(a_key(subject), close).result is Result.SESSION_EXPIRED


def test_what_is_not_there_is_a_definite_answer(stripe: StripeProvider) -> None:
    with pytest.raises(Refused) as met:
        stripe.look_up(a_key(ids.new("payment")), LookUp(intent_id="pi_nothing"))
    assert met.value.code == "not_found"
