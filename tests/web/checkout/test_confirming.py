"""While nobody knows the outcome the shopper reads “confirming”, never “failed”, and may ask."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.builders import a_checkout, a_merchant, answered, card_tried, now_at, succeeded
from tests.checked_client import CheckedClient
from tests.dead_letters.piles import run
from tests.stories import behind, operations, scalar
from tests.web.checkout.desk import PRICE, at
from webapp import payments
from webapp.accounts.throttle import CHECK_PAYMENT, LIMITS
from webapp.gateway import Failure, Outcome, Result
from webapp.kernel import clock, db
from webapp.payments import Status

LEASED = "lease_until = clock_now(), lease_token = nextval('fence'), first_sent_at = clock_now()"
#: How a call comes to each of the states in which its outcome is not known.
WAYS = {
    "pending": (),
    "in_flight": (f"state = 'in_flight', {LEASED}",),
    "unknown": (f"state = 'in_flight', {LEASED}", "state = 'unknown', lease_until = NULL"),
    "manual": (
        f"state = 'in_flight', {LEASED}",
        "state = 'manual', lease_until = NULL, due_at = NULL, last_error = 'still_in_doubt'",
    ),
}
LOST = ("failed", "declined", "did not work", "another card", "try again")


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


@pytest.mark.parametrize("state", WAYS)
def test_whatever_became_of_the_call_the_shopper_reads_confirming(
    client: CheckedClient, shop: str, state: str
) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = card_tried(link)
    answered(payment_id, Outcome(Result.CREATED, intent_id="pi_1"))
    for step in WAYS[state]:
        run(
            f"UPDATE provider_operation SET {step} WHERE subject_id = :id AND kind = 'confirm'",
            id=payment_id,
        )
    found = "SELECT state FROM provider_operation WHERE subject_id = :id AND kind = 'confirm'"
    assert scalar(found, id=payment_id) == state
    page = client.page(at(link))
    assert "Confirming with your bank" in page.text
    assert "Check now" in page.text
    assert "cannot be charged twice" in page.text
    assert [word for word in LOST if word in page.text.lower()] == []


def test_days_later_it_is_still_confirming_and_a_late_yes_is_paid(
    client: CheckedClient, shop: str
) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = card_tried(link)
    with clock.standing_at(clock.now() + dt.timedelta(days=3)):
        assert "Confirming with your bank" in client.page(at(link)).text
        answered(payment_id, succeeded(PRICE))
        assert "Paid" in client.page(at(link)).text


def test_a_refusal_by_name_is_the_only_thing_that_ends_confirming(
    client: CheckedClient, shop: str
) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = card_tried(link)
    attempt = scalar("SELECT id FROM attempt WHERE payment_id = :id", id=payment_id)
    answered(payment_id, Outcome(Result.PROCESSING), Outcome(Result.CREATED, intent_id="pi_1"))
    assert "Confirming with your bank" in client.page(at(link)).text
    run_failure(payment_id, attempt)
    assert now_at(payment_id).status == Status.AWAITING_METHOD
    assert "Confirming with your bank" not in client.page(at(link)).text


def run_failure(payment_id: str, attempt: str) -> None:
    """Have the provider refuse the very request of this try."""
    with db.scoped(behind()):
        payments.apply(payment_id, Failure("invalid_request"), purpose=attempt)


def test_asking_plans_one_question_and_asking_too_often_plans_none(
    client: CheckedClient, shop: str
) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = card_tried(link)
    answered(payment_id, Outcome(Result.CREATED, intent_id="pi_1"))
    most, _ = LIMITS[CHECK_PAYMENT]
    ended = (
        "UPDATE provider_operation SET state = 'failed', due_at = NULL, closed_at = clock_now()"
        " WHERE subject_id = :id AND kind = 'look_up' AND state = 'pending'"
    )
    for _ in range(most):
        assert client.send(at(link), "/check").status_code == 303
        assert "We are asking the bank again" in client.page(at(link)).text
        run(ended, id=payment_id)
    assert operations(payment_id).count("look_up") == most
    assert client.send(at(link), "/check").status_code == 303
    said = client.page(at(link)).text
    assert "We have just asked" in said
    assert "Confirming with your bank" in said
    assert operations(payment_id).count("look_up") == most, "nothing more is planned"
    with clock.standing_at(clock.now() + dt.timedelta(minutes=16)):
        client.send(at(link), "/check")
    assert operations(payment_id).count("look_up") == most + 1


def test_one_payment_asked_about_too_often_stops_no_other(client: CheckedClient, shop: str) -> None:
    first, second = a_checkout(shop, PRICE), a_checkout(shop, PRICE)
    card_tried(first)
    other = card_tried(second)
    answered(other, Outcome(Result.CREATED, intent_id="pi_1"))
    for _ in range(LIMITS[CHECK_PAYMENT][0] + 1):
        client.send(at(first), "/check")
    client.send(at(second), "/check")
    assert operations(other).count("look_up") == 1
