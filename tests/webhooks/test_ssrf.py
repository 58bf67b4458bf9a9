"""No address that leads inside is ever dialled: not when it is added, changed or delivered to."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest
from flask import Flask

from tests.builders import a_merchant
from tests.kernel.test_net import BAD_URLS, INSIDE, NO_ADDRESS, PUBLIC, SPELLINGS
from tests.webhooks.hooks import BY, URL, an_endpoint, public_names, query
from webapp import webhooks
from webapp.kernel import db
from webapp.kernel.errors import Invalid
from webapp.webhooks import Change, Network, NewEndpoint, Request
from webapp.webhooks.transport import CONNECT_SECONDS

LEADS_INSIDE = [
    *(("https://hooks.example/in", [address]) for address in INSIDE),
    *(("https://hooks.example/in", [PUBLIC, address]) for address in INSIDE[::7]),
    *((f"https://{address}/in", [address]) for address in INSIDE if ":" not in address),
    *((f"https://[{address}]/in", [address]) for address in INSIDE if ":" in address),
    *((f"https://{name}/in", [address]) for name, address in SPELLINGS.items()),
    *((url, [PUBLIC]) for url in BAD_URLS),
    *((f"https://hooks.example/{number}", [text]) for number, text in enumerate(NO_ADDRESS)),
    ("https://hooks.example/in", []),
]


class Recording:
    """A way to connect that never does, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, int]] = []

    def __call__(self, address: tuple[str, int], _seconds: float) -> socket.socket:
        self.dialled.append(address)
        raise ConnectionRefusedError


def passing(answers: list[str], ask: str) -> bool:
    """Whether an address passes the guard when it is added, or when an endpoint is changed."""
    with public_names(*answers) if answers else public_names(""):
        try:
            if ask.startswith("new "):
                new = NewEndpoint(ask.removeprefix("new "), ["*"])
                webhooks.create_endpoint("mer_1", new, livemode=False, by=BY)
            else:
                webhooks.update_endpoint("we_1", Change(url=ask.removeprefix("change ")), by=BY)
        except Invalid as refused:
            return refused.param != "url"
    return True


def test_there_are_more_than_120_of_them() -> None:
    assert len(LEADS_INSIDE) > 200
    assert len({str(one) for one in LEADS_INSIDE}) > 200


@pytest.mark.parametrize("verb", ["new", "change"])
def test_none_is_accepted_for_an_endpoint(app: Flask, verb: str) -> None:
    accepted = [one for one in LEADS_INSIDE if passing(one[1], f"{verb} {one[0]}")]
    assert accepted == []
    assert query("SELECT id FROM webhook_endpoint") == []


def test_none_is_dialled_when_its_name_has_come_to_lead_inside_since() -> None:
    tls = ssl.create_default_context()
    for url, answers in LEADS_INSIDE:
        recording = Recording()
        network = Network(resolve=lambda _h, _p, a=answers: a, connect=recording, tls=tls)  # type: ignore[misc]
        came = network.post(Request(url, {}, b"secret"))
        assert recording.dialled == [], url
        assert came.status is None
        assert came.error is not None
        assert came.error.startswith("not sent: ")


def test_a_name_is_resolved_once_and_that_very_address_is_dialled() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    recording = Recording()
    network = Network(resolve=lambda _host, _port: next(answers), connect=recording)
    assert network.post(Request(URL, {}, b"")).error == "connection failed: ConnectionRefusedError"
    assert recording.dialled == [(PUBLIC, 443)]
    assert network.post(Request(URL, {}, b"")).status is None
    assert len(recording.dialled) == 1


def test_addresses_of_a_name_are_dialled_in_turn_until_one_answers() -> None:
    dialled: list[str] = []
    ours, theirs = socket.socketpair()

    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        dialled.append(address[0])
        assert 0 < seconds <= CONNECT_SECONDS
        if ":" in address[0]:
            raise OSError(errno.ENETUNREACH, "no way there")
        theirs.close()
        return ours

    answers = ["2606:2800:21f:cb07::1", "2606:2800:21f:cb07::2", PUBLIC, "34.1.2.3"]
    network = Network(resolve=lambda _host, _port: answers, connect=connect)
    came = network.post(Request(URL, {}, b""))
    assert dialled == answers[:3]
    assert came.address == PUBLIC
    assert "unreach" not in str(came.error)


def test_a_try_whose_addresses_all_fail_names_the_last() -> None:
    recording = Recording()
    answers = [PUBLIC, "34.1.2.3"]
    network = Network(resolve=lambda _host, _port: answers, connect=recording)
    came = network.post(Request(URL, {}, b""))
    assert recording.dialled == [(PUBLIC, 443), ("34.1.2.3", 443)]
    assert (came.address, came.error) == (
        "34.1.2.3",
        "connection failed: ConnectionRefusedError",
    )


def test_looking_up_a_name_counts_against_the_time_of_the_try() -> None:
    recording = Recording()
    network = Network(resolve=lambda _host, _port: [PUBLIC], connect=recording, total_seconds=0.0)
    assert network.post(Request(URL, {}, b"")).error == "no answer in time"
    assert recording.dialled == []


def test_no_name_is_looked_up_while_the_database_is_held(app: Flask) -> None:
    with (
        public_names(),
        pytest.raises(RuntimeError, match="inside a transaction"),
        db.transaction(),
    ):
        webhooks.create_endpoint("mer_1", NewEndpoint(URL, ["*"]), livemode=False, by=BY)


def test_the_built_in_receiver_is_reached_by_no_address_that_somebody_gives(app: Flask) -> None:
    db.use_scope(db.OWNER)
    endpoint = an_endpoint(a_merchant(), is_built_in=True)
    assert endpoint.url.startswith("http://127.0.0.1:8000/demo/receiver/")
    assert not passing(["127.0.0.1"], f"new {endpoint.url}")
    assert not passing(["127.0.0.1"], f"change {endpoint.url}")
    with public_names(), pytest.raises(Invalid):
        webhooks.update_endpoint(endpoint.id, Change(url=URL), by=BY)
