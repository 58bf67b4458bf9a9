"""The sockets that are open here: who they are, where they listen, and how often they spoke."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from webapp.accounts import Person
from webapp.realtime.policy import Wish

EVENTS_PER_SECOND = 10


@dataclass(slots=True)
class Listener:
    """One open socket."""

    sid: str
    person: Person | None = field(repr=False)
    wish: Wish
    topics: frozenset[str]
    spoke_at: deque[float] = field(default_factory=lambda: deque(maxlen=EVENTS_PER_SECOND))

    def speaks_too_often(self, now: float) -> bool:
        """Note one event at `now` (monotonic seconds); True when it is the eleventh in a second."""
        full = len(self.spoke_at) == EVENTS_PER_SECOND
        too_often = full and now - self.spoke_at[0] < 1.0
        self.spoke_at.append(now)
        return too_often


class Listeners:
    """All of them, by socket id; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_sid: dict[str, Listener] = {}

    def add(self, listener: Listener) -> None:
        """Remember an accepted socket."""
        with self._lock:
            self._by_sid[listener.sid] = listener

    def remove(self, sid: str) -> None:
        """Forget a socket that is gone; does nothing for one never accepted."""
        with self._lock:
            self._by_sid.pop(sid, None)

    def find(self, sid: str) -> Listener | None:
        """Return the listener of a socket, if it was accepted."""
        with self._lock:
            return self._by_sid.get(sid)

    def all(self) -> list[Listener]:
        """Return those open now."""
        with self._lock:
            return list(self._by_sid.values())
