"""A browser's socket, spoken by hand: Engine.IO 4 and Socket.IO 5 over one WebSocket."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import websocket


class Refused(Exception):
    """The server did not let the socket in; the message says how."""


class BrowserSocket:
    """One open socket; what it hears is kept in `heard` as (event, data)."""

    def __init__(
        self, port: int, *, origin: str | None, cookies: Mapping[str, str], auth: object
    ) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.is_open = True
        url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        try:
            self._wire = websocket.create_connection(
                url,
                timeout=5,
                origin=origin,
                suppress_origin=origin is None,
                cookie="; ".join(f"{name}={value}" for name, value in cookies.items()),
            )
        except websocket.WebSocketBadStatusException as refused:
            raise Refused(str(refused.status_code)) from refused
        assert str(self._wire.recv()).startswith("0{")
        self.say(f"40{json.dumps(auth)}")
        self._introduce()

    def _introduce(self) -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            said = self._read()
            if said.startswith("44"):
                self.close()
                raise Refused(json.loads(said[2:])["message"])
            if said.startswith("40"):
                return
        raise Refused("no answer")

    def say(self, packet: str) -> None:
        """Send one packet as it is."""
        self._wire.send(packet)

    def wait(self, event: str, *, seconds: float = 5, **like: object) -> dict[str, Any]:
        """Return the data of the first `event` heard that has these values; fails without one."""
        until = time.monotonic() + seconds
        while True:
            for name, data in self.heard:
                if name == event and all(data.get(key) == value for key, value in like.items()):
                    self.heard.remove((name, data))
                    return dict(data)
            left = until - time.monotonic()
            assert left > 0, f"no {event} {like} within {seconds} s, but {self.heard}"
            assert self.is_open, f"closed before {event}"
            self._wire.settimeout(left)
            self._read()

    def listen(self, seconds: float) -> list[tuple[str, Any]]:
        """Return everything heard within some seconds."""
        until = time.monotonic() + seconds
        while self.is_open and (left := until - time.monotonic()) > 0:
            self._wire.settimeout(left)
            self._read()
        heard, self.heard = self.heard, []
        return heard

    def seconds_until_closed(self, *, at_most: float) -> float:
        """Return after how long the server closed it; fails if it does not."""
        began = time.monotonic()
        while self.is_open:
            left = began + at_most - time.monotonic()
            assert left > 0, f"still open after {at_most} s"
            self._wire.settimeout(left)
            self._read()
        return time.monotonic() - began

    def close(self) -> None:
        """Close it from our side."""
        self.is_open = False
        self._wire.shutdown()  # type: ignore[no-untyped-call]

    def _read(self) -> str:
        try:
            said = str(self._wire.recv())
        except websocket.WebSocketTimeoutException:
            return ""
        except (websocket.WebSocketException, OSError):
            said = ""
        if said.startswith("42"):
            event, data = json.loads(said[2:])
            self.heard.append((event, data))
        elif said == "2":
            self._wire.send("3")
        elif said in {"", "1", "41"}:
            self.is_open = False
            self._wire.shutdown()  # type: ignore[no-untyped-call]
        return said
