"""What we sign, an independent verifier accepts; what was changed or is old, it refuses."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

import pytest
from flask import Flask
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from tests.builders import an_order
from tests.webhooks.hooks import BY, Server, an_endpoint, query, tell
from webapp import webhooks
from webapp.kernel import clock, db
from webapp.webhooks import BadSecret, Request

HOURS = dt.timedelta(hours=24)
GIVEN = "webhook_secret_key"


def sent(shop: str) -> Request:
    """Have one event delivered and return what was posted."""
    an_order(shop)
    tell()
    server = Server()
    assert server.drain() == 1
    return server.got[0]


def accepts(secret: str | bytes, request: Request, body: bytes | None = None) -> bool:
    """Whether a receiver with that secret believes what came."""
    try:
        Webhook(secret).verify(body or request.body, dict(request.headers), json_parse=False)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.requirement("S4-60", "S4-11")
def test_a_receiver_with_the_secret_believes_it_and_nobody_elses(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    secret = webhooks.reveal_secret(endpoint.id, by=BY)
    assert secret.startswith("whsec_")
    request = sent(shop)
    assert accepts(secret, request)
    assert not accepts("whsec_" + "A" * 44, request)


@pytest.mark.parametrize("spoil", [b" ", b"}", b'{"amount":1}'])
def test_a_changed_body_is_refused(shop: str, spoil: bytes) -> None:
    endpoint = an_endpoint(shop, "order.created")
    request = sent(shop)
    secret = webhooks.reveal_secret(endpoint.id, by=BY)
    assert not accepts(secret, request, request.body + spoil)
    assert not accepts(secret, request, request.body.replace(b"PENDING", b"COMPLETED"))


@pytest.mark.parametrize("away", [dt.timedelta(seconds=-310), dt.timedelta(seconds=310)])
def test_what_is_replayed_later_or_comes_from_the_future_is_refused(
    shop: str, away: dt.timedelta
) -> None:
    endpoint = an_endpoint(shop, "order.created")
    secret = webhooks.reveal_secret(endpoint.id, by=BY)
    an_order(shop)
    tell()
    server = Server()
    with clock.standing_at(clock.now() + away):
        db.end_reads()
        webhooks.settle([(one, server.post(one.request) and _fine()) for one in _taken()])
    assert not accepts(secret, server.got[0])


def _taken() -> list[webhooks.Parcel]:
    # What is due is due by the database's clock, which stands with ours here.
    with db.transaction(db.WORKER) as session:
        session.execute(text("UPDATE delivery SET due_at = due_at - interval '1 hour'"))
    return webhooks.take(1, slow_at_most=1)


def _fine() -> webhooks.Came:
    return webhooks.Came(200, 0.01)


def test_each_try_has_a_timestamp_and_signature_of_its_own_and_the_same_id(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    first = sent(shop)
    ((delivery_id,),) = query("SELECT id FROM delivery")
    webhooks.resend(str(delivery_id), by=BY)
    server = Server()
    with clock.standing_at(clock.now() + dt.timedelta(seconds=30)):
        server.drain()
    again = server.got[0]
    assert again.headers["webhook-id"] == first.headers["webhook-id"]
    assert again.headers["webhook-timestamp"] > first.headers["webhook-timestamp"]
    assert again.headers["webhook-signature"] != first.headers["webhook-signature"]
    assert accepts(webhooks.reveal_secret(endpoint.id, by=BY), again)


def plain_signature(secret: str, request: Request) -> str:
    return hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()


def test_while_two_secrets_overlap_both_receivers_believe_it(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    old = webhooks.reveal_secret(endpoint.id, by=BY)
    _endpoint, fresh = webhooks.roll_secret(endpoint.id, overlap=HOURS, by=BY)
    request = sent(shop)
    assert fresh != old
    assert accepts(old, request)
    assert accepts(fresh, request)
    assert request.headers["X-Webhook-Signature"] == plain_signature(old, request)
    with clock.standing_at(clock.now() + HOURS + dt.timedelta(minutes=1)):
        late = sent(shop)
        assert len(late.headers["webhook-signature"].split()) == 1
        assert late.headers["X-Webhook-Signature"] == plain_signature(fresh, late)
    assert len(request.headers["webhook-signature"].split()) == 2


def test_a_secret_that_was_promised_its_time_is_not_ended_by_another_roll(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    old = webhooks.reveal_secret(endpoint.id, by=BY)
    webhooks.roll_secret(endpoint.id, overlap=HOURS, by=BY)
    with pytest.raises(webhooks.OldSecretSigns):
        webhooks.roll_secret(endpoint.id, overlap=HOURS, by=BY)
    assert accepts(old, sent(shop))
    webhooks.roll_secret(endpoint.id, overlap=dt.timedelta(0), by=BY)
    assert not accepts(old, sent(shop))


def test_without_an_overlap_the_old_secret_is_worth_nothing_at_once(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    old = webhooks.reveal_secret(endpoint.id, by=BY)
    webhooks.roll_secret(endpoint.id, overlap=dt.timedelta(0), by=BY)
    assert not accepts(old, sent(shop))


@pytest.mark.requirement("S4-25")
def test_a_secret_is_taken_as_the_merchant_gave_it(shop: str) -> None:
    an_endpoint(shop, "order.created", secret=GIVEN)
    assert accepts(GIVEN.encode(), sent(shop))


@pytest.mark.parametrize(
    "secret", ["", "short", "with space inside", "whsec_x", "x" * 201, "é" * 20]
)
def test_a_secret_that_cannot_sign_is_refused(app: Flask, secret: str) -> None:
    with pytest.raises(BadSecret):
        an_endpoint("mer_1", secret=secret)


def test_secrets_are_sealed_in_the_database(shop: str) -> None:
    endpoint = an_endpoint(shop, secret=GIVEN)
    ((sealed,),) = query("SELECT secret_sealed FROM webhook_endpoint")
    assert GIVEN not in str(sealed)
    assert GIVEN not in str(endpoint.snapshot())
    shown = query("SELECT data::text FROM audit_entry")
    assert all(GIVEN not in str(row) for row in shown)


def test_a_tampered_test_is_signed_for_another_body_and_refused_by_a_verifier(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        webhooks.tampered_event(endpoint.id, "order.created", by=BY)
        webhooks.test_event(endpoint.id, "order.created", by=BY)
    server = Server()
    server.drain()
    secret = webhooks.reveal_secret(endpoint.id, by=BY)
    assert [accepts(secret, request) for request in server.got] == [False, True]
    plain = [hmac.new(secret.encode(), one.body, "sha256").hexdigest() for one in server.got]
    told = [one.headers["X-Webhook-Signature"] for one in server.got]
    assert [ours == theirs for ours, theirs in zip(plain, told, strict=True)] == [False, True]
