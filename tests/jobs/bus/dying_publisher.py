"""A relay that is killed after a fact is in its stream and before that was noted."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from jobs import consumers, context, telling
from jobs.subscriptions import BUS
from webapp.outbox import Fact


def publish_and_die(facts: Sequence[Fact]) -> None:
    """Publish, then be killed as by the kernel."""
    consumers.publish(facts)
    os.kill(os.getpid(), signal.SIGKILL)


context.start("relay")
with context.working():
    telling.tell(BUS, publish_and_die)
