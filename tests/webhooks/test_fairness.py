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
            text("UPDATE webhook_turn SET number = 0 WHERE endpoint_id = :id"), {"id": living.id}
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


def test_a_fresh_event_has_its_turn_before_the_backlogs_of_busy_merchants(shop: str) -> None:
    busy = [shop, *(a_merchant(name=f"Busy {number}") for number in range(3))]
    quick(*(an_endpoint(one, "order.created") for one in busy))
    for one in busy:
        ordered(one, 6)
    assert Server().drain(at_most=4) == 4
    later(3600)
    fresh = a_merchant(name="Fresh")
    an_endpoint(fresh, "order.created")
    ordered(fresh)
    assert [one.merchant_id for one in webhooks.take(1, slow_at_most=8)] == [fresh]


def test_merchants_take_turns_however_old_what_waits_is(shop: str) -> None:
    merchants = [shop, a_merchant(name="Second"), a_merchant(name="Third")]
    quick(*(an_endpoint(one, "order.created") for one in merchants))
    for one in merchants:
        ordered(one, 4)
        later(3600)
    Server().drain(at_most=6)
    arrived = query("SELECT count(*) FROM delivery WHERE state = 'delivered' GROUP BY merchant_id")
    assert arrived == [(2,), (2,), (2,)]


def test_the_backlogs_of_a_merchant_do_not_delay_its_other_endpoint(shop: str) -> None:
    quick(*(an_endpoint(shop, "order.created", url=f"https://{n}.example/") for n in range(2)))
    ordered(shop, 6)
    held = webhooks.take(50, slow_at_most=8)
    assert len(held) == policy.OF_A_MERCHANT
    third = an_endpoint(shop, "order.created", url="https://third.example/")
    ordered(shop)
    webhooks.settle([(held[0], FINE)])
    assert [one.endpoint_id for one in webhooks.take(50, slow_at_most=8)] == [third.id]


def test_what_a_merchant_holds_counts_also_once_its_endpoints_have_become_slow_or_quick(
    shop: str,
) -> None:
    most, held = policy.OF_A_MERCHANT + policy.SLOW_OF_A_MERCHANT, 0
    for slow in (True, False, True, False):
        new = [an_endpoint(shop, "order.created", url=f"https://{held}-{n}.example/") for n in "ab"]
        quick(*new)
        ordered(shop, 4)
        held += len(webhooks.take(50, slow_at_most=8))
        with db.transaction(db.WORKER) as session:
            session.execute(text("UPDATE webhook_health SET is_slow = :slow"), {"slow": slow})
        assert policy.OF_A_MERCHANT <= held <= most


def test_slow_endpoints_take_nothing_from_the_share_of_the_quick_ones(shop: str) -> None:
    for number in range(6):
        an_endpoint(shop, "order.created", url=f"https://slow-{number}.example/")
    ordered(shop)
    Server(lambda _request: LATE).drain()
    ordered(shop)
    assert len(webhooks.take(50, slow_at_most=8)) == policy.SLOW_OF_A_MERCHANT
    quick(*(an_endpoint(shop, "order.created", url=f"https://{n}.example/") for n in range(2)))
    ordered(shop, 9)
    taken = [parcel.is_slow for parcel in webhooks.take(50, slow_at_most=8)]
    assert taken == [False] * policy.OF_A_MERCHANT
