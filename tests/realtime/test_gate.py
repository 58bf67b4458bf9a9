"""Who gets as far as the socket server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from webapp.realtime.gate import Gate

OURS = "https://pay.example.com"
FOREIGN = [
    "https://evil.example",
    "http://pay.example.com",
    "https://pay.example.com:8443",
    "https://pay.example.com.evil.example",
    "https://evil-pay.example.com",
    "https://PAY.example.com@evil.example",
    "https://sub.pay.example.com",
    "https://pay.example.com/",
    "null",
    "",
    "file://",
    "https://pay.example.com https://evil.example",
    "chrome-extension://pay.example.com",
]


def inner(_environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"in"]


def ask(gate: Gate, **environ: str) -> str:
    said: list[str] = []
    known = {
        "PATH_INFO": "/socket.io/",
        "QUERY_STRING": "EIO=4&transport=websocket",
        "HTTP_ORIGIN": OURS,
    }
    list(gate(known | environ, lambda status, _headers: said.append(status)))
    return said[0]


def test_our_own_page_gets_in() -> None:
    assert ask(Gate(inner, origin=OURS)) == "200 OK"


@pytest.mark.requirement("S2-83", "S4-13")
@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_any_other_origin_is_refused(origin: str) -> None:
    assert ask(Gate(inner, origin=OURS), HTTP_ORIGIN=origin) == "403 Forbidden"


def test_a_request_without_an_origin_is_refused() -> None:
    said: list[str] = []
    environ = {"PATH_INFO": "/socket.io/", "QUERY_STRING": "EIO=4&transport=websocket"}
    list(Gate(inner, origin=OURS)(environ, lambda status, _headers: said.append(status)))
    assert said == ["403 Forbidden"]


@pytest.mark.parametrize(
    "query", ["EIO=4&transport=polling", "EIO=4", "transport=websocket&transport=polling"]
)
def test_only_websocket_is_spoken(query: str) -> None:
    assert ask(Gate(inner, origin=OURS), QUERY_STRING=query) == "400 Bad Request"


def test_the_health_page_needs_no_origin() -> None:
    assert ask(Gate(inner, origin=OURS), PATH_INFO="/health", HTTP_ORIGIN="") == "200 OK"


def test_the_socket_after_the_last_place_is_refused_and_a_freed_place_is_given_again() -> None:
    """By real threads, each holding its socket open."""
    may_leave, entered = threading.Event(), threading.Semaphore(0)

    def hold(_environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        start_response("200 OK", [])
        entered.release()
        may_leave.wait(5)
        return [b""]

    gate = Gate(hold, origin=OURS, most=20)
    threads = [threading.Thread(target=ask, args=(gate,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert entered.acquire(timeout=5)
    assert ask(gate) == "503 Service Unavailable"
    assert gate.open == 20
    may_leave.set()
    for thread in threads:
        thread.join(5)
    assert gate.open == 0
    assert ask(gate) == "200 OK"
