"""A relay that is killed after its consumer was called and before the due rows are gone."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from jobs import context, telling
from tests.jobs.working import note_told
from webapp.outbox import Fact


def die(facts: Sequence[Fact]) -> None:
    """Take the facts, then be killed as by the kernel."""
    note_told(facts)
    print("consumed", len(facts), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


context.start("relay")
with context.working():
    telling.tell("note", die)
