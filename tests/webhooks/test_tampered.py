"""A tampered test is tried once, judged by its answer alone, and says nothing of its endpoint."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from standardwebhooks import Webhook, WebhookVerificationError

from tests.webhooks.hooks import BY, FINE, Server, an_endpoint, broken, later
from webapp import webhooks
from webapp.kernel import db
from webapp.webhooks import Verdict, policy


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.TAKEN),
        (299, Verdict.TAKEN),
        (400, Verdict.REFUSED),
        (401, Verdict.REFUSED),
        (410, Verdict.REFUSED),
        (429, Verdict.UNCLEAR),
        (302, Verdict.UNCLEAR),
        (500, Verdict.UNCLEAR),
        (None, Verdict.UNCLEAR),
    ],
)
def test_what_an_answer_to_a_tampered_test_says(status: int | None, verdict: Verdict) -> None:
    assert policy.verdict(status) is verdict


@pytest.mark.parametrize("status", [200, 410, 500, None])
def test_a_tampered_test_is_tried_once_and_says_nothing_of_the_endpoint(
    shop: str, status: int | None
) -> None:
    endpoint = an_endpoint(shop)
    scope = db.Scope(merchant_id=shop, livemode=False)
    with db.scoped(scope):
        webhooks.tampered_event(endpoint.id, "payment.success", by=BY)
    server = Server(lambda _request: FINE if status == 200 else broken(status))
    assert server.drain() == 1
    later(10_000)
    assert server.drain() == 0
    with db.scoped(scope):
        health = webhooks.health_of(endpoint.id)
        again = webhooks.endpoint_of(shop, endpoint.id)
    assert (health.strip, health.failures, again.status) == ([], 0, "enabled")


def test_a_delivery_is_tampered_with_from_its_first_moment_or_never(shop: str) -> None:
    endpoint = an_endpoint(shop)
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        webhooks.test_event(endpoint.id, "payment.success", by=BY)
    with pytest.raises(DBAPIError, match="permission denied"), db.transaction(db.WORKER) as session:
        session.execute(text("UPDATE delivery SET is_tampered = true"))


def test_a_tampered_test_that_is_sent_again_stays_one(shop: str) -> None:
    endpoint = an_endpoint(shop)
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        first = webhooks.tampered_event(endpoint.id, "payment.success", by=BY)
        webhooks.resend(first, by=BY)
        made = webhooks.delivery_of(shop, first).event.id
        webhooks.resend_event(made, to=endpoint.id, by=BY)
        secret = webhooks.reveal_secret(endpoint.id, by=BY)
    server = Server(lambda _request: broken(400))
    assert server.drain() == 3
    for request in server.got:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(request.body, dict(request.headers))
