"""What the test clock refuses."""

from __future__ import annotations

from webapp.kernel.errors import Forbidden


class NoLiveClock(Forbidden):
    """The clock was asked for in live mode, where nothing comes nearer."""

    code = "no_live_clock"
    says = "There is no clock to move in live mode: what waits there keeps its moment."
