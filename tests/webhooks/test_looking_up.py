"""Waiting for a name server of somebody else's choice holds few threads, and few a merchant."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from flask import Flask

from tests.api.desk import a_shop
from tests.web.merchant.world import a_shop as a_shop_in_a_browser
from tests.webhooks.hooks import PUBLIC, public_names
from webapp import webhooks
from webapp.webhooks import Address, TooManyLookups
from webapp.webhooks.addresses import SEATS, SEATS_EACH

URL = "https://stuck.example/"
NEW, CREATE = "/merchant/developers/webhooks/new", "/merchant/developers/webhooks"


class StuckServer:
    """A name server that answers nobody until it is let, and knows how many wait for it."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self._asked = threading.Semaphore(0)
        self._pool = ThreadPoolExecutor(SEATS + 4)

    def resolve(self, _host: str, _port: int) -> list[str]:
        """Answer once it is let."""
        self._asked.release()
        self.may_answer.wait(60)
        return [PUBLIC]

    def begin(self, app: Flask, whose: str) -> Future[Address]:
        """Have a name looked up for a merchant, and return once the server has been asked."""

        def ask() -> Address:
            with app.app_context():
                return webhooks.look_up(URL, whose=whose)

        begun = self._pool.submit(ask)
        assert self._asked.acquire(timeout=60)
        return begun

    def close(self) -> None:
        """Let everybody go."""
        self.may_answer.set()
        self._pool.shutdown()


@pytest.fixture
def stuck() -> Iterator[StuckServer]:
    """A stuck name server that every name is asked of."""
    server = StuckServer()
    with public_names():
        webhooks.use(receiver=None, resolve=server.resolve)
        yield server
        server.close()


def test_a_merchant_waits_for_so_many_names_and_others_for_theirs(
    app: Flask, stuck: StuckServer
) -> None:
    waiting = [stuck.begin(app, "mer_one") for _ in range(SEATS_EACH)]
    assert isinstance(webhooks.look_up(URL, whose="mer_one").refused, TooManyLookups)
    waiting.append(stuck.begin(app, "mer_two"))
    stuck.may_answer.set()
    assert [one.result(60).refused for one in waiting] == [None] * 3
    assert webhooks.look_up(URL, whose="mer_one").refused is None


def test_however_many_merchants_wait_most_threads_stay_free(app: Flask, stuck: StuckServer) -> None:
    for number in range(SEATS):
        stuck.begin(app, f"mer_{number}")
    assert isinstance(webhooks.look_up(URL, whose="mer_last").refused, TooManyLookups)


def test_a_program_is_told_to_try_again(app: Flask, stuck: StuckServer) -> None:
    shop = a_shop(app)
    program = shop.program()
    for _ in range(SEATS_EACH):
        stuck.begin(app, shop.merchant_id)
    for path in ("/webhook-endpoints", "/webhooks"):
        answer = program.post(path, {"url": URL, "events": ["*"]})
        error = answer.get_json()["error"]
        told = (answer.status_code, error["code"], error["param"])
        assert told == (429, "too_many_lookups", "url")
        assert answer.headers["Retry-After"] == "3"


def test_a_page_says_so_beside_the_address(app: Flask, stuck: StuckServer) -> None:
    shop = a_shop_in_a_browser(app)
    for _ in range(SEATS_EACH):
        stuck.begin(app, shop.id)
    typed = {"target": "own", "url": URL, "reach": "all"}
    form = shop.client.page(NEW).form(CREATE)
    answer = shop.client.post(CREATE, data=form.fields | typed)
    assert answer.status_code == 503
    assert "looked up already" in answer.get_data(as_text=True)
