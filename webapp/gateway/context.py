"""What a drain needs from the process it runs in; the rooms start no threads of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Context(Protocol):
    """Injected by the jobs: a heartbeat beside a slow call, named points, a stopwatch."""

    def heartbeat(self, beat: Callable[[], bool]) -> AbstractContextManager[None]:
        """Call `beat` every 3 s inside the block, until it returns False or the block ends."""

    def hook(self, name: str) -> None:
        """Stand at a named point, where a test may stop or end the process."""

    def clock(self) -> float:
        """Return seconds that only grow, for how long a drain has run."""


class Quiet:
    """No heartbeat and no named points: a call that outlives its lease may be made again."""

    def heartbeat(self, beat: Callable[[], bool]) -> AbstractContextManager[None]:  # noqa: ARG002
        """Do nothing inside the block."""
        return nullcontext()

    def hook(self, name: str) -> None:
        """Pass by."""

    def clock(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()


QUIET: Context = Quiet()
