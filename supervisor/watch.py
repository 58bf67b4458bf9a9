"""Keeps children alive: a dead one is started again, always, a little later each time."""

import time
from collections import Counter
from collections.abc import Callable, Mapping

from supervisor.child import Child

_FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
HEALTHY_SECONDS = 20.0


class Watch:
    """Watches `children`; `tell` hears one sentence about each death.

    An end is an end, whatever its exit code: a worker that lost its Valkey ends with 0.
    """

    def __init__(self, children: Mapping[str, Child], tell: Callable[[str], None]) -> None:
        self._children = children
        self._tell = tell
        self.deaths: Counter[str] = Counter()
        self._delays: dict[str, float] = {}
        self._due_at: dict[str, float] = {}

    def look(self) -> list[str]:
        """Start whatever is dead and due; answers the names of what was started."""
        started = []
        for name, child in self._children.items():
            if child.is_running:
                continue
            now = time.monotonic()
            if name not in self._due_at:
                self._plan(name, child, now)
            if now >= self._due_at[name]:
                del self._due_at[name]
                child.start()
                started.append(name)
        return started

    def _plan(self, name: str, child: Child, now: float) -> None:
        """Decide when a child that has just been found dead may live again."""
        child.kill_family()
        self.deaths[name] += 1
        lived = now - child.started_at
        delay = self._delays.get(name, 0.0)
        delay = _FIRST_DELAY_SECONDS if lived > HEALTHY_SECONDS or not delay else delay * 2
        self._delays[name] = min(delay, LONGEST_DELAY_SECONDS)
        self._due_at[name] = now + self._delays[name]
        self._tell(
            f"{name} ended ({child.exit_code}) after {lived:.0f} s; "
            f"starting it again in {self._delays[name]:.1f} s, its log is {child.command.log}"
        )
