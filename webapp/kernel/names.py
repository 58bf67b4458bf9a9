"""Names looked up within a time limit, by threads that a stuck name server may keep for longer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

LOOKUP_SECONDS: Final = 3.0
#: So many lookups are under way at once in a process; no more are begun until one has ended. The
#: system gives a name up after some 30 s; sixteen threads that each wait 3 s leave 160 behind.
AT_ONCE: Final = 256
Ask = Callable[[str, int], list[str]]


class NotLookedUp(Exception):
    """No answer in time, or too many names are being looked up already."""


class Lookups:
    """Looks names up, each in a thread of its own that nobody has to wait for."""

    def __init__(
        self, ask: Ask, *, seconds: float = LOOKUP_SECONDS, at_once: int = AT_ONCE
    ) -> None:
        self._ask = ask
        self._seconds = seconds
        self._at_once = at_once
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, int], Future[list[str]]] = {}

    def __call__(self, host: str, port: int) -> list[str]:
        """Return the addresses of a name, none where it has none; raises NotLookedUp.

        Who asks for a name that is being looked up waits for that answer.
        """
        answer = self._begun(host, port)
        try:
            return answer.result(timeout=self._seconds)
        except TimeoutError as late:
            raise NotLookedUp from late

    def _begun(self, host: str, port: int) -> Future[list[str]]:
        with self._lock:
            if (answer := self._under_way.get((host, port))) is not None:
                return answer
            if len(self._under_way) >= self._at_once:
                raise NotLookedUp
            answer = self._under_way[host, port] = Future()
        looking = threading.Thread(target=self._look, args=(host, port, answer), daemon=True)
        try:
            looking.start()
        except RuntimeError as full:
            self._end(host, port, answer, [])
            raise NotLookedUp from full
        return answer

    def _look(self, host: str, port: int, answer: Future[list[str]]) -> None:
        found: list[str] = []
        try:
            found = self._ask(host, port)
        finally:
            self._end(host, port, answer, found)

    def _end(self, host: str, port: int, answer: Future[list[str]], found: list[str]) -> None:
        with self._lock:
            del self._under_way[host, port]
        answer.set_result(found)


def ask_the_system(host: str, port: int) -> list[str]:
    """Return the addresses of a name in the order in which they are to be dialled."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


#: The product's own lookups.
look_up = Lookups(ask_the_system)
