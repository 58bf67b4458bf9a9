"""What the bus says of a whole payment, of deeds, messages and mails; and that it names nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from jobs.bus.topics import TOPICS
from jobs.subscriptions import BUS, CONSUMERS, NOTIFY
from jobs.telling import tell
from tests.accounts.people import PASSWORD
from tests.books import worker_of
from tests.jobs.bus.telling_all import Bus, sequences
from tests.jobs.shop import Shop, open_shop
from tests.portal import Committed
from webapp import accounts, audit, notifications, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import db, ids, wake
from webapp.kernel.money import Money


@dataclass(frozen=True)
class Heard:
    """What came into each topic's stream while a person registered, signed in and paid."""

    shop: Shop
    topics: dict[str, list[dict[str, Any]]]

    def names(self, topic: str) -> list[str]:
        """Return the names of the events in a topic, oldest first."""
        return [event["name"] for event in self.topics[topic]]


@pytest.fixture
def heard(committed: Committed) -> Iterator[Heard]:
    """A payment from registration to receipt, as the bus tells it."""
    wake.client().flushall()
    shop = open_shop(committed)
    accounts.sign_in(shop.shopper_email, PASSWORD, device="A phone", address="10.9.8.7")
    paid = shop.pay(shop.order())
    db.session.remove()
    with worker_of(committed):
        answer = Outcome(Result.SUCCEEDED, amount=Money(1_000_00, "INR"), intent_id=ids.new("form"))
        payments.apply(paid, answer)
        while tell(NOTIFY, CONSUMERS[NOTIFY]):
            pass
        notifications.drain_mail(None, is_demo=True)
        audit.seal_pending()
        while tell(BUS, CONSUMERS[BUS]):
            pass
    stream = Bus(None)  # type: ignore[arg-type] # only its streams are read
    yield Heard(shop, {topic: stream.published(topic) for topic in TOPICS})
    wake.client().flushall()


@pytest.mark.requirement("S2-38", "S2-56", "S2-57", "S2-58", "S2-59", "S2-60", "S4-12")
def test_a_payment_is_told_from_registration_to_receipt_each_step_in_its_topic(
    heard: Heard,
) -> None:
    users = heard.names("user-events")
    assert users.count("user.registered") == users.count("user.verified") == 2
    assert users.count("user.signed_in") == 1
    assert heard.names("payment-events") == [
        "payment.created",
        "payment.processing",
        "payment.captured",
    ]
    orders = heard.names("transaction-events")
    assert set(orders) >= {"order.created", "checkout.opened", "order.completed"}
    assert heard.names("notification-events") == ["message.written", "mail.simulated"]
    assert "user.signed_in" in heard.names("audit-events")
    for events in heard.topics.values():
        for versions in sequences(events).values():
            assert versions == sorted(versions)


@pytest.mark.requirement("S1-08")
def test_a_success_carries_its_object_as_it_then_was(heard: Heard) -> None:
    event = heard.topics["payment-events"][-1]
    assert (event["type"], event["alias"]) == ("payment.success", "PAYMENT_SUCCESS_EVENT")
    assert event["snapshot"]["captured"] == 1_000_00
    assert event["snapshot"]["status"] == "SUCCESS"
    assert event["merchant"] == heard.shop.merchant_id
    assert event["livemode"] is False
    assert event["actor"] == "provider"


@pytest.mark.requirement("S2-60")
def test_a_deed_is_told_once_it_is_sealed_and_without_its_details(heard: Heard) -> None:
    (event,) = [one for one in heard.topics["audit-events"] if one["name"] == "user.signed_in"]
    assert event["snapshot"]["action"] == "user.signed_in"
    assert event["snapshot"]["subject"] == heard.shop.shopper_id
    assert event["snapshot"]["seq"] >= 1
    assert len(event["snapshot"]["hash"]) == 64
    assert "data" not in event["snapshot"]
    assert event["actor"] == "user"


def test_no_event_names_a_person(heard: Heard) -> None:
    said = repr(heard.topics)
    for personal in (heard.shop.shopper_email, "Asha", "Raman", "10.9.8.7", "A phone"):
        assert personal not in said
