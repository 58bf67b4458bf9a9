"""What is kept of old answers, what may wait at once, and what is never sent as an example."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import text

from tests.webhooks.hooks import BY, FINE, Server, an_endpoint, ordered, query
from webapp import webhooks
from webapp.kernel import clock, db, ids
from webapp.webhooks import resending


def test_only_so_much_may_be_on_its_way_to_an_endpoint_again(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = an_endpoint(shop, "order.created")
    ordered(shop, 2)
    Server().drain()
    ((delivery_id,), *_) = query("SELECT id FROM delivery")
    monkeypatch.setattr(resending, "AGAIN_AT_MOST", 3)
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    until = since + dt.timedelta(days=2)
    webhooks.resend(str(delivery_id), by=BY)
    webhooks.resend(str(delivery_id), by=BY)
    with pytest.raises(webhooks.TooMuchAgain):
        webhooks.resend_range(endpoint.id, since, until, only_failed=False, by=BY)
    webhooks.resend(str(delivery_id), by=BY)
    with pytest.raises(webhooks.TooMuchAgain):
        webhooks.resend(str(delivery_id), by=BY)
    Server().drain()
    assert webhooks.resend_range(endpoint.id, since, until, only_failed=False, by=BY) == 2


def test_where_much_waits_already_no_test_is_sent(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = an_endpoint(shop, "order.created")
    monkeypatch.setattr(resending, "AGAIN_AT_MOST", 2)
    ordered(shop)
    webhooks.test_event(endpoint.id, "order.created", by=BY)
    for send in (webhooks.test_event, webhooks.tampered_event):
        with pytest.raises(webhooks.TooMuchAgain):
            send(endpoint.id, "order.created", by=BY)
    Server().drain()
    webhooks.test_event(endpoint.id, "order.created", by=BY)


def test_what_was_answered_long_ago_is_forgotten_and_that_it_was_answered_is_not(
    shop: str,
) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop)
    Server(lambda _request: replace(FINE, headers={"Server": "x"})).drain()
    moment = clock.now() - dt.timedelta(days=31)
    old = ids.seeded("delivery_attempt", int(moment.timestamp() * 1000), 1)
    with db.transaction(db.WORKER) as session:
        session.execute(
            text(
                "INSERT INTO delivery_attempt (id, delivery_id, merchant_id, livemode, number,"
                " is_late, started_at, duration_ms, url, request_headers, status,"
                " response_headers, response_body, is_cut)"
                " SELECT :old, delivery_id, merchant_id, livemode, number, true, :moment,"
                " duration_ms, url, request_headers, status, response_headers, response_body,"
                " is_cut FROM delivery_attempt"
            ),
            {"old": old, "moment": moment},
        )
    assert webhooks.forget_answers() == 1
    assert webhooks.forget_answers() == 0
    assert query(
        "SELECT id = :old, status, response_body, response_headers FROM delivery_attempt"
        " ORDER BY id",
        old=old,
    ) == [(True, 200, "", {}), (False, 200, "thanks", {"Server": "x"})]


def test_no_example_is_sent_in_live_mode(shop: str) -> None:
    live = an_endpoint(shop, "payment.success", livemode=True)
    with pytest.raises(webhooks.TestModeOnly):
        webhooks.test_event(live.id, "payment.success", by=BY)
    assert query("SELECT id FROM webhook_event WHERE is_test") == []
