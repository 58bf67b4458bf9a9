"""The start command as chaos wants it: dead processes return at once, and some clocks are wrong.

`CHAOS_SKEW` says by how many seconds the workers' clock is ahead; the relay's is behind by as much.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from supervisor import watch
from supervisor.__main__ import main
from supervisor.processes import PROCESSES, Process

#: How many times the skew each process is ahead.
_AHEAD = {"worker": 1, "relay": -1, "sweeper": -0.5}


def _skewed(row: Process, seconds: float) -> Process:
    ahead = _AHEAD.get(row.name, 0) * seconds
    if not ahead:
        return row
    return replace(row, module=f"tests.chaos.skewed {ahead:g} {row.module}")


if __name__ == "__main__":
    watch.HEALTHY_SECONDS = 0.5
    watch.LONGEST_DELAY_SECONDS = 1.0
    skew = float(os.environ.get("CHAOS_SKEW", "0"))
    sys.exit(main([_skewed(row, skew) for row in PROCESSES]))
