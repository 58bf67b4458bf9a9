"""What a payment learns of its card and of the bank's check, whichever message brings it."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask

from tests.builders import (
    a_checkout,
    a_merchant,
    a_method,
    answered,
    card_tried,
    declined,
    inr,
    needs_action,
    now_at,
    succeeded,
)
from webapp import payments
from webapp.gateway import Card
from webapp.kernel import db
from webapp.payments import Attempt, Status

PRICE = inr(1_000_00)
VISA = Card("visa", "4242", 12, 2034, "credit", "IN")


def try_of(payment_id: str) -> Attempt:
    """Return the newest try of a payment."""
    with db.scoped(db.WORKER):
        return payments.attempts_of(payment_id)[-1]


@pytest.fixture
def asked(app: Flask) -> tuple[str, str]:
    """A payment whose bank asks the shopper, and the method that was used."""
    method = a_method()
    payment_id = card_tried(a_checkout(a_merchant(), PRICE), method)
    answered(payment_id, needs_action(method))
    return payment_id, method


def test_a_check_that_was_asked_and_not_finished_says_so(asked: tuple[str, str]) -> None:
    assert try_of(asked[0]).three_d_secure == "challenged"


def test_a_check_that_ended_well_is_kept_though_the_message_does_not_say(
    asked: tuple[str, str],
) -> None:
    payment_id, method = asked
    answered(payment_id, dataclasses.replace(succeeded(PRICE, method), card=None))
    assert now_at(payment_id).status == Status.CAPTURED
    assert try_of(payment_id).three_d_secure == "authenticated"


def test_a_check_that_failed_is_kept_as_failed(asked: tuple[str, str]) -> None:
    payment_id, method = asked
    answered(payment_id, declined(method, "payment_intent_authentication_failure"))
    assert try_of(payment_id).three_d_secure == "failed"


def test_a_later_message_brings_the_card_that_the_first_did_not(asked: tuple[str, str]) -> None:
    payment_id, method = asked
    bare = dataclasses.replace(succeeded(PRICE, method), card=None, charge_id=None)
    answered(payment_id, bare)
    version = now_at(payment_id).version
    answered(payment_id, dataclasses.replace(bare, card=VISA, charge_id="ch_late"))
    told = now_at(payment_id)
    assert (told.method_label, told.version) == ("Visa •••• 4242", version)
    assert (try_of(payment_id).card_last4, try_of(payment_id).charge_id) == ("4242", "ch_late")
