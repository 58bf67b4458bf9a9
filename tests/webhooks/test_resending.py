"""A stretch of time is sent again: whole, or what never arrived."""

from __future__ import annotations

import datetime as dt

from tests.webhooks.hooks import BY, Server, an_endpoint, broken, given_up, ordered, query
from webapp import webhooks


def test_a_range_is_sent_again_whole_or_only_what_gave_up(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    ordered(shop, 3)
    Server().drain(at_most=2)
    ((last,),) = query("SELECT id FROM delivery WHERE state = 'due'")
    given_up(Server(lambda _request: broken()))
    since, until = dt.datetime.now(dt.UTC) - dt.timedelta(days=1), dt.datetime.now(dt.UTC)
    until += dt.timedelta(minutes=1)
    assert webhooks.resend_range(endpoint.id, since, until, only_failed=True, by=BY) == 1
    assert query("SELECT state FROM delivery WHERE id = :id", id=last) == [("resent",)]
    assert webhooks.resend_range(endpoint.id, since, until, only_failed=False, by=BY) == 3


def test_what_happened_while_an_endpoint_was_switched_off_is_sent_to_it_afterwards(
    shop: str,
) -> None:
    ordered(shop)
    endpoint = an_endpoint(shop, "order.created")
    webhooks.disable(endpoint.id, because="It is moved.", by=BY, url=endpoint.url)
    ordered(shop, 2)
    assert query("SELECT count(*) FROM delivery") == [(0,)]
    webhooks.resume(endpoint.id, by=BY)
    since, until = dt.datetime.now(dt.UTC) - dt.timedelta(days=1), dt.datetime.now(dt.UTC)
    until += dt.timedelta(minutes=1)
    assert webhooks.resend_range(endpoint.id, since, until, only_failed=True, by=BY) == 2
    assert webhooks.resend_range(endpoint.id, since, until, only_failed=True, by=BY) == 0
    Server().drain()
    assert webhooks.resend_range(endpoint.id, since, until, only_failed=True, by=BY) == 0
