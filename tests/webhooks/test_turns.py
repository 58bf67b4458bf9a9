"""A claim looks at no endpoint that can be sent nothing, and at each again once it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import text

from tests.books import worker_of
from tests.builders import a_merchant, an_order
from tests.portal import Committed
from tests.webhooks.hooks import (
    BY,
    FINE,
    Server,
    an_endpoint,
    broken,
    later,
    ordered,
    public_names,
    query,
    tell,
)
from webapp import webhooks
from webapp.kernel import db
from webapp.webhooks import Endpoint, Request, policy

AWAKE = "SELECT endpoint_id FROM webhook_turn WHERE wakes_at <= clock_now()"
#: A second delivery of what was delivered before.
AGAIN = """
INSERT INTO delivery (id, merchant_id, livemode, event_id, endpoint_id, api_version, resend_of,
                      state, tries, claims, due_at, created_at)
SELECT 'whd_again', merchant_id, livemode, event_id, endpoint_id, api_version, id,
       'due', 0, 0, clock_now(), clock_now() FROM delivery
"""


@dataclass(frozen=True)
class Street:
    """Endpoints of one merchant, each with its own reason why nothing can be sent there now."""

    shop: str
    paused: Endpoint
    off: Endpoint
    resting: Endpoint
    refusing: Endpoint
    done: Endpoint


@pytest.fixture
def street(shop: str) -> Street:
    """All of them, with nothing that can be sent."""
    names = ("paused", "off", "resting", "refusing", "done")
    made = {
        name: an_endpoint(shop, "order.created", url=f"https://{name}.example/") for name in names
    }

    def answer(request: Request) -> webhooks.Came:
        return FINE if "done" in request.url else broken(500)

    ordered(shop, policy.OPENS_AFTER)
    Server(answer).drain()
    db.use_scope(db.OWNER)
    webhooks.pause(made["paused"].id, by=BY)
    webhooks.disable(made["off"].id, because="Nobody is there.", by=BY, url=made["off"].url)
    with db.transaction(db.WORKER) as session:
        session.execute(
            text("UPDATE webhook_health SET failures = 0, failing_since = NULL, open_until = NULL")
        )
        session.execute(
            text(
                "UPDATE webhook_health SET open_until = clock_now() + interval '1 minute'"
                " WHERE endpoint_id = :id"
            ),
            {"id": made["resting"].id},
        )
        session.execute(
            text(
                "UPDATE delivery SET due_at = clock_now() + CASE WHEN endpoint_id = :id"
                " THEN interval '1 hour' ELSE interval '-1 hour' END WHERE state = 'due'"
            ),
            {"id": made["refusing"].id},
        )
    return Street(shop, **made)


def taken() -> set[str]:
    """Return the endpoints of which a claim takes something."""
    return {parcel.endpoint_id for parcel in webhooks.take(50, slow_at_most=8)}


def test_a_claim_lets_those_sleep_to_whom_nothing_can_be_sent(street: Street) -> None:
    assert taken() == set()
    assert query(AWAKE) == []
    assert query("SELECT count(*) FROM webhook_ring") == [(0,)]


def resumed(street: Street) -> Endpoint:
    """Resume the one that is paused."""
    return webhooks.resume(street.paused.id, by=BY)


def switched_on(street: Street) -> Endpoint:
    """Switch the one on that is off."""
    return webhooks.resume(street.off.id, by=BY)


def moved(street: Street) -> Endpoint:
    """Give the resting one another address."""
    change = webhooks.Change(url="https://elsewhere.example/")
    with public_names():
        return webhooks.update_endpoint(street.resting.id, change, by=BY)


def rested(street: Street) -> Endpoint:
    """Let the rest end by itself, and no pause."""
    with db.transaction(db.WORKER) as session:
        session.execute(text("UPDATE webhook_turn SET wakes_at = wakes_at - interval '1 minute'"))
        session.execute(
            text("UPDATE webhook_health SET open_until = open_until - interval '1 minute'")
        )
    return street.resting


def written_to(street: Street) -> Endpoint:
    """Have an event on its way to the one that has all."""
    for endpoint in (street.refusing, street.resting):
        webhooks.pause(endpoint.id, by=BY)
    ordered(street.shop)
    return street.done


@pytest.mark.parametrize("wake", [resumed, switched_on, moved, rested, written_to])
def test_each_is_looked_at_again_once_something_can_be_sent(
    street: Street, wake: Callable[[Street], Endpoint]
) -> None:
    assert taken() == set()
    db.use_scope(db.OWNER)
    endpoint = wake(street)
    assert taken() == {endpoint.id}


def test_a_try_that_is_due_later_wakes_its_endpoint_then(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    ordered(shop)
    Server(lambda _request: broken(500, retry_after="3600")).drain()
    due = "SELECT wakes_at = due_at FROM webhook_turn JOIN delivery USING (endpoint_id)"
    assert (taken(), query(AWAKE), query(due)) == (set(), [], [(True,)])
    later(3600)
    assert taken() == {endpoint.id}


def test_what_is_in_flight_is_claimed_again_once_its_lease_has_ended(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    ordered(shop)
    assert (taken(), taken()) == ({endpoint.id}, set())
    with db.transaction(db.WORKER) as session:
        session.execute(text("UPDATE delivery SET lease_until = lease_until - interval '61 s'"))
    assert taken() == {endpoint.id}


def test_what_is_committed_while_a_claim_is_made_is_found_by_the_next(
    committed: Committed,
) -> None:
    with db.scoped(db.OWNER):
        shop = a_merchant()
        endpoint = an_endpoint(shop, "order.created")
        an_order(shop)
    with worker_of(committed) as worker, committed.connect("paydeck_owner") as writer:
        assert isinstance(worker, Flask)
        tell()
        assert Server().drain() == 1
        writer.execute(AGAIN)
        assert (taken(), query(AWAKE)) == (set(), [])
        writer.commit()
        assert taken() == {endpoint.id}
