"""Every endpoint and every merchant has its share of the sender, whatever the others do."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from tests.builders import a_merchant, an_order
from tests.webhooks.hooks import (
    FINE,
    Server,
    an_endpoint,
    broken,
    later,
    ordered,
    query,
    quick,
    tell,
)
from webapp import webhooks
from webapp.kernel import db
from webapp.webhooks import policy

LATE = webhooks.Came(200, policy.SLOW_SECONDS + 1)


def test_at_most_four_are_in_flight_for_an_endpoint_and_one_for_a_slow_or_new_one(
    shop: str,
) -> None:
    fast = an_endpoint(shop, "order.created", url="https://fast.example/hooks")
    slow = an_endpoint(shop, "order.created", url="https://slow.example/hooks")
    quick(fast, slow)
    ordered(shop)
    Server(lambda request: LATE if "slow" in request.url else FINE).drain()
    new = an_endpoint(shop, "order.created", url="https://new.example/hooks")
    ordered(shop, 10)
    first = webhooks.take(50, slow_at_most=8)
    again = webhooks.take(50, slow_at_most=8)
    by_endpoint = [parcel.endpoint_id for parcel in first]
    counted = [by_endpoint.count(one.id) for one in (fast, slow, new)]
    assert (counted, again) == ([4, 1, 1], [])


def test_a_slow_endpoint_is_quick_after_ten_quick_successes_in_a_row(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop, 40)
    slow = "SELECT is_slow, quick FROM webhook_health"
    Server(lambda _request: LATE).drain(at_most=1)
    Server().drain(at_most=9)
    Server(lambda _request: broken(400)).drain(at_most=1)
    assert query(slow) == [(True, 9)], "a quick refusal is none of them"
    Server(lambda _request: LATE).drain(at_most=1)
    assert query(slow) == [(True, 0)]
    Server().drain(at_most=10)
    assert query(slow) == [(False, 10)]
    assert len(webhooks.take(50, slow_at_most=8)) == policy.IN_FLIGHT


def test_a_merchant_has_only_so_many_in_flight_however_many_endpoints_it_has(shop: str) -> None:
    quick(*(an_endpoint(shop, "order.created", url=f"https://{n}.example/") for n in range(6)))
    other = a_merchant(name="Other")
    theirs = an_endpoint(other, "order.created")
    ordered(shop, 10)
    an_order(other)
    tell()
    taken = [parcel.merchant_id for parcel in webhooks.take(50, slow_at_most=8)]
    assert (taken.count(shop), taken.count(other)) == (policy.OF_A_MERCHANT, 1)
    assert webhooks.take(50, slow_at_most=8) == []
    assert theirs.merchant_id == other


def test_slow_endpoints_take_turns_by_when_they_were_last_tried(shop: str) -> None:
    for number in range(5):
        an_endpoint(shop, "order.created", url=f"https://dead-{number}.example/")
    living = an_endpoint(shop, "order.created", url="https://living.example/")
    ordered(shop)
    dead = replace(LATE, status=None, error="no answer in time")
    Server(lambda request: dead if "dead" in request.url else LATE).drain()
    ordered(shop)
    later(60)
    with db.transaction(db.WORKER) as session:
        session.execute(
            text(
                "UPDATE webhook_health SET changed_at = clock_now() - interval '1 hour'"
                " WHERE endpoint_id = :id"
            ),
            {"id": living.id},
        )
        session.execute(
            text(
                "UPDATE delivery SET due_at = clock_now() - interval '1 second'"
                " WHERE endpoint_id = :id AND state = 'due'"
            ),
            {"id": living.id},
        )
    taken = [parcel.endpoint_id for parcel in webhooks.take(50, slow_at_most=1)]
    assert taken == [living.id], "though all that is due to the dead ones is older"


def test_the_slow_endpoints_of_one_merchant_leave_places_to_others(shop: str) -> None:
    other = a_merchant(name="Other")
    for number in range(6):
        an_endpoint(shop, "order.created", url=f"https://{number}.example/")
    theirs = an_endpoint(other, "order.created")
    for _ in range(2):
        an_order(other)
        ordered(shop)
        Server(lambda _request: replace(LATE, status=500, error="late")).drain()
        later(60)
    taken = [parcel.endpoint_id for parcel in webhooks.take(50, slow_at_most=8)]
    assert theirs.id in taken
    assert len(taken) == policy.SLOW_OF_A_MERCHANT + 1


def test_endpoints_take_turns(shop: str) -> None:
    busy = an_endpoint(shop, "order.created", url="https://busy.example/hooks")
    ordered(shop, 10)
    quiet = an_endpoint(shop, "order.created", url="https://quiet.example/hooks")
    ordered(shop, 1)
    taken = [parcel.endpoint_id for parcel in webhooks.take(2, slow_at_most=8)]
    assert sorted(taken) == sorted([busy.id, quiet.id])
