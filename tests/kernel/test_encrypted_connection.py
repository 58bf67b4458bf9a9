"""A database address that asks for encryption is never spoken to in the clear."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.portal import dispose, environment
from webapp import config
from webapp.app import create_app
from webapp.kernel import db

#: PostgreSQL, "Message Formats": a client's wish to speak TLS is this code behind a length of 8.
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
NO_TLS_HERE = b"N"


@dataclass
class Bare:
    """A server that speaks no TLS, and what was said to it."""

    port: int
    heard: list[bytes] = field(default_factory=list)
    has_hung_up: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def bare() -> Iterator[Bare]:
    """Listen on a free port of this machine and answer every wish for TLS with no."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(5)
    server = Bare(listener.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(5)
                server.heard.append(caller.recv(1024))
                caller.sendall(NO_TLS_HERE)
                server.heard.append(caller.recv(1024))
                server.has_hung_up.set()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.mark.requirement("S2-80")
@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_without_tls_on_the_other_side_nothing_is_said(
    stores: Stores, bare: Bare, mode: str
) -> None:
    address = f"postgresql+psycopg://paydeck_web:secret@127.0.0.1:{bare.port}/paydeck"
    env = {**environment(stores, "paydeck"), "DATABASE_URL": f"{address}?sslmode={mode}"}
    app = create_app(config.read(env), ROUTES)
    try:
        with app.app_context(), pytest.raises(db.DatabaseError, match=r"SSL"):
            db.ping()
    finally:
        dispose(app)
    assert bare.has_hung_up.wait(5)
    assert bare.heard[:2] == [SSL_REQUEST, b""], "asked for TLS, and hung up at the no"
    assert b"paydeck_web" not in b"".join(bare.heard)
