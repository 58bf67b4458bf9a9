"""Cutting a connection as a failing network does: a TCP reset in place of an answer."""

import errno
import socket
import struct
from collections.abc import Iterable
from typing import Any

from flask import Response, request

_MARK = "sandbox.drop"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def ask_to_drop() -> Response:
    """Marks the request under way to be cut; what this returns is never sent."""
    request.environ[_MARK] = True
    return Response(status=503)


class ConnectionCutter:
    """Wraps the app and resets the connection of every request marked to be cut."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers, or raises ConnectionResetError, on which the server closes the socket."""
        held: list[tuple[Any, ...]] = []

        def hold(*parts: Any) -> None:
            held.append(parts)

        body: Iterable[bytes] = self._app(environ, hold)
        if environ.get(_MARK):
            connection: socket.socket = environ["gunicorn.socket"]
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            connection.close()
            raise ConnectionResetError(errno.ECONNRESET, "cut on request")
        start_response(*held[-1])
        return body
