"""A Valkey that forgets: wake-ups in a list, knocks and a cache in dicts, all of it erasable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import redis

from tests.simulation.world import World
from webapp.realtime import Knock


class Forgetful:
    """What the portal asks of Valkey, without a promise to keep any of it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.wakes: list[str] = []
        self.knocks: dict[tuple[str, str], int] = {}
        self._kept: dict[str, Any] = {}
        self.is_away = False
        #: How many events were added to streams.
        self.streamed = 0

    def wake(self, kind: str) -> None:
        """Take a wake-up; it may be lost, or come twice."""
        if self.is_away:
            return
        times = 1 if self._world.is_calm else self._world.chance.choices((0, 1, 2), (15, 75, 10))[0]
        self.wakes += [kind] * (times if self.wakes.count(kind) < 2 else 0)

    def next_wake(self) -> str | None:
        """Return a wake-up that waits for a worker."""
        return self.wakes.pop(0) if self.wakes else None

    def forget_all(self) -> None:
        """FLUSHALL."""
        self._world.note("FLUSHALL")
        self.wakes.clear()
        self._kept.clear()

    def send(self, knocks: Sequence[Knock]) -> None:
        """Take knocks for browsers."""
        if self.is_away:
            raise redis.ConnectionError
        for knock in knocks:
            key = (knock.kind, knock.id)
            self.knocks[key] = max(self.knocks.get(key, 0), knock.version)

    def send_softly(self, knocks: Sequence[Knock]) -> None:
        """Take knocks, or lose them."""
        if not self.is_away:
            self.send(knocks)

    # the streams' client ------------------------------------------------------------------------

    def pipeline(self, *, transaction: bool) -> Pipeline:
        """Return what takes several commands at once."""
        return Pipeline(self)

    # the cache's client -------------------------------------------------------------------------

    def get(self, key: str) -> bytes | None:
        """Return what was kept."""
        found = self._kept.get(key)
        return found.encode() if isinstance(found, str) else None

    def set(self, key: str, value: str, ex: int = 0) -> None:
        """Keep something."""
        self._kept[key] = value

    def delete(self, *keys: str) -> None:
        """Forget something."""
        for key in keys:
            self._kept.pop(key, None)


class Pipeline:
    """Commands that are sent together, all of them or, while Valkey is away, none."""

    def __init__(self, valkey: Forgetful) -> None:
        self._valkey = valkey
        self._length = 0

    def __enter__(self) -> Self:
        """Begin to collect."""
        return self

    def __exit__(self, *_fault: object) -> None:
        """Forget what was collected and never sent."""

    def xadd(self, _stream: str, _fields: Any, **_bounds: Any) -> None:
        """Add an event to a stream, once it is sent."""
        self._length += 1

    def execute(self) -> None:
        """Send what was collected."""
        if self._valkey.is_away:
            raise redis.ConnectionError
        self._valkey.streamed += self._length
