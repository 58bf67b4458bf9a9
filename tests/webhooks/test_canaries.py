"""A server stands wherever an address may lead, and hears nothing of what leads inside."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.api.desk import a_shop
from tests.webhooks.hooks import BY, PUBLIC, Server, an_endpoint, ordered, public_names, query
from tests.webhooks.test_ssrf import LEADS_INSIDE
from webapp import webhooks
from webapp.kernel import db
from webapp.webhooks import Change, Network, Request

SECONDS = 2.0


class Canary:
    """A server on the loopback that counts who connects and what they say."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.visits = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._serving = threading.Thread(target=self._serve)
        self._serving.start()

    def dial(self, _address: tuple[str, int], seconds: float) -> socket.socket:
        """Connect here, whatever address was meant."""
        where: tuple[str, int] = self._listening.getsockname()
        return socket.create_connection(where, timeout=seconds)

    def close(self) -> None:
        """Stop listening, once everything that was said has been heard."""
        self.dial(("", 0), SECONDS).close()
        self._serving.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            connection, _whose = self._listening.accept()
            with connection:
                connection.settimeout(SECONDS)
                said = connection.recv(65_536)
            if not said:
                return
            self.visits += 1
            self.heard += said


@pytest.fixture
def canary() -> Iterator[Canary]:
    """One that is closed afterwards; what it heard is complete then."""
    standing = Canary()
    yield standing
    if standing._serving.is_alive():  # noqa: SLF001 - a test that failed before it closed
        standing.close()


def test_what_leads_outside_reaches_the_canary(canary: Canary) -> None:
    network = Network(resolve=lambda _host, _port: [PUBLIC], connect=canary.dial)
    assert network.post(Request("https://hooks.example/in", {}, b"secret")).status is None
    canary.close()
    assert canary.visits == 1
    assert canary.heard.startswith(b"\x16\x03"), "the beginning of TLS"


def test_nothing_that_leads_inside_does_when_it_is_delivered(canary: Canary) -> None:
    tls = ssl.create_default_context()
    for url, answers in LEADS_INSIDE:
        network = Network(resolve=lambda _h, _p, a=answers: a, connect=canary.dial, tls=tls)  # type: ignore[misc]
        assert network.post(Request(url, {}, b"secret")).status is None, url
    canary.close()
    assert (canary.visits, bytes(canary.heard)) == (0, b"")


def test_nothing_that_leads_inside_does_when_it_is_added_or_changed_by_the_api(
    app: Flask, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = a_shop(app).program()
    good = {"url": "https://hooks.example/in", "events": ["*"]}
    with public_names():
        address = f"/webhook-endpoints/{program.post('/webhook-endpoints', good).get_json()['id']}"
    monkeypatch.setattr(socket, "create_connection", canary.dial)
    for url, answers in LEADS_INSIDE:
        with public_names(*answers or ("",)):
            for answer in (
                program.post("/webhook-endpoints", good | {"url": url}),
                program.patch(address, {"url": url}),
            ):
                assert answer.status_code == 400, (url, answer.text)
    monkeypatch.undo()
    assert query("SELECT url FROM webhook_endpoint") == [(good["url"],)]
    canary.close()
    assert (canary.visits, bytes(canary.heard)) == (0, b"")


def test_nothing_does_when_a_name_has_come_to_lead_inside_since(shop: str, canary: Canary) -> None:
    moved = an_endpoint(shop, "order.created", url="https://moved.example/in")
    ordered(shop)
    network = Network(resolve=lambda _host, _port: ["169.254.169.254"], connect=canary.dial)
    assert webhooks.drain(network, Server()) == 1
    assert query("SELECT state, tries FROM delivery") == [("due", 1)]
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)), public_names():
        webhooks.update_endpoint(moved.id, Change(url="https://back.example/in"), by=BY)
    canary.close()
    assert (canary.visits, bytes(canary.heard)) == (0, b"")
