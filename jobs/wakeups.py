"""Turning bursts of wake-ups into few: at most one a kind in 100 ms, the last one never lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

GAP_SECONDS = 0.1
RETRY_SECONDS = 0.5


class Wakeups:
    """Collects wishes by kind and passes each on through `send`, at most once per gap.

    A wish that comes inside the gap is sent at its end; one that `send` refuses (False) is kept
    and tried again. Safe to use from several threads.
    """

    def __init__(
        self,
        send: Callable[[str], bool],
        *,
        gap_seconds: float = GAP_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._gap = gap_seconds
        self._now = now
        self._lock = threading.Lock()
        self._bell = threading.Event()
        self._wished: set[str] = set()
        self._not_before: dict[str, float] = {}

    def wish(self, kind: str) -> None:
        """Ask for one wake-up of `kind`, soon."""
        with self._lock:
            self._wished.add(kind)
        self._bell.set()

    def flush(self) -> float | None:
        """Send what may be sent now; returns the seconds until the next may be, None for none."""
        now = self._now()
        with self._lock:
            ready = [kind for kind in self._wished if self._not_before.get(kind, 0.0) <= now]
            self._wished.difference_update(ready)
            self._not_before |= dict.fromkeys(ready, now + self._gap)
        for kind in ready:
            if not self._send(kind):
                self._keep(kind, now + RETRY_SECONDS)
        with self._lock:
            waits = [self._not_before.get(kind, now) - now for kind in self._wished]
        return max(0.0, min(waits)) if waits else None

    def work(self, stop: threading.Event, *, poll_seconds: float = RETRY_SECONDS) -> None:
        """Pass wishes on until `stop` is set; then send what is left once more."""
        while not stop.is_set():
            pause = self.flush()
            self._bell.wait(poll_seconds if pause is None else pause)
            self._bell.clear()
        with self._lock:
            self._not_before.clear()
        self.flush()

    def _keep(self, kind: str, not_before: float) -> None:
        with self._lock:
            self._wished.add(kind)
            self._not_before[kind] = not_before
