"""The checks of the wall: each minute over the last hour, each night over everything."""

from __future__ import annotations

from jobs import context
from jobs.knocks import ADMIN_TOPIC
from webapp import invariants
from webapp.kernel import wake

SECONDS = 20.0
WALL = "invariants"


def drain() -> int:
    """Make the checks that are due, for up to 20 s; returns how many."""
    from webapp import realtime  # noqa: PLC0415 - keeps Socket.IO out of the web processes

    with context.working():
        made = invariants.run_due(seconds=SECONDS)
        if made:
            realtime.send_softly([realtime.Knock(ADMIN_TOPIC, WALL, WALL, 0)])
        if made and is_due():
            wake.ping(invariants.WAKE)
        return made


def is_due() -> bool:
    """Whether a check waits to be made now."""
    return invariants.is_due()
