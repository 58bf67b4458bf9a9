"""Deliveries whose next try comes nearer by the test clock, also past the rest of an endpoint."""

from __future__ import annotations

import datetime as dt

from tests.builders import a_merchant
from tests.webhooks.hooks import (
    BY,
    Server,
    an_endpoint,
    broken,
    later,
    ordered,
    query,
    states,
    tell,
)
from webapp import orders, webhooks
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.orders import NewOrder

WEEK = dt.timedelta(days=7)
DAY = 24 * 60 * 60
REST = "SELECT open_until > clock_now() FROM webhook_health WHERE endpoint_id = :id"


def brought_nearer(shop: str, by: dt.timedelta = WEEK) -> int:
    """Bring a merchant's tries nearer; returns how many."""
    with db.transaction(db.Scope(merchant_id=shop, livemode=False)):
        return webhooks.bring_nearer(shop, by)["delivery"]


def waiting(shop: str) -> int:
    """Return how many deliveries of a merchant wait for a moment."""
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        (found,) = webhooks.waiting_of(shop, limit=5)
        return found.count


def test_the_next_try_is_made_now(shop: str) -> None:
    an_endpoint(shop)
    ordered(shop)
    assert (waiting(shop), brought_nearer(shop)) == (0, 0), "what is due waits for nothing"
    assert Server(lambda _request: broken(None, seconds=10.0)).drain() == 1
    assert Server().drain() == 0
    assert (waiting(shop), brought_nearer(shop), waiting(shop)) == (1, 1, 0)
    assert Server().drain() == 1
    assert states() == [("order.created", "delivered", 2)]


def test_an_endpoint_that_is_left_alone_is_asked_again(shop: str) -> None:
    endpoint = an_endpoint(shop)
    ordered(shop)
    for _ in range(5):
        brought_nearer(shop)
        assert Server(lambda _request: broken(None, seconds=10.0)).drain() == 1
    assert query(REST, id=endpoint.id) == [(True,)]
    assert (waiting(shop), brought_nearer(shop)) == (1, 1)
    assert query(REST, id=endpoint.id) == [(False,)]
    assert Server().drain() == 1


def test_what_another_merchant_waits_for_stays(shop: str) -> None:
    rival = a_merchant()
    endpoint = an_endpoint(rival)
    ordered(rival)
    for _ in range(5):
        brought_nearer(rival)
        Server(lambda _request: broken(None, seconds=10.0)).drain()
    due = query("SELECT due_at FROM delivery WHERE merchant_id = :id", id=rival)
    assert brought_nearer(shop) == 0
    assert query(REST, id=endpoint.id) == [(True,)]
    assert query("SELECT due_at FROM delivery WHERE merchant_id = :id", id=rival) == due
    assert waiting(rival) == 1


def test_in_live_mode_a_try_waits_its_own_time(shop: str) -> None:
    endpoint = an_endpoint(shop, livemode=True)
    scope = db.Scope(merchant_id=shop, livemode=True)
    with db.scoped(scope):
        orders.create(NewOrder(shop, livemode=True, amount=Money(500, "INR")))
    tell()
    for _ in range(5):
        assert Server(lambda _request: broken(None, seconds=10.0)).drain() == 1
        later(DAY)
    Server(lambda _request: broken(None, seconds=10.0)).drain()
    resting = query(REST, id=endpoint.id)
    due = query("SELECT due_at FROM delivery WHERE endpoint_id = :id", id=endpoint.id)
    assert brought_nearer(shop) == 0
    with db.transaction(scope):
        assert webhooks.bring_nearer(shop, WEEK) == {"delivery": 0}
    assert query(REST, id=endpoint.id) == resting == [(True,)]
    assert query("SELECT due_at FROM delivery WHERE endpoint_id = :id", id=endpoint.id) == due


def test_a_paused_endpoint_waits_for_no_moment(shop: str) -> None:
    endpoint = an_endpoint(shop)
    ordered(shop)
    Server(lambda _request: broken(None, seconds=10.0)).drain()
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        webhooks.pause(endpoint.id, by=BY)
    assert (waiting(shop), brought_nearer(shop)) == (0, 0)
