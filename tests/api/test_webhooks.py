"""Webhook endpoints, events and deliveries by the API: made, heard, tried, sent again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.api.desk import Program, Shop, a_shop
from tests.builders import an_order
from tests.webhooks.hooks import PUBLIC, Server, broken, public_names, tell
from webapp import webhooks
from webapp.api import events
from webapp.kernel import clock, db

ALL = {"url": "https://shop.example/hooks", "events": ["*"]}


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A merchant."""
    return a_shop(app)


@pytest.fixture
def program(shop: Shop) -> Iterator[Program]:
    """Its program, in a world where every name leads to a public server."""
    with public_names():
        yield shop.program()


def created(program: Program, **change: Any) -> dict[str, Any]:
    """Create an endpoint and return it with its secret."""
    answer = program.post("/webhook-endpoints", ALL | change)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.requirement("S4-25")
def test_an_endpoint_tells_its_secret_once(program: Program) -> None:
    chosen = ["payment.success", "payment.failed", "refund.processed"]
    made = created(program, events=chosen, secret="webhook_secret_key")
    assert (made["secret"], made["events"], made["status"]) == (
        "webhook_secret_key",
        sorted(chosen),
        "ENABLED",
    )
    assert created(program)["secret"].startswith("whsec_")
    got = program.get(f"/webhook-endpoints/{made['id']}").get_json()
    listed = program.get("/webhook-endpoints").get_json()["data"]
    assert "secret" not in got
    assert [one["id"] for one in listed][-1] == made["id"]
    assert all("secret" not in one for one in listed)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"url": "http://shop.example/hooks"}, "url"),
        ({"url": "ftp://shop.example/hooks"}, "url"),
        ({"url": "https://user:pass@shop.example/"}, "url"),
        ({"events": ["nothing.happened"]}, "events"),
        ({"events": []}, "events"),
        ({"secret": "short"}, "secret"),
        ({"api_version": "1999-01-01"}, "api_version"),
    ],
)
def test_what_an_endpoint_cannot_be_is_named(
    program: Program, change: dict[str, Any], param: str
) -> None:
    answer = program.post("/webhook-endpoints", ALL | change)
    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, param)
    assert program.get("/webhook-endpoints").get_json()["data"] == []


def test_an_endpoint_is_changed_paused_resumed_and_deleted(program: Program) -> None:
    path = f"/webhook-endpoints/{created(program)['id']}"
    changed = program.patch(path, {"events": ["order.created"], "description": "Tea"}).get_json()
    assert (changed["events"], changed["description"], changed["url"]) == (
        ["order.created"],
        "Tea",
        ALL["url"],
    )
    assert program.post(f"{path}/pause").get_json()["status"] == "PAUSED"
    assert program.post(f"{path}/resume").get_json()["status"] == "ENABLED"
    assert program.ask("DELETE", path).get_json()["deleted"] is True
    assert program.get(path).status_code == 404


def test_names_are_looked_up_before_the_database_is_held(program: Program) -> None:
    held: list[bool] = []

    def resolve(_host: str, _port: int) -> list[str]:
        held.append(db.in_transaction())
        return [PUBLIC]

    webhooks.use(receiver=None, resolve=resolve)
    path = f"/webhook-endpoints/{created(program)['id']}"
    assert program.patch(path, {"url": "https://new.example/"}).status_code == 200
    assert program.post("/webhooks", ALL | {"url": "https://old.example/"}).status_code == 201
    assert held == [False, False, False]


def test_an_answer_is_told_again_though_the_name_leads_nowhere_now(program: Program) -> None:
    key = {"Idempotency-Key": "made-1"}
    first = program.post("/webhook-endpoints", ALL, **key)
    webhooks.use(receiver=None, resolve=lambda _host, _port: [])
    again = program.post("/webhook-endpoints", ALL, **key)
    assert (again.status_code, again.data) == (201, first.data)
    fresh = program.post("/webhook-endpoints", ALL)
    assert (fresh.status_code, fresh.get_json()["error"]["param"]) == (400, "url")


def test_a_new_secret_is_told_once_and_answered_alike_when_asked_again(program: Program) -> None:
    made = created(program)
    path = f"/webhook-endpoints/{made['id']}/roll-secret"
    key = {"Idempotency-Key": "roll-1"}
    first, second = (program.post(path, {"overlap_seconds": 3600}, **key) for _ in range(2))
    assert first.get_json()["secret"] not in {made["secret"], None}
    assert first.data == second.data
    assert program.post(path, {"overlap_seconds": 8 * 86_400}).status_code == 400


def test_a_test_event_arrives_and_is_told_with_its_try(program: Program) -> None:
    endpoint = created(program)
    path = f"/webhook-endpoints/{endpoint['id']}"
    wrong = program.post(f"{path}/test", {"type": "nothing.happened"})
    assert (wrong.status_code, wrong.get_json()["error"]["param"]) == (400, "type")
    sent = program.post(f"{path}/test", {"type": "payment.success"}).get_json()
    server = Server()
    assert server.drain() == 1
    got = program.get(f"/deliveries/{sent['delivery']}").get_json()
    assert (got["status"], got["event_type"], got["answered"], got["tries"]) == (
        "delivered",
        "payment.success",
        200,
        1,
    )
    assert [(one["number"], one["status"]) for one in got["attempts"]] == [(1, 200)]
    assert endpoint["secret"] not in json.dumps(got)
    health = program.get(f"{path}/health").get_json()
    assert (health["arrived_share"], health["waiting"], len(health["recent"])) == (1.0, 0, 1)


def test_deliveries_are_listed_by_what_is_asked_and_sent_again(
    shop: Shop, program: Program
) -> None:
    first, second = created(program), created(program, url="https://shop.example/other")
    an_order(shop.merchant_id)
    tell()
    Server(lambda _request: broken(500)).drain()
    listed = program.get("/deliveries", endpoint=first["id"]).get_json()["data"]
    assert [one["status"] for one in listed] == ["due"]
    assert program.get("/deliveries", status="delivered").get_json()["data"] == []
    assert program.get("/deliveries", status="lost").status_code == 400
    again = program.post(f"/deliveries/{listed[0]['id']}/resend", {"to": second["id"]}).get_json()
    assert (again["endpoint"], again["event"]) == (second["id"], listed[0]["event"])
    nobodys = program.post(f"/deliveries/{listed[0]['id']}/resend", {"to": "we_1"})
    assert (nobodys.status_code, nobodys.get_json()["error"]["param"]) == (400, "to")


def test_a_stretch_of_time_is_sent_again(shop: Shop, program: Program) -> None:
    for _ in range(3):
        an_order(shop.merchant_id)
    tell()
    endpoint = created(program)
    now = int(clock.now().timestamp())
    asked = {"since": now - 3_600, "until": now + 60, "only_failed": False}
    path = f"/webhook-endpoints/{endpoint['id']}/resend"
    assert program.post(path, asked).get_json()["count"] == 3
    wrong = program.post(path, asked | {"until": now - 7_200})
    assert (wrong.status_code, wrong.get_json()["error"]["param"]) == (400, "since")


def test_an_event_is_told_as_endpoints_are_sent_it(shop: Shop, program: Program) -> None:
    created(program)
    order = an_order(shop.merchant_id)
    tell()
    server = Server()
    server.drain()
    (event,) = program.get("/events", type="order.created").get_json()["data"]
    assert event == json.loads(server.got[0].body)
    assert event["data"]["object"]["id"] == order.id
    assert program.get(f"/events/{event['id']}").get_json() == event
    assert len(program.get("/events", object_id=order.id).get_json()["data"]) == 1
    assert program.get("/events", type="nothing.happened").status_code == 400


def test_a_listener_goes_on_where_it_was_and_misses_none(shop: Shop, program: Program) -> None:
    made = [an_order(shop.merchant_id).id for _ in range(5)]
    tell()
    heard: list[str] = []
    after = "beginning"
    while True:
        page = program.get("/events", after=after, limit="2").get_json()
        heard += [one["data"]["object"]["id"] for one in page["data"]]
        if not page["data"]:
            break
        after = page["data"][-1]["id"]
    assert heard == made
    unknown = program.get("/events", after="evt_01KAJ8Z5V0W3N7Q2R4S6T8X9YB")
    assert (unknown.status_code, unknown.get_json()["error"]["param"]) == (400, "after")
    assert program.get("/events", after=after, starting_after=after).status_code == 400


def test_a_listener_that_waits_is_answered_as_soon_as_something_happens(
    shop: Shop, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            an_order(shop.merchant_id)
            tell()

    monkeypatch.setattr("time.sleep", nap)
    found = program.get("/events", after="beginning", wait="20").get_json()["data"]
    assert [one["type"] for one in found] == ["order.created"]
    assert len(naps) == 3
    assert program.get("/events", after="beginning", wait="21").status_code == 400


def test_listeners_beyond_the_seats_are_answered_at_once(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: pytest.fail("it waited"))
    taken = [events.SEATS.acquire(blocking=False) for _ in range(4)]
    try:
        assert all(taken)
        found = program.get("/events", after="beginning", wait="20").get_json()
        assert (found["data"], found["has_more"]) == ([], False)
    finally:
        for _ in taken:
            events.SEATS.release()


def test_what_is_anothers_is_not_there(app: Flask, shop: Shop, program: Program) -> None:
    endpoint = created(program)
    an_order(shop.merchant_id)
    tell()
    event = program.get("/events").get_json()["data"][0]["id"]
    delivery = program.get("/deliveries").get_json()["data"][0]["id"]
    stranger = a_shop(app).program()
    for path in (
        f"/webhook-endpoints/{endpoint['id']}",
        f"/webhook-endpoints/{endpoint['id']}/health",
        f"/events/{event}",
        f"/deliveries/{delivery}",
    ):
        assert stranger.get(path).status_code == 404
    assert stranger.get("/events", after=event).status_code == 400
    assert stranger.get("/events").get_json()["data"] == []
    ended = stranger.post(f"/webhook-endpoints/{endpoint['id']}/pause")
    assert ended.status_code == 404


def test_events_are_bounded_by_when_they_happened(shop: Shop, program: Program) -> None:
    an_order(shop.merchant_id)
    tell()
    at = program.get("/events").get_json()["data"][0]["created"]
    for bounds, count in (
        ({"created[gte]": at, "created[lte]": at}, 1),
        ({"created[lte]": at - 1}, 0),
        ({"created[gte]": at + 1}, 0),
    ):
        assert len(program.get("/events", **bounds).get_json()["data"]) == count
    assert dt.datetime.fromtimestamp(at, dt.UTC) <= clock.now()
