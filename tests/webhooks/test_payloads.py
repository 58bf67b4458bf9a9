"""What programs outside see of an object: one shape for the API and events, nothing personal."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.builders import GUEST, a_payment, inr, now_at
from webapp import webhooks
from webapp.kernel import db
from webapp.outbox import facts_about
from webapp.payments import FLOW as PAYMENT_FLOW
from webapp.payments import Status
from webapp.refunds import FLOW as REFUND_FLOW

EVERY_EVENT = sorted(webhooks.EVENTS.values(), key=lambda kind: kind.name)
#: Steps inside a payment or refund that say nothing a merchant's server could act on.
NOT_TOLD = {"payment.awaiting_method", "refund.queued"}


@pytest.mark.parametrize("kind", EVERY_EVENT, ids=lambda kind: kind.name)
def test_every_event_has_an_example_that_is_a_whole_object(kind: webhooks.EventKind) -> None:
    example = kind.example
    assert {"id", "object", "created", "livemode", "metadata", "status"} <= example.keys()
    assert example["object"] == kind.noun
    assert json.loads(json.dumps(example)) == example
    assert kind.says.endswith(".")


def test_the_names_that_merchants_know_are_the_ones_promised() -> None:
    names = {kind.fact: kind.name for kind in EVERY_EVENT if kind.fact != kind.name}
    assert names == {"payment.captured": "payment.success", "refund.succeeded": "refund.processed"}
    assert len(webhooks.BY_NAME) == len(webhooks.EVENTS)


def test_every_step_of_a_payment_and_a_refund_is_told_or_named_as_not_told() -> None:
    steps = PAYMENT_FLOW.events() | REFUND_FLOW.events()
    assert steps - webhooks.EVENTS.keys() == NOT_TOLD


def test_a_fact_of_before_the_newer_keys_is_still_readable() -> None:
    old = {
        "id": "pay_1",
        "order": "ord_1",
        "status": "SUCCESS",
        "state": "captured",
        "amount": 50_00,
        "captured": 50_00,
        "fee": 100,
        "currency": "inr",
        "method": None,
        "created": "2026-11-21T09:30:00+00:00",
    }
    seen = webhooks.payload_of("payment", old)
    assert (seen["amount_captured"], seen["amount_refunded"], seen["currency"]) == (50_00, 0, "INR")
    assert (seen["created"], seen["payment_method"], seen["metadata"]) == (1795253400, None, {})


def test_changes_are_what_the_changed_keys_were_before() -> None:
    before = {"id": "pay_1", "status": "PENDING", "amount": 5}
    after = {"id": "pay_1", "status": "SUCCESS", "amount": 5, "fee": 1}
    assert webhooks.changes(before, after) == {"status": "PENDING"}


def test_a_fact_and_its_row_show_the_same_object_and_nobody(app: Flask) -> None:
    with db.scoped(db.OWNER):
        payment = now_at(a_payment(Status.CAPTURED, amount=inr(500_00)))
        fact = facts_about("payment", payment.id)[-1]
        told = webhooks.payload_of("payment", fact.snapshot)
        assert told == webhooks.payload_of("payment", payment.snapshot())
    assert told["amount_captured"] == told["amount_refundable"] == 500_00
    assert told["payment_method"] is not None
    assert GUEST not in json.dumps(told)
