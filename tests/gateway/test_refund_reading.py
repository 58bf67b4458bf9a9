"""Stripe's refunds read as a table, and its messages about them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.signing import an_event
from webapp.gateway import Event, Kind, LookUpRefund, Refund, Result
from webapp.gateway import stripe_events as events
from webapp.gateway import stripe_reading as reading
from webapp.gateway.calls import as_stored, from_stored
from webapp.gateway.policy import settles
from webapp.kernel.money import Money

CARD = {"reference": "74120345678901234567890", "reference_status": "available"}
REFUND: dict[str, Any] = {
    "id": "re_provider",
    "object": "refund",
    "amount": 500_00,
    "charge": "ch_1",
    "currency": "inr",
    "destination_details": {"card": CARD, "type": "card"},
    "metadata": {"subject": "re_ours", "operation": "op_made"},
    "payment_intent": "pi_1",
    "status": "succeeded",
}


@pytest.mark.parametrize(
    ("status", "result", "failure"),
    [
        ("pending", Result.REFUND_PENDING, None),
        ("requires_action", Result.REFUND_PENDING, None),
        ("succeeded", Result.REFUND_SUCCEEDED, None),
        ("failed", Result.REFUND_FAILED, "lost_or_stolen_card"),
        ("canceled", Result.REFUND_FAILED, "lost_or_stolen_card"),
    ],
)
def test_a_refund_says_where_it_stands(status: str, result: Result, failure: str | None) -> None:
    read = reading.refund(REFUND | {"status": status, "failure_reason": "lost_or_stolen_card"})
    assert (read.result, read.failure_code) == (result, failure)
    assert (read.refund_id, read.intent_id, read.charge_id) == ("re_provider", "pi_1", "ch_1")
    assert (read.subject_id, read.operation_id) == ("re_ours", "op_made")
    assert read.amount == Money(500_00, "INR")
    assert read.bank_reference == CARD["reference"]


@pytest.mark.parametrize(
    "details",
    [None, {}, {"type": "card"}, {"type": "card", "card": {"reference_status": "pending"}}],
)
def test_a_reference_that_the_bank_has_not_given_yet_is_none(details: object) -> None:
    assert reading.refund(REFUND | {"destination_details": details}).bank_reference is None


def test_one_that_ended_without_a_reason_carries_its_status_as_the_reason() -> None:
    assert reading.refund(REFUND | {"status": "canceled"}).failure_code == "canceled"


def read(kind: str, thing: dict[str, Any]) -> Event:
    """Read a message about a thing."""
    message = an_event(kind)
    message["data"]["object"] = thing
    return events.event(message)


@pytest.mark.parametrize(
    "kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]
)
def test_every_message_about_a_refund_is_about_our_refund(kind: str) -> None:
    event = read(kind, REFUND)
    assert event.subject_id == "re_ours"
    assert event.outcome is not None
    assert event.outcome.result is Result.REFUND_SUCCEEDED


def test_a_refunded_charge_tells_of_its_newest_refund_where_it_shows_one() -> None:
    charge = {"id": "ch_1", "object": "charge", "metadata": {"subject": "pay_1"}}
    assert read("charge.refunded", charge).outcome is None
    shown = charge | {"refunds": {"data": [REFUND]}}
    assert read("charge.refunded", shown).subject_id == "re_ours"


def test_a_refund_from_the_providers_own_page_is_nobodys() -> None:
    assert read("refund.created", REFUND | {"metadata": {}}).subject_id is None


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (Kind.REFUND, Refund("pi_1", 500_00, "INR", "re_ours", "duplicate")),
        (Kind.LOOK_UP_REFUND, LookUpRefund("pi_1", "re_ours", "re_provider")),
    ],
)
def test_what_is_asked_is_kept_as_it_was(kind: Kind, call: Refund | LookUpRefund) -> None:
    assert from_stored(kind, "op_1", as_stored(call, "op_1")) == call


def test_only_news_of_refunds_settles_a_refund() -> None:
    call = Refund("pi_1", 500_00, "INR", "re_ours")
    found = reading.refund(REFUND)
    assert settles(Kind.REFUND, call, found)
    for kind in set(Kind) - {Kind.REFUND, Kind.LOOK_UP_REFUND}:
        assert not settles(kind, call, found)
