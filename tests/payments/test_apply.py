"""Whatever the provider says, in any order and however often: one end, one posting, one story."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import (
    Link,
    a_checkout,
    a_merchant,
    a_method,
    a_person,
    a_top_up,
    answered,
    calls_answered,
    card_tried,
    declined,
    hosted_tried,
    inr,
    needs_action,
    now_at,
    succeeded,
)
from tests.stories import (
    attempts,
    operations,
    order_now,
    payment_is_told,
    payment_is_whole,
    postings,
    scalar,
)
from webapp import ledger, payments
from webapp.gateway import Decline, Failure, Outcome, Result
from webapp.kernel import clock, db
from webapp.payments import Status

PRICE = inr(1_000_00)
#: The mode of every payment here.
TEST = False
#: Each example is a payment of its own, so the one database of the test may serve them all.
many = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def said(first: str, intent: str) -> dict[str, Outcome]:
    """Return everything that can be heard about a first try with the method `first`."""
    return {
        "made": Outcome(Result.CREATED, intent_id=intent),
        "processing": Outcome(Result.PROCESSING, intent_id=intent, method_id=first),
        "action": needs_action(first),
        "declined": declined(first),
        "answer": succeeded(PRICE, first, intent=intent),
        "webhook": succeeded(PRICE, intent=intent),
        "look-up": succeeded(PRICE, first, intent=intent),
    }


def heard(*names: str, at_least: str) -> st.SearchStrategy[list[str]]:
    """Any sequence of those messages, with repetitions, that has at least one of `at_least`."""
    return st.lists(st.sampled_from([*names, at_least]), min_size=1, max_size=6).filter(
        lambda messages: at_least in messages
    )


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


@pytest.mark.requirement("S0-06", "S1-04")
def test_any_order_and_number_of_good_news_takes_the_money_once(shop: str) -> None:
    @many
    @given(heard("made", "processing", "action", "webhook", "look-up", at_least="answer"))
    def check(messages: list[str]) -> None:
        link, method = a_checkout(shop, PRICE), a_method()
        payment_id = card_tried(link, method)
        news = said(method, f"pi_{payment_id}")
        answered(payment_id, *(news[name] for name in messages))
        payment = now_at(payment_id)
        assert payment.status == Status.CAPTURED
        assert payment.captured == PRICE
        assert payment.fee == PRICE.basis_points(200)
        assert payment.method_label == "Visa •••• 4242"
        assert payment.check_at is None
        assert attempts(payment_id) == ["succeeded"]
        assert postings(payment_id) == 1
        assert postings(payment_id, "suspense") == 0
        assert order_now(link.ref.order_id) == ("completed", 2)
        assert session_of(link) == "complete"
        payment_is_told(payment_id)

    check()


@pytest.mark.requirement("S2-30")
def test_any_order_and_number_of_bad_news_moves_no_money_and_ends_one_try(shop: str) -> None:
    @many
    @given(heard("made", "processing", "action", at_least="declined"))
    def check(messages: list[str]) -> None:
        link, method = a_checkout(shop, PRICE), a_method()
        payment_id = card_tried(link, method)
        news = said(method, f"pi_{payment_id}")
        answered(payment_id, *(news[name] for name in messages))
        payment = now_at(payment_id)
        assert payment.status == Status.AWAITING_METHOD
        assert payment.last_decline_code == "insufficient_funds"
        assert (payment.captured_minor, payment.fee_minor) == (0, 0)
        assert attempts(payment_id) == ["declined"]
        assert postings(payment_id) == 0
        assert order_now(link.ref.order_id) == ("pending", 1)
        payment_is_told(payment_id)

    check()


def test_stale_news_of_the_first_try_does_not_touch_the_second(shop: str) -> None:
    @many
    @given(
        st.lists(st.sampled_from(["made", "processing", "action", "declined"]), max_size=5),
        st.lists(st.sampled_from(["processing", "action"]), max_size=3),
    )
    def check(stale: list[str], fresh: list[str]) -> None:
        link, first, second = a_checkout(shop, PRICE), a_method(), a_method()
        payment_id = card_tried(link, first)
        old = said(first, f"pi_{payment_id}")
        answered(payment_id, old["made"], old["declined"])
        calls_answered(payment_id)
        card_tried(link, second)
        new = said(second, f"pi_{payment_id}")
        answered(payment_id, *(old[name] for name in stale))
        assert attempts(payment_id) == ["declined", "processing"]
        assert now_at(payment_id).status == Status.PROCESSING
        answered(payment_id, *(new[name] for name in fresh), *(old[name] for name in stale))
        answered(payment_id, new["answer"], *(old[name] for name in stale))
        assert now_at(payment_id).status == Status.CAPTURED
        assert attempts(payment_id) == ["declined", "succeeded"]
        assert operations(payment_id).count("confirm") == 2
        assert postings(payment_id) == 1
        payment_is_told(payment_id)

    check()


def test_a_challenge_that_comes_after_its_own_success_changes_nothing(shop: str) -> None:
    method = a_method()
    payment_id = card_tried(a_checkout(shop, PRICE), method)
    answered(payment_id, succeeded(PRICE, method), needs_action(method), declined(method))
    assert now_at(payment_id).status == Status.CAPTURED
    assert now_at(payment_id).version == 3
    payment_is_whole(payment_id)


def test_the_charge_is_planned_once_however_often_the_intent_is_announced(shop: str) -> None:
    payment_id = card_tried(a_checkout(shop, PRICE))
    made = Outcome(Result.CREATED, intent_id=f"pi_{payment_id}")
    answered(payment_id, made, made, made)
    assert operations(payment_id) == ["create_intent", "confirm"]


@pytest.mark.parametrize("again", [1, 2, 3])
def test_a_page_of_the_provider_that_ran_out_ends_its_try_once(shop: str, again: int) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = hosted_tried(link)
    page = Outcome(Result.SESSION_OPEN, session_id=f"cs_{payment_id}", next_url="http://p/1")
    over = Outcome(Result.SESSION_EXPIRED, session_id=f"cs_{payment_id}")
    answered(payment_id, page, page, *[over] * again, page)
    assert now_at(payment_id).status == Status.AWAITING_METHOD
    assert now_at(payment_id).version == 4
    assert attempts(payment_id) == ["abandoned"]
    payment_is_whole(payment_id)


def test_a_page_of_the_provider_that_was_paid_pays_once(shop: str) -> None:
    @many
    @given(heard("open", at_least="paid"))
    def check(messages: list[str]) -> None:
        link = a_checkout(shop, PRICE)
        payment_id = hosted_tried(link)
        session = f"cs_{payment_id}"
        news = {
            "open": Outcome(Result.SESSION_OPEN, session_id=session, next_url="http://p/1"),
            "paid": succeeded(PRICE, "pm_unknown_to_us", intent=f"pi_{payment_id}"),
        }
        answered(payment_id, *(news[name] for name in messages))
        assert now_at(payment_id).status == Status.CAPTURED
        assert attempts(payment_id) == ["succeeded"]
        assert postings(payment_id) == 1
        payment_is_told(payment_id)

    check()


@pytest.mark.parametrize("code", ["amount_too_small", "resource_missing", "expired_card"])
def test_a_request_that_the_provider_refuses_ends_just_its_own_try(shop: str, code: str) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = card_tried(link)
    purpose = scalar("SELECT id FROM attempt WHERE payment_id = :id", id=payment_id)
    with db.scoped(db.WORKER):
        payments.apply(payment_id, Failure(code), purpose="att_of_another")
        assert now_at(payment_id).status == Status.PROCESSING
        for _ in range(3):
            payments.apply(payment_id, Failure(code), purpose=purpose)
    assert now_at(payment_id).status == Status.AWAITING_METHOD
    known = code in payments.CATALOGUE
    wanted = code if known else "provider_unavailable"
    assert now_at(payment_id).last_decline_code == wanted
    assert attempts(payment_id) == ["declined"]
    payment_is_whole(payment_id)


def test_the_tenth_declined_try_is_the_last(shop: str) -> None:
    link = a_checkout(shop, PRICE)
    for _ in range(10):
        method = a_method()
        payment_id = card_tried(link, method)
        answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"))
        answered(payment_id, declined(method))
        calls_answered(payment_id)
    assert now_at(payment_id).status == Status.FAILED
    assert attempts(payment_id) == ["declined"] * 10
    assert operations(payment_id)[-1] == "cancel"
    payment_is_whole(payment_id)
    assert card_tried(link) != payment_id, "the order stays payable by a new payment"


def test_a_decline_without_a_reason_has_words_too(shop: str) -> None:
    payment_id = card_tried(a_checkout(shop, PRICE))
    answered(payment_id, Outcome(Result.DECLINED, decline=Decline("card_declined")))
    code = now_at(payment_id).last_decline_code
    assert code == "card_declined"
    assert payments.advice_on(code).shopper_says == payments.advice_on(None).shopper_says


def test_a_top_up_fills_the_wallet_once(app: Flask) -> None:
    person = a_person()
    link, method = a_top_up(person, inr(500_00)), a_method()
    payment_id = card_tried(link, method, payer=person.payer)
    answered(payment_id, *[succeeded(inr(500_00), method)] * 3)
    with db.scoped(db.WORKER):
        assert ledger.balance(ledger.wallet(person.id, TEST, "INR")) == inr(500_00)
    assert now_at(payment_id).fee_minor == 0
    payment_is_whole(payment_id)


def test_news_of_a_payment_that_is_not_there_is_refused(app: Flask) -> None:
    with pytest.raises(payments.PaymentNotFound):
        answered("pay_nothing", succeeded(PRICE))


def session_of(link: Link) -> str:
    """Return where a checkout link stands."""
    found = scalar("SELECT status FROM checkout_session WHERE id = :id", id=link.ref.session_id)
    return str(found)


def test_the_clock_of_a_captured_payment_is_ours(shop: str) -> None:
    moment = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
    payment_id = card_tried(a_checkout(shop, PRICE))
    with clock.standing_at(moment):
        answered(payment_id, succeeded(PRICE))
    assert now_at(payment_id).captured_at == moment
