"""The provider's messages in any weather: doubled, shuffled, days late, or before its answer."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from flask import Flask

from jobs import inbox as jobs_inbox
from tests.builders import a_checkout, a_merchant, answered, card_tried, inr, now_at, succeeded
from tests.checked_client import CheckedClient
from tests.gateway.signing import an_event, raw, signature
from tests.stories import attempts, behind, payment_is_whole, postings, scalar
from webapp.gateway import Outcome, Result, inbox
from webapp.kernel import clock, db
from webapp.payments import Status

PRICE = inr(1_000_00)
METHOD, INTENT = "pm_weather", "pi_weather"


@pytest.fixture
def payment_id(app: Flask) -> str:
    """A payment whose charge has been planned and not answered."""
    begun = card_tried(a_checkout(a_merchant(), PRICE), METHOD)
    answered(begun, Outcome(Result.CREATED, intent_id=INTENT))
    return begun


def events_of(payment_id: str) -> list[dict[str, Any]]:
    """Return the provider's whole story of a charge that needed a second look and succeeded."""
    operation = scalar(
        "SELECT id FROM provider_operation WHERE subject_id = :id AND kind = 'confirm'",
        id=payment_id,
    )
    metadata = {"subject": payment_id, "operation": operation}
    common = {
        "id": INTENT,
        "payment_method": METHOD,
        "metadata": metadata,
        "amount": PRICE.minor,
        "amount_received": 0,
        "latest_charge": None,
    }
    taken = {**common, "amount_received": PRICE.minor, "latest_charge": "ch_weather"}
    charge = {
        "id": "ch_weather",
        "object": "charge",
        "payment_intent": INTENT,
        "captured": True,
        "amount_captured": PRICE.minor,
        "metadata": metadata,
        "payment_method": METHOD,
    }
    return [
        an_event("payment_intent.created", object={**common, "status": "requires_confirmation"}),
        an_event("payment_intent.processing", object={**common, "status": "processing"}),
        an_event("payment_intent.succeeded", object=taken),
        an_event("charge.succeeded", object=charge),
    ]


def deliver(client: CheckedClient, event: dict[str, Any]) -> bool:
    """Send one message as the provider does; returns whether it was new."""
    body = raw(event)
    header = signature(body, at=clock.now().timestamp())
    answer = client.post("/inbound/stripe", data=body, headers={"Stripe-Signature": header})
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return bool(answer.json["new"])


def worked_off() -> None:
    with db.scoped(behind()):
        inbox.drain(jobs_inbox.apply)


def is_paid_once(payment_id: str) -> None:
    assert now_at(payment_id).status == Status.CAPTURED
    assert postings(payment_id) == 1
    assert attempts(payment_id) == ["succeeded"]
    payment_is_whole(payment_id)
    assert scalar("SELECT count(*) FROM provider_event WHERE processed_at IS NULL") == 0
    assert scalar("SELECT count(*) FROM anomaly") == 0


@pytest.mark.requirement("S0-12")
@pytest.mark.parametrize("seed", range(8))
def test_doubled_and_shuffled_messages_pay_once(
    client: CheckedClient, payment_id: str, seed: int
) -> None:
    chance = random.Random(seed)
    events = [event for event in events_of(payment_id) for _ in range(3)]
    chance.shuffle(events)
    new = 0
    for event in events:
        new += deliver(client, event)
        if chance.random() < 0.5:
            worked_off()
    worked_off()
    assert new == 4
    is_paid_once(payment_id)


def test_messages_that_come_three_days_late_still_pay_and_again_a_month_later_change_nothing(
    client: CheckedClient, payment_id: str
) -> None:
    events = events_of(payment_id)
    for days, is_new in ((3, True), (33, False)):
        with clock.standing_at(clock.now() + dt.timedelta(days=days)):
            assert [deliver(client, event) for event in reversed(events)] == [is_new] * 4
            worked_off()
    is_paid_once(payment_id)


def test_a_message_that_overtakes_the_providers_own_answer_leaves_it_nothing_to_do(
    client: CheckedClient, payment_id: str
) -> None:
    deliver(client, events_of(payment_id)[2])
    worked_off()
    answered(payment_id, succeeded(PRICE, METHOD, intent=INTENT))
    is_paid_once(payment_id)


def test_a_message_that_never_comes_is_not_needed(payment_id: str) -> None:
    answered(payment_id, succeeded(PRICE, METHOD, intent=INTENT))
    is_paid_once(payment_id)


def test_a_message_that_names_another_merchants_payment_pays_neither(
    client: CheckedClient, payment_id: str
) -> None:
    victim = card_tried(a_checkout(a_merchant(), PRICE))
    forged = events_of(payment_id)[2]
    forged["data"]["object"]["metadata"]["subject"] = victim
    assert deliver(client, forged)
    worked_off()
    for one in (payment_id, victim):
        assert now_at(one).status == Status.PROCESSING
        assert postings(one) == 0
    said = str(scalar("SELECT error FROM provider_event"))
    assert said.startswith("foreign_object")
