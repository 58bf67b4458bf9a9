"""What time brings: links that end, looks at the provider, payments that are given up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import text

from tests.builders import (
    Link,
    a_checkout,
    a_merchant,
    a_method,
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
from tests.stories import behind, operations, payment_is_whole, scalar
from webapp import orders, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import clock, db
from webapp.outbox import Actor
from webapp.payments import Status, start, sweep

PRICE = inr(1_000_00)
BEGIN = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
BY = Actor("shopper")


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


@contextmanager
def after(**passed: float) -> Iterator[None]:
    """Stand so long after the beginning, as a worker."""
    with clock.standing_at(BEGIN + dt.timedelta(**passed)), db.scoped(db.WORKER):
        yield


def begun(shop: str) -> Link:
    """Open a checkout at the beginning."""
    with clock.standing_at(BEGIN):
        return a_checkout(shop, PRICE)


def intent_made(link: Link, method: str | None = None) -> str:
    """Begin to pay by card at the beginning, with the intent made; returns the payment's id."""
    with clock.standing_at(BEGIN):
        payment_id = card_tried(link, method)
        answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"))
        calls_answered(payment_id)
    return payment_id


def session_of(link: Link) -> str:
    """Return where a link stands."""
    found = scalar("SELECT status FROM checkout_session WHERE id = :id", id=link.ref.session_id)
    return str(found)


@pytest.mark.requirement("S4-20")
def test_a_link_lasts_fifteen_minutes_and_the_order_longer(shop: str) -> None:
    link = begun(shop)
    with after(minutes=14, seconds=59):
        assert payments.expire_due() == 0
        card_is_ready(link)
    with after(minutes=15):
        assert payments.expire_due() == 1
        assert payments.expire_due() == 0
    assert session_of(link) == "expired"
    assert scalar("SELECT status FROM shop_order WHERE id = :i", i=link.ref.order_id) == "pending"


def card_is_ready(link: Link) -> None:
    """Assert that the link can still be used."""
    assert orders.checkout_of(link.ref.session_id).status == "open"


@pytest.mark.requirement("S4-20")
def test_a_link_whose_time_is_over_is_refused_even_before_it_was_swept(shop: str) -> None:
    link = begun(shop)
    with clock.standing_at(BEGIN + dt.timedelta(minutes=15)):
        with pytest.raises(orders.CheckoutExpired):
            card_tried(link)
        assert session_of(link) == "open"


def test_a_payment_under_way_keeps_its_link_open(shop: str) -> None:
    link, method = begun(shop), a_method()
    payment_id = intent_made(link, method)
    with after(minutes=40):
        assert payments.expire_due() == 0
        assert session_of(link) == "open"
        answered(payment_id, needs_action(method))
        assert payments.expire_due() == 0
        answered(payment_id, succeeded(PRICE, method))
    assert session_of(link) == "complete"
    payment_is_whole(payment_id)


def test_links_that_cannot_end_yet_stand_in_nobody_elses_way(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "AT_MOST", 1)
    first, second = begun(shop), begun(shop)
    intent_made(first)
    with after(minutes=40):
        assert payments.expire_due() == 1
    assert (session_of(first), session_of(second)) == ("open", "expired")


def test_a_payment_whose_tries_were_declined_has_failed_when_its_link_ends(shop: str) -> None:
    link, method = begun(shop), a_method()
    payment_id = intent_made(link, method)
    answered(payment_id, declined(method))
    with after(minutes=15):
        assert payments.expire_due() == 1
    assert now_at(payment_id).status == Status.FAILED
    assert operations(payment_id)[-1] == "cancel"
    payment_is_whole(payment_id)


def test_looking_again_asks_once_per_interval_and_less_often_with_age(shop: str) -> None:
    payment_id = intent_made(begun(shop))
    with after(seconds=29):
        assert payments.look_again() == 0
    with after(seconds=30):
        assert payments.look_again() == 1
        assert payments.look_again() == 0
    assert operations(payment_id).count("look_up") == 1
    with after(hours=4):
        assert payments.look_again() == 1
    assert operations(payment_id).count("look_up") == 1, "one question at a time"
    calls_answered(payment_id)
    with after(hours=4, minutes=59):
        assert payments.look_again() == 0
    with after(hours=5):
        assert payments.look_again() == 1
    assert operations(payment_id).count("look_up") == 2


def test_a_challenge_nobody_finished_is_cancelled_at_the_provider(shop: str) -> None:
    link, method = begun(shop), a_method()
    payment_id = intent_made(link, method)
    with clock.standing_at(BEGIN):
        answered(payment_id, needs_action(method))
    with after(minutes=29):
        payments.look_again()
    assert operations(payment_id)[-1] == "look_up"
    calls_answered(payment_id)
    with after(minutes=45):
        payments.look_again()
    assert operations(payment_id)[-1] == "cancel"
    assert now_at(payment_id).status == Status.REQUIRES_ACTION, "the provider's answer moves it"
    answered(payment_id, Outcome(Result.CANCELLED), Outcome(Result.CANCELLED))
    assert now_at(payment_id).status == Status.CANCELLED
    with after(minutes=50):
        assert payments.expire_due() == 1
    payment_is_whole(payment_id)


def test_checking_now_asks_only_about_what_is_under_way(shop: str) -> None:
    method = a_method()
    payment_id = intent_made(begun(shop), method)
    with db.scoped(db.WORKER):
        payments.check_now(payment_id)
        payments.check_now(payment_id)
        assert operations(payment_id).count("look_up") == 1
        answered(payment_id, succeeded(PRICE, method))
        calls_answered(payment_id)
        payments.check_now(payment_id)
    assert operations(payment_id).count("look_up") == 1


def test_before_the_provider_knows_a_payment_there_is_nothing_to_ask(shop: str) -> None:
    payment_id = card_tried(a_checkout(shop, PRICE))
    with db.scoped(db.WORKER):
        payments.check_now(payment_id)
    assert operations(payment_id) == ["create_intent"]


def test_a_payment_is_given_up_only_while_the_shopper_has_the_next_step(shop: str) -> None:
    link, method = begun(shop), a_method()
    payment_id = intent_made(link, method)
    with db.scoped(db.WORKER), pytest.raises(payments.PaymentUnderWay):
        payments.give_up(payment_id, by=BY)
    answered(payment_id, needs_action(method))
    with db.scoped(db.WORKER):
        payments.give_up(payment_id, by=BY)
        payments.give_up(payment_id, by=BY)
    assert operations(payment_id).count("cancel") == 1
    answered(payment_id, Outcome(Result.CANCELLED))
    with db.scoped(db.WORKER):
        payments.give_up(payment_id, by=BY)
    assert now_at(payment_id).status == Status.CANCELLED
    payment_is_whole(payment_id)


def test_after_a_decline_giving_up_ends_the_payment_and_the_link_stays(shop: str) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, declined(method))
    with db.scoped(link.scope()):
        payments.give_up(payment_id, by=BY)
    assert now_at(payment_id).status == Status.CANCELLED
    assert session_of(link) == "open"
    assert card_tried(link) != payment_id


def test_giving_the_providers_page_up_lets_another_way_be_chosen(shop: str) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = hosted_tried(link)
    session = f"cs_{payment_id}"
    answered(
        payment_id,
        Outcome(Result.SESSION_OPEN, session_id=session, next_url="http://p/1"),
        Outcome(Result.SESSION_OPEN, intent_id=f"pi_{payment_id}"),
    )
    with db.scoped(link.scope()):
        payments.give_up(payment_id, by=BY)
    assert operations(payment_id)[-1] == "expire_session"
    answered(payment_id, Outcome(Result.SESSION_EXPIRED, session_id=session))
    calls_answered(payment_id)
    assert now_at(payment_id).status == Status.AWAITING_METHOD
    assert card_tried(link) != payment_id


@pytest.mark.requirement("S4-20")
def test_a_fresh_link_ends_the_older_one_and_nothing_else(shop: str) -> None:
    link = a_checkout(shop, PRICE)
    with db.scoped(link.scope()):
        opened = payments.fresh_link(link.ref.order_id, by=BY)
        assert opened.token != link.token
        assert orders.checkout_for(opened.token).order_id == link.ref.order_id
    assert session_of(link) == "expired"
    with pytest.raises(orders.CheckoutExpired):
        card_tried(link)


def test_no_fresh_link_while_a_payment_is_under_way(shop: str) -> None:
    link = a_checkout(shop, PRICE)
    card_tried(link)
    with db.scoped(link.scope()), pytest.raises(payments.PaymentUnderWay):
        payments.fresh_link(link.ref.order_id, by=BY)
    assert session_of(link) == "open"


def test_a_paid_order_gets_no_fresh_link(shop: str) -> None:
    link = a_checkout(shop, PRICE)
    answered(card_tried(link), succeeded(PRICE))
    with db.scoped(link.scope()), pytest.raises(orders.OrderNotPayable):
        payments.fresh_link(link.ref.order_id, by=BY)


def test_an_order_is_cancelled_with_its_waiting_payment_but_not_under_a_running_one(
    shop: str,
) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = card_tried(link, method)
    with db.scoped(link.scope()), pytest.raises(payments.PaymentUnderWay):
        payments.cancel_order(link.ref.order_id, by=BY)
    answered(payment_id, declined(method))
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=BY)
        payments.cancel_order(link.ref.order_id, by=BY)
    assert now_at(payment_id).status == Status.CANCELLED
    assert session_of(link) == "expired"
    payment_is_whole(payment_id)


@pytest.mark.parametrize("fault", ["refusal", "database"])
def test_a_payment_that_cannot_be_looked_at_holds_up_no_other_and_goes_to_the_back(
    shop: str, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    with clock.standing_at(BEGIN):
        first, second = (card_tried(a_checkout(shop, PRICE)) for _ in range(2))
        for payment_id in (first, second):
            answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"))
            calls_answered(payment_id)
    plan = start.plan_look_up

    def stumbling(payment: payments.Payment) -> None:
        if payment.id != first:
            plan(payment)
        elif fault == "refusal":
            raise payments.PaymentUnderWay
        else:
            db.session.execute(text("SELECT 1 / 0"))

    monkeypatch.setattr(start, "plan_look_up", stumbling)
    later = BEGIN + dt.timedelta(hours=1)
    with clock.standing_at(later), db.scoped(behind()):
        assert payments.look_again() == 2
        assert payments.look_again() == 0
    assert operations(second)[-1] == "look_up"
    assert operations(first)[-1] != "look_up"
    assert (now_at(first).check_at or BEGIN) > later
