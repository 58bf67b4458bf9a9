"""Before the socket server: only browsers on our own page, only WebSocket, and not too many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

#: 400 threads less 32 for health checks, handshakes and whoever is being refused.
MOST_SOCKETS = 368
PATH = "/socket.io"
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Gate:
    """Wraps the WSGI application; a socket holds its thread, so open requests are open sockets."""

    def __init__(self, inner: Application, *, origin: str, most: int = MOST_SOCKETS) -> None:
        self._inner = inner
        self._origin = origin
        self._most = most
        self._lock = threading.Lock()
        self.open = 0

    @property
    def most(self) -> int:
        """How many sockets may be open at once."""
        return self._most

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer 403, 400 or 503 by ourselves, or pass the request on."""
        if not str(environ.get("PATH_INFO", "")).startswith(PATH):
            return self._inner(environ, start_response)
        if environ.get("HTTP_ORIGIN") != self._origin:
            return _refuse(start_response, HTTPStatus.FORBIDDEN, "This page may not listen here.")
        asked = parse_qs(str(environ.get("QUERY_STRING", "")))
        if asked.get("transport") != ["websocket"]:
            return _refuse(start_response, HTTPStatus.BAD_REQUEST, "Only WebSocket is spoken here.")
        if not self._enter():
            return _refuse(start_response, HTTPStatus.SERVICE_UNAVAILABLE, "All places are taken.")
        try:
            return self._inner(environ, start_response)
        finally:
            with self._lock:
                self.open -= 1

    def _enter(self) -> bool:
        with self._lock:
            if self.open >= self._most:
                return False
            self.open += 1
            return True


def _refuse(start_response: StartResponse, status: HTTPStatus, says: str) -> Iterable[bytes]:
    body = says.encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
