"""Webhooks are signed as the provider signs, tried again, and survive a killed sender."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from tests.sandbox.running import SECRET, Receiver, RunningSandbox, wait_until


def kinds(receiver: Receiver) -> list[str]:
    return [event["type"] for event in receiver.events()]


def settled(sandbox: RunningSandbox) -> bool:
    return "waiting" not in sandbox.get("/control/webhooks")["deliveries"]


def test_a_payment_is_told_and_the_signature_verifies(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    paid = sandbox.paid(metadata={"operation": "op_1"})
    wait_until(lambda: len(receiver.taken) == 3)
    assert sorted(kinds(receiver)) == [
        "charge.succeeded",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]
    for headers, body, _ in receiver.taken:
        event = sandbox.stripe.construct_event(body, headers["Stripe-Signature"], SECRET)
        assert event.object == "event"
        kept = sandbox.stripe.v1.events.retrieve(event.id)
        assert kept.type == event.type
    told = next(e for e in receiver.events() if e["type"] == "payment_intent.succeeded")
    assert told["data"]["object"]["id"] == paid.id
    assert told["data"]["object"]["metadata"] == {"operation": "op_1"}
    assert told["request"]["id"].startswith("req_")


def test_a_wrong_secret_or_a_changed_body_does_not_verify(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    sandbox.intent()
    wait_until(lambda: receiver.taken)
    headers, body, _ = receiver.taken[0]
    header = headers["Stripe-Signature"]
    for payload, secret in ((body, "whsec_other"), (body + b" ", SECRET)):
        with pytest.raises(stripe.SignatureVerificationError):
            sandbox.stripe.construct_event(payload, header, secret)


def test_an_event_holds_the_object_as_it_was(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.paid()
    wait_until(lambda: len(receiver.taken) == 3)
    first = next(e for e in receiver.events() if e["type"] == "payment_intent.created")
    assert first["data"]["object"]["status"] == "requires_payment_method"


def test_a_refused_delivery_is_tried_again(sandbox: RunningSandbox, receiver: Receiver) -> None:
    receiver.answers = [500, 302]
    sandbox.intent()
    wait_until(lambda: len(receiver.events()) == 1)
    bodies = {body for _, body, _ in receiver.taken}
    assert [status for _, _, status in receiver.taken] == [500, 302, 200]
    assert len(bodies) == 1


def test_copies_carry_the_same_event(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.control("webhooks", duplicates=4)
    sandbox.intent()
    wait_until(lambda: len(receiver.taken) == 5)
    assert len({event["id"] for event in receiver.events()}) == 1


def test_disorder_is_delivered_completely(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.control("webhooks", shuffle=True, seed="s")
    for _ in range(5):
        sandbox.paid()
    wait_until(lambda: len(receiver.taken) == 15)
    came = [event["id"] for event in receiver.events()]
    told = [event.id for event in sandbox.stripe.v1.events.list({"limit": 100}).data][::-1]
    assert sorted(came) == sorted(told)
    assert came != told


def test_a_delay_is_kept(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.control("webhooks", delay_seconds=600)
    sandbox.intent()
    wait_until(lambda: sandbox.get("/control/webhooks")["deliveries"] == {"waiting": 1})
    assert receiver.taken == []
    sandbox.control("clock", offset_seconds=601)
    wait_until(lambda: len(receiver.taken) == 1)


def test_a_lost_event_stays_lost_until_it_is_sent_again(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    sandbox.control("webhooks", lose=1)
    sandbox.intent()
    sandbox.intent()
    wait_until(lambda: settled(sandbox))
    wait_until(lambda: len(receiver.taken) == 1)
    assert sandbox.get("/control/webhooks")["deliveries"] == {"delivered": 1, "lost": 1}
    lost = sandbox.stripe.v1.events.list({"limit": 2}).data[1]
    sandbox.control("webhooks/resend", event_id=lost.id)
    wait_until(lambda: lost.id in [event["id"] for event in receiver.events()])


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("pm_card_chargeDeclined", ["charge.failed", "payment_intent.payment_failed"]),
        ("pm_card_authenticationRequired", ["payment_intent.requires_action"]),
    ],
)
def test_what_did_not_succeed_is_told_too(
    sandbox: RunningSandbox, receiver: Receiver, method: str, told: list[str]
) -> None:
    sandbox.post(
        "/v1/payment_intents",
        {"amount": "100000", "currency": "inr", "confirm": "true", "payment_method": method},
    )
    wait_until(lambda: len(receiver.taken) == 1 + len(told))
    assert sorted(kinds(receiver)) == sorted(["payment_intent.created", *told])


def test_holding_capturing_refunding_and_cancelling_are_told(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    held = sandbox.paid(capture_method="manual")
    sandbox.stripe.v1.payment_intents.capture(held.id)
    sandbox.stripe.v1.refunds.create({"payment_intent": held.id})
    sandbox.stripe.v1.payment_intents.cancel(sandbox.intent().id)
    expected = {
        "payment_intent.created",
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
        "payment_intent.canceled",
        "charge.succeeded",
        "charge.captured",
        "charge.refunded",
        "refund.created",
    }
    wait_until(lambda: set(kinds(receiver)) == expected)


@pytest.fixture
def own_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_what_was_not_delivered_is_delivered_after_a_restart(
    tmp_path: Path, own_receiver: Receiver
) -> None:
    own_receiver.answers = [503] * 3
    running = RunningSandbox(tmp_path, SANDBOX_WEBHOOK_URL=own_receiver.url).start()
    try:
        running.paid()
        running.stop(signal.SIGKILL)
        running.start()
        wait_until(lambda: len(own_receiver.events()) >= 3)
        assert {event["type"] for event in own_receiver.events()} == {
            "charge.succeeded",
            "payment_intent.created",
            "payment_intent.succeeded",
        }
    finally:
        running.stop()
