"""The sender as threads and as a process: nobody waits for the slow, a death loses nothing."""

from __future__ import annotations

import http.server
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from jobs import context, sender
from jobs.sender import Desk
from jobs.subscriptions import ROUTES, WEBHOOKS
from jobs.telling import tell
from tests.builders import a_merchant, an_order
from tests.jobs.working import Ground, until
from tests.portal import dispose, environment
from tests.webhooks.hooks import BY, FINE, an_endpoint, broken, quick
from webapp import config, webhooks
from webapp.app import create_app
from webapp.kernel import db
from webapp.webhooks import Came, Request

STATES = "SELECT state || ' ' || tries FROM delivery ORDER BY id"
PATIENCE = 20.0


@pytest.fixture
def web(ground: Ground) -> Iterator[Flask]:
    """The portal as its web processes have it, on the worker's database."""
    app = create_app(config.read(environment(ground.stores, ground.database)), ROUTES)
    yield app
    dispose(app)


def on_the_way(web: Flask, *hosts: str, orders: int = 1) -> str:
    """Have that many events on their way to an endpoint on each host; returns the merchant's id."""
    with web.app_context(), db.scoped(db.OWNER):
        shop = a_merchant()
        for host in hosts:
            an_endpoint(shop, "order.created", url=f"https://{host}/in")
        for _ in range(orders):
            an_order(shop)
    with context.working():
        tell(WEBHOOKS, webhooks.fan_out)
    return shop


class Door:
    """A transport by which some hosts answer only once they are let."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.got: list[str] = []
        self.slow_now = 0
        self.slow_most = 0
        self._lock = threading.Lock()

    def post(self, request: Request) -> Came:
        """Answer at once, or hold whoever posts to a slow host."""
        with self._lock:
            self.got.append(request.url)
        if "slow" not in request.url:
            return FINE
        with self._lock:
            self.slow_now += 1
            self.slow_most = max(self.slow_most, self.slow_now)
        self.may_end.wait(PATIENCE)
        with self._lock:
            self.slow_now -= 1
        return broken(None)


@contextmanager
def sending(ground: Ground, transport: webhooks.Transport) -> Iterator[None]:
    """Run the sender's threads until the block ends."""
    process = replace(ground.process, stop=threading.Event())
    thread = threading.Thread(target=sender.run, args=(process, transport))
    thread.start()
    try:
        yield
    finally:
        process.stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.requirement("S4-11")
def test_others_arrive_while_a_hanging_endpoint_holds_its_threads(
    ground: Ground, web: Flask
) -> None:
    on_the_way(web, "slow.example", "fine.example", "well.example", orders=30)
    door = Door()
    with sending(ground, door):
        arrived = "SELECT count(*) FROM delivery WHERE state = 'delivered'"
        until(lambda: ground.query(arrived) == [60], seconds=PATIENCE, what="all others")
        assert door.slow_now == door.slow_most == 1, "it has yet to show that it is quick"
        door.may_end.set()
    held = ground.query("SELECT count(*) FROM delivery WHERE lease_until IS NOT NULL")
    assert held == [0], "what was in hand was written down before the end"


def test_what_came_back_is_kept_while_the_database_is_away(
    ground: Ground, web: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_way(web, "fine.example")
    desk = Desk(Door(), threading.Event())
    assert desk.work_once() == 1
    assert desk.post_one()
    settle = webhooks.settle

    def away(_results: object) -> None:
        raise OperationalError("", {}, ConnectionError(), connection_invalidated=True)

    monkeypatch.setattr(webhooks, "settle", away)
    assert desk.work_once() == 0
    assert desk.in_hand == 1
    monkeypatch.setattr(webhooks, "settle", settle)
    assert desk.work_once() == 1
    assert desk.in_hand == 0
    assert ground.query(STATES) == ["delivered 1"]


def test_one_result_that_cannot_be_written_costs_no_other(
    ground: Ground, web: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_way(web, "fine.example", "odd.example")
    desk = Desk(Door(), threading.Event())
    assert desk.work_once() == 2
    assert desk.post_one()
    assert desk.post_one()
    settle = webhooks.settle

    def choking(results: list[webhooks.Result]) -> list[webhooks.Result]:
        if any("odd" in parcel.request.url for parcel, _ in results):
            raise ValueError
        return settle(results)

    monkeypatch.setattr(webhooks, "settle", choking)
    desk.work_once()
    assert sorted(ground.query(STATES)) == ["delivered 1", "due 0"]
    assert desk.in_hand == 0


def test_a_receiver_that_is_gone_is_switched_off_once_the_database_is_back(
    ground: Ground, web: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(Door):
        def post(self, request: Request) -> Came:
            super().post(request)
            return broken(410)

    on_the_way(web, "gone.example")
    desk = Desk(Gone(), threading.Event())
    assert desk.work_once() == 1
    assert desk.post_one()
    switch_off = webhooks.switch_off

    def away(_result: object) -> None:
        raise OperationalError("", {}, ConnectionError(), connection_invalidated=True)

    monkeypatch.setattr(webhooks, "switch_off", away)
    desk.work_once()
    assert ground.query(STATES) == ["due 1"]
    assert ground.query("SELECT status FROM webhook_endpoint") == ["enabled"]
    monkeypatch.setattr(webhooks, "switch_off", switch_off)
    desk.work_once()
    assert ground.query("SELECT status FROM webhook_endpoint") == ["disabled"]
    assert ground.query("SELECT is_late FROM delivery_attempt") == [False], "written down once"


def test_no_answer_keeps_its_own_try_off_the_record(ground: Ground, web: Flask) -> None:
    class Odd(Door):
        def post(self, request: Request) -> Came:
            came = super().post(request)
            return replace(came, body="a\x00b") if "odd" in request.url else came

    on_the_way(web, "fine.example", "odd.example")
    desk = Desk(Odd(), threading.Event())
    assert desk.work_once() == 2
    assert desk.post_one()
    assert desk.post_one()
    desk.work_once()
    assert ground.query(STATES) == ["delivered 1", "delivered 1"]
    bodies = ground.query("SELECT response_body FROM delivery_attempt ORDER BY response_body")
    assert bodies == ["", FINE.body]


def test_two_senders_share_the_work_and_send_nothing_twice(ground: Ground, web: Flask) -> None:
    on_the_way(web, "one.example", "two.example", "three.example", orders=40)
    first, second = Door(), Door()
    with sending(ground, first), sending(ground, second):
        arrived = "SELECT count(*) FROM delivery WHERE state = 'delivered'"
        until(lambda: ground.query(arrived) == [120], seconds=PATIENCE, what="all of it")
    assert len(first.got) + len(second.got) == 120
    assert ground.query("SELECT DISTINCT tries FROM delivery") == [1]
    assert ground.query("SELECT count(*) FROM delivery_attempt WHERE is_late") == [0]


class Receiving(http.server.BaseHTTPRequestHandler):
    """A receiver on the loopback that says 200 and keeps what came."""

    got: list[tuple[str, bytes]] = []  # noqa: RUF012 - one list of the class, cleared by its test

    def do_POST(self) -> None:
        """Keep and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.mark.requirement("S0-13", "S4-60")
def test_the_process_delivers_over_the_network_and_another_takes_over_when_it_is_killed(
    ground: Ground, web: Flask, tmp_path: Path
) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiving)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Receiving.got.clear()
    with web.app_context(), db.scoped(db.OWNER):
        shop = a_merchant()
        webhooks.use(receiver=f"http://127.0.0.1:{server.server_port}")
        new = webhooks.NewEndpoint("", ["order.created"], is_built_in=True)
        with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
            endpoint, _secret = webhooks.create_endpoint(shop, new, livemode=False, by=BY)
        an_order(shop)
    with context.working():
        quick(endpoint)
        tell(WEBHOOKS, webhooks.fan_out)
    log, url = tmp_path / "sender.log", f"http://localhost:{server.server_port}"
    try:
        with ground.running("-m", "jobs.sender", log=log, PUBLIC_URL=url) as first:
            until(lambda: len(Receiving.got) == 1, seconds=PATIENCE, what=str(log))
            first.send_signal(signal.SIGKILL)
            first.wait(PATIENCE)
        with web.app_context(), db.scoped(db.OWNER):
            an_order(shop)
        with context.working():
            tell(WEBHOOKS, webhooks.fan_out)
        with ground.running("-m", "jobs.sender", log=log, PUBLIC_URL=url) as second:
            until(lambda: len(Receiving.got) >= 2, seconds=PATIENCE, what=str(log))
            due = "SELECT count(*) FROM delivery WHERE state = 'due' AND lease_until IS NULL"
            until(lambda: ground.query(due) == [0], seconds=PATIENCE, what="written down")
            second.terminate()
            assert second.wait(PATIENCE) == 0
    finally:
        server.shutdown()
        server.server_close()
        webhooks.use(receiver="http://127.0.0.1:8000")
    assert {path for path, _body in Receiving.got} == {f"/demo/receiver/{endpoint.id}"}
