"""How a socket process hears of knocks: Socket.IO's Valkey channel, with a short way back to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import redis
import socketio
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from webapp.realtime.knocks import CHANNEL

PAUSE_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class Bus(socketio.RedisManager):  # type: ignore[misc] # the library has no types
    """Listens for ever; after Valkey was away it calls `on_return`, since knocks were missed.

    The library waits up to a minute before it listens again; half a second is enough here.
    """

    def __init__(self, url: str, *, on_return: Callable[[], None]) -> None:
        options = {"retry": Retry(NoBackoff(), 0), "socket_connect_timeout": 2}
        super().__init__(url, channel=CHANNEL, redis_options=options)
        self._on_return = on_return
        self._pause = threading.Event()
        self.is_listening = False

    def _redis_listen_with_retries(self) -> Iterator[dict[str, Any]]:
        was_away = False
        while True:
            try:
                self._redis_connect()
                self.pubsub.subscribe(self.channel)
                self.is_listening = True
                if was_away:
                    self._on_return()
                yield from self.pubsub.listen()
            except redis.RedisError as gone:
                if self.is_listening:
                    _log.warning("knocks_channel_lost", error=type(gone).__name__)
                self.is_listening, was_away = False, True
                self._pause.wait(PAUSE_SECONDS)
