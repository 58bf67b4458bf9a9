"""Names are looked up within a time limit, and a stuck name server holds only its own threads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from webapp.kernel import names, net
from webapp.kernel.errors import Invalid
from webapp.kernel.names import Lookups, NotLookedUp

PUBLIC = "93.184.216.34"


class Server:
    """A name server that answers some names, and others only once it is let."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        if host.startswith("stuck"):
            self.may_answer.wait(60)
        return [PUBLIC]


@pytest.fixture
def server() -> Iterator[Server]:
    """A name server that is let go in the end."""
    server = Server()
    yield server
    server.may_answer.set()


def test_a_name_that_is_not_answered_in_time_is_given_up(server: Server) -> None:
    lookups = Lookups(server, seconds=0.01)
    with pytest.raises(NotLookedUp):
        lookups("stuck.example", 443)


def test_stuck_names_take_only_so_many_threads_and_the_rest_is_refused(server: Server) -> None:
    lookups = Lookups(server, seconds=0.01, at_once=2)
    for host in ("stuck-1.example", "stuck-2.example", "stuck-3.example"):
        with pytest.raises(NotLookedUp):
            lookups(host, 443)
    with pytest.raises(NotLookedUp):
        lookups("fine.example", 443)
    assert len(server.asked) == 2


def test_a_name_under_way_is_asked_once_however_many_wait_for_it(server: Server) -> None:
    lookups = Lookups(server, seconds=0.01)
    for _ in range(3):
        with pytest.raises(NotLookedUp):
            lookups("stuck.example", 443)
    assert server.asked == ["stuck.example"]


def test_who_cannot_be_answered_in_time_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(_host: str, _port: int) -> list[str]:
        raise NotLookedUp

    monkeypatch.setattr(names, "look_up", late)
    with pytest.raises(Invalid, match="in time"):
        net.outside_target("https://pay.example.com/")


def test_answers_keep_the_order_in_which_they_are_to_be_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [PUBLIC, "2606:2800:21f:cb07::1", PUBLIC]
    said = [(0, 0, 0, "", (address, 443)) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: said)
    assert names.ask_the_system("pay.example.com", 443) == found[:2]
