"""Deliveries are tried until they arrive, counted with their answers, and never go back."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from tests.builders import a_merchant
from tests.webhooks.hooks import (
    BY,
    FINE,
    Server,
    an_endpoint,
    broken,
    given_up,
    later,
    ordered,
    public_names,
    query,
    states,
)
from webapp import webhooks
from webapp.kernel import db
from webapp.webhooks import policy
from webapp.webhooks.claims import UNSIGNED

DAY = 86_400


@pytest.mark.requirement("S4-60", "S4-61", "S4-62")
def test_an_event_arrives_with_its_headers_and_is_not_sent_again(shop: str) -> None:
    an_endpoint(shop, "order.created", secret="webhook_secret_key")
    ordered(shop)
    server = Server()
    assert server.drain() == 1
    assert server.drain() == 0
    (request,) = server.got
    plain = hmac.new(b"webhook_secret_key", request.body, hashlib.sha256).hexdigest()
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Webhook-Signature"] == plain
    assert request.headers["X-Webhook-Event"] == "order.created"
    assert request.headers["webhook-id"].startswith("evt_")
    assert states() == [("order.created", "delivered", 1)]


@pytest.mark.requirement("S4-11", "S4-62")
def test_eleven_tries_over_three_days_and_then_it_gives_up(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop)
    server = Server(lambda _request: broken(500))
    waited = given_up(server)
    assert states() == [("order.created", "dead", 11)]
    assert 67 * 3600 < waited < 84 * 3600
    assert len({request.body for request in server.got}) == 1, "the same bytes each time"
    assert len({request.headers["webhook-id"] for request in server.got}) == 1
    ((error,),) = query("SELECT DISTINCT error FROM delivery_attempt")
    assert error == "webhook delivery failed: status 500"
    ((name, tries, merchant),) = query(
        "SELECT name, snapshot ->> 'tries', merchant_id FROM fact WHERE subject_kind = 'delivery'"
    )
    assert (name, tries, merchant) == ("delivery.gave_up", "11", None), "the platform is told"


@pytest.mark.parametrize("status", [199, 301, 302, 400, 401, 404, 429, 500, 503, None])
def test_only_an_answer_of_200_to_299_is_a_success(shop: str, status: int | None) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop)
    Server(lambda _request: broken(status)).drain()
    assert states() == [("order.created", "due", 1)]


def test_a_receiver_may_ask_for_a_longer_wait_and_gets_it(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop)
    Server(lambda _request: broken(503, retry_after="3600")).drain()
    ((wait,),) = query("SELECT extract(epoch FROM due_at - clock_now())::float FROM delivery")
    assert 3590 < float(wait) <= 3600  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "asked",
    [
        "Wed, 21 Oct 99999999999 07:28:00 GMT",
        "Wed, 21 Oct 2026 07:28:00 +99999999999999999999",
        "soon",
    ],
)
def test_a_wait_that_is_none_is_not_heeded(shop: str, asked: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop)
    Server(lambda _request: broken(503, retry_after=asked)).drain()
    ((wait,),) = query("SELECT extract(epoch FROM due_at - clock_now())::float FROM delivery")
    assert float(wait) < 2 * policy.PAUSES[0]  # type: ignore[arg-type]
    assert states() == [("order.created", "due", 1)]


def test_a_receiver_that_is_gone_is_sent_nothing_more(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created", "endpoint.disabled")
    ordered(shop, 2)
    server = Server(lambda _request: broken(410))
    assert server.drain() == 1
    assert query("SELECT status, disabled_reason FROM webhook_endpoint") == [
        ("disabled", policy.IT_IS_GONE)
    ]
    later(DAY)
    assert server.drain() == 0
    db.use_scope(db.OWNER)
    webhooks.resume(endpoint.id, by=BY)
    assert Server().drain() == 2, "what waited is sent once it is switched on again"


def test_an_endpoint_at_which_nothing_arrives_for_five_days_is_switched_off(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop, 2)
    server = Server(lambda _request: broken())
    server.drain()
    for _ in range(4):
        later(1.2 * DAY)
        server.drain(at_most=1)
    assert query("SELECT status FROM webhook_endpoint") == [("enabled",)]
    later(0.3 * DAY)
    server.drain(at_most=1)
    assert query("SELECT status, disabled_reason FROM webhook_endpoint") == [
        ("disabled", policy.NOTHING_ARRIVED)
    ]


def test_a_long_silence_begins_the_five_days_anew(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop)
    server = Server(lambda _request: broken())
    server.drain()
    later(6 * DAY)
    server.drain()
    assert query("SELECT status FROM webhook_endpoint") == [("enabled",)]
    assert query("SELECT failing_since > clock_now() - interval '1 hour' FROM webhook_health") == [
        (True,)
    ]


@pytest.mark.parametrize("status", [410, 500])
def test_what_the_old_address_answers_says_nothing_of_the_new_one(shop: str, status: int) -> None:
    endpoint = an_endpoint(shop, "order.created")
    ordered(shop, 2)
    Server(lambda _request: broken()).drain(at_most=1)
    (parcel,) = webhooks.take(1, slow_at_most=1)
    db.use_scope(db.OWNER)
    with public_names():
        change = webhooks.Change(url="https://new.example/hooks")
        webhooks.update_endpoint(endpoint.id, change, by=BY)
    for failed in webhooks.settle([(parcel, broken(status))]):
        webhooks.switch_off(failed)
    assert query("SELECT status FROM webhook_endpoint") == [("enabled",)]
    assert query("SELECT failures, failing_since FROM webhook_health") == [(0, None)]


def test_one_arrival_begins_the_five_days_anew(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop, 2)
    Server(lambda _request: broken()).drain()
    later(4.9 * DAY)
    Server().drain(at_most=1)
    assert query("SELECT failures, failing_since FROM webhook_health") == [(0, None)]


@pytest.mark.requirement("S4-11")
def test_an_endpoint_that_refuses_at_once_delays_none_of_its_events(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    ordered(shop, 20)
    refusing = Server(lambda _request: broken())
    assert refusing.drain() == 20, "each has its first try, however many have failed"
    ordered(shop)
    assert refusing.drain() == 1, "and so has what happens afterwards, at once"
    later(6)
    assert refusing.drain() == 21, "the second tries come five seconds later, as promised"
    assert webhooks.health_of(endpoint.id).open_until is None
    later(40)
    assert Server().drain() == 21
    assert {state for _name, state, _tries in states()} == {"delivered"}


@pytest.mark.requirement("S4-11")
def test_an_endpoint_that_hangs_is_left_alone_and_no_try_is_used_up_meanwhile(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop, 20)
    server = Server(lambda _request: broken(None, seconds=10.0))
    assert server.drain() == policy.OPENS_AFTER, "then it is left alone"
    assert server.drain() == 0
    assert sum(int(tries) for _n, _s, tries in states()) == policy.OPENS_AFTER  # type: ignore[call-overload]
    later(policy.FIRST_REST + 1)
    assert server.drain() == 1, "one probe, which fails, and it is left alone for longer"
    later(policy.FIRST_REST + 1)
    assert server.drain() == 0
    later(policy.FIRST_REST)
    ((due,),) = query("SELECT count(*) FROM delivery WHERE due_at <= clock_now()")
    assert Server().drain() == due, "the probe arrives, and everything that is due follows"


def test_a_dead_endpoint_delays_neither_another_nor_its_own_newer_events(shop: str) -> None:
    dead = an_endpoint(shop, "order.created", url="https://dead.example/hooks")
    well = an_endpoint(shop, "order.created", url="https://well.example/hooks")
    ordered(shop, 3)

    def answer(request: webhooks.Request) -> webhooks.Came:
        return broken() if "dead" in request.url else FINE

    Server(answer).drain()
    rows = query("SELECT endpoint_id, state FROM delivery")
    assert {state for endpoint, state in rows if endpoint == well.id} == {"delivered"}
    ordered(shop)
    later(1)
    server = Server()
    server.drain()
    assert [r.url for r in server.got if "dead" in r.url], "the newer one does not wait in a line"
    ((arrived,),) = query(
        "SELECT count(*) FROM delivery WHERE endpoint_id = :id AND state = 'delivered'", id=dead.id
    )
    assert arrived == 1


def test_a_secret_that_cannot_be_opened_fails_its_own_deliveries_alone(shop: str) -> None:
    spoilt = an_endpoint(shop, "order.created", url="https://spoilt.example/hooks")
    well = an_endpoint(shop, "order.created", url="https://well.example/hooks")
    ordered(shop)
    with db.transaction(db.OWNER) as session:
        found = session.get(webhooks.Endpoint, spoilt.id)
        assert found is not None
        found.secret_sealed = "dropped.AAAA"
    assert [parcel.endpoint_id for parcel in webhooks.take(50, slow_at_most=8)] == [well.id]
    assert query("SELECT status, error FROM delivery_attempt") == [(None, UNSIGNED)]
    assert query(
        "SELECT state, tries, lease_until, due_at > clock_now() FROM delivery"
        " WHERE endpoint_id = :id",
        id=spoilt.id,
    ) == [("due", 1, None, True)]


def test_what_is_due_at_the_same_moment_is_sent_in_the_order_of_its_events(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop, 12)
    server = Server()
    server.drain()
    sent = [(request.headers["webhook-id"],) for request in server.got]
    in_order = "SELECT id FROM webhook_event WHERE name = 'order.created' ORDER BY place"
    assert sent == query(in_order)
    assert query("SELECT count(DISTINCT created_at) FROM delivery") == [(1,)]


def test_a_paused_endpoint_is_sent_nothing_until_it_is_resumed(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    webhooks.pause(endpoint.id, by=BY)
    ordered(shop, 3)
    server = Server()
    assert server.drain() == 0
    webhooks.resume(endpoint.id, by=BY)
    assert server.drain() == 3


def test_a_removed_endpoints_deliveries_are_let_be(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    ordered(shop, 2)
    other = an_endpoint(shop, "order.created", url="https://other.example/hooks")
    ordered(shop)
    webhooks.delete_endpoint(endpoint.id, by=BY)
    assert Server().drain() == 1, "nothing more is sent there"
    assert webhooks.let_removed_be() == 3
    assert webhooks.let_removed_be() == 0
    assert query("SELECT DISTINCT endpoint_id, state FROM delivery ORDER BY state") == [
        (other.id, "delivered"),
        (endpoint.id, "discarded"),
    ]
    with pytest.raises(webhooks.EndpointNotFound):
        webhooks.pause(endpoint.id, by=BY)


def test_what_ends_its_sender_three_times_is_set_aside(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop)
    for _ in range(policy.CLAIMS):
        assert len(webhooks.take(1, slow_at_most=1)) == 1
        later(policy.LEASE.total_seconds() + 1)
    assert webhooks.take(1, slow_at_most=1) == []
    assert query("SELECT state, tries, last_error FROM delivery") == [
        ("dead", 0, "ended its sender each time")
    ]
    assert query("SELECT name FROM fact WHERE subject_kind = 'delivery'") == [(webhooks.GAVE_UP,)]


def test_an_answer_that_comes_after_its_lease_changes_nothing(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop)
    (stale,) = webhooks.take(1, slow_at_most=1)
    later(policy.LEASE.total_seconds() + 1)
    (fresh,) = webhooks.take(1, slow_at_most=1)
    webhooks.settle([(stale, broken())])
    assert states() == [("order.created", "due", 0)]
    webhooks.settle([(fresh, FINE)])
    webhooks.settle([(stale, FINE)])
    assert states() == [("order.created", "delivered", 1)]
    assert query("SELECT number, is_late FROM delivery_attempt ORDER BY id") == [
        (1, True),
        (1, False),
        (1, True),
    ]


def test_of_two_answers_written_at_once_only_the_one_with_the_lease_counts(shop: str) -> None:
    an_endpoint(shop, "order.created")
    ordered(shop)
    (stale,) = webhooks.take(1, slow_at_most=1)
    later(policy.LEASE.total_seconds() + 1)
    (fresh,) = webhooks.take(1, slow_at_most=1)
    webhooks.settle([(stale, broken()), (fresh, FINE)])
    assert states() == [("order.created", "delivered", 1)]
    assert query("SELECT count(*) FROM delivery_attempt WHERE is_late") == [(1,)]


def test_sending_again_is_a_new_delivery_of_the_same_bytes(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    other = an_endpoint(shop, "refund.failed", url="https://other.example/hooks")
    ordered(shop)
    server = Server()
    server.drain()
    ((delivery_id,),) = query("SELECT id FROM delivery")
    fresh = webhooks.resend(str(delivery_id), by=BY)
    elsewhere = webhooks.resend(str(delivery_id), by=BY, to=other.id)
    server.drain()
    assert len({request.body for request in server.got}) == 1
    assert len({request.headers["webhook-id"] for request in server.got}) == 1
    assert {request.url for request in server.got[1:]} == {endpoint.url, other.url}
    assert query("SELECT id FROM delivery WHERE resend_of = :id ORDER BY id", id=delivery_id) == [
        (fresh,),
        (elsewhere,),
    ]


def test_a_test_event_is_sent_to_its_endpoint_alone(shop: str) -> None:
    an_endpoint(shop, "order.created")
    endpoint = an_endpoint(shop, "order.created", url="https://tried.example/hooks")
    webhooks.test_event(endpoint.id, "refund.processed", by=BY)
    server = Server()
    assert server.drain() == 1
    assert server.got[0].url == endpoint.url
    assert b'"type":"refund.processed"' in server.got[0].body


def test_nobody_who_sees_another_merchants_rows_sends_from_them(shop: str) -> None:
    endpoint_id = an_endpoint(shop, "order.created").id
    ordered(shop)
    ((delivery_id,),) = query("SELECT id FROM delivery")
    other = db.Scope(merchant_id=a_merchant(name="Other"), livemode=False)
    for scope in (other, db.Scope(merchant_id=shop, livemode=True)):
        with db.scoped(scope), pytest.raises(webhooks.DeliveryNotFound):
            webhooks.resend(str(delivery_id), by=BY)
        with db.scoped(scope), pytest.raises(webhooks.EndpointNotFound):
            webhooks.test_event(endpoint_id, "order.created", by=BY)
        with db.scoped(scope), pytest.raises(webhooks.EndpointNotFound):
            webhooks.pause(endpoint_id, by=BY)
    assert len(states()) == 1


def test_the_strip_shows_the_last_deliveries_and_what_waits(shop: str) -> None:
    endpoint = an_endpoint(shop, "order.created")
    ordered(shop, 3)
    Server().drain(at_most=2)
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        health = webhooks.health_of(endpoint.id)
    assert [one.state.value for one in health.strip] == ["due", "delivered", "delivered"]
    assert (health.waiting, health.arrived_share, health.failures) == (1, 1.0, 0)
