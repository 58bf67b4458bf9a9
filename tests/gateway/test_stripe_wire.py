"""The way to the provider: wrong keys, nobody there, slow, dripping and unreadable answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from tests.provider_process import SECRET_KEY, WEBHOOK_SECRET, Sandbox, free_port
from webapp.gateway import UnknownOutcome, Unreachable
from webapp.gateway.stripe_adapter import StripeKeys, StripeProvider
from webapp.gateway.transport import Transport


def provider_at(origin: str, *, key: str = SECRET_KEY, seconds: float = 20.0) -> StripeProvider:
    keys = StripeKeys(origin, key, (WEBHOOK_SECRET,), livemode=False)
    return StripeProvider(keys, transport=Transport(total_seconds=seconds))


def test_with_a_wrong_key_nothing_was_done(sandbox: Sandbox) -> None:
    with pytest.raises(Unreachable) as met:
        provider_at(sandbox.origin, key="sk_test_wrong").ping()
    assert met.value.code == "our_key_refused"


def test_where_nobody_listens_nothing_was_sent() -> None:
    with pytest.raises(Unreachable) as met:
        provider_at(f"http://127.0.0.1:{free_port()}").ping()
    assert met.value.code == "no_connection"


def test_a_name_that_leads_nowhere_was_never_reached() -> None:
    with pytest.raises(Unreachable):
        provider_at("http://provider.invalid").ping()


def test_a_slow_answer_is_not_waited_for(sandbox: Sandbox) -> None:
    sandbox.fault("slow", seconds=2)
    began = time.monotonic()
    with pytest.raises(UnknownOutcome) as met:
        provider_at(sandbox.origin, seconds=0.5).ping()
    assert met.value.code == "timeout"
    assert time.monotonic() - began < 1.5


@contextmanager
def a_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection with `answer`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with closing(connection):
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(timeout=5)


def test_an_answer_that_drips_for_ever_is_cut_off() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            for _ in range(40):
                connection.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            pass

    began = time.monotonic()
    with a_server(drip) as origin, pytest.raises(UnknownOutcome):
        provider_at(origin, seconds=0.4).ping()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot json!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{}",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\n{}",
        b"SSH-2.0-other\r\n",
        b"",
    ],
    ids=["not JSON", "cut short", "a redirect", "not HTTP", "nothing"],
)
def test_an_answer_that_is_none_leaves_the_outcome_unknown(answer: bytes) -> None:
    with a_server(lambda it: it.sendall(answer)) as origin, pytest.raises(UnknownOutcome):
        provider_at(origin).ping()
