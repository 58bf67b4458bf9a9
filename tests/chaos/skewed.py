"""Runs one of our programs with a clock that is wrong: `-m tests.chaos.skewed SECONDS MODULE …`.

Only Python's clock is moved; the database keeps its own, as two machines do.
"""

from __future__ import annotations

import datetime as dt
import runpy
import sys

from webapp.kernel import clock

_right = clock.now
_offset = dt.timedelta()


def _wrong() -> dt.datetime:
    """Return the present moment as this process believes it to be."""
    return _right() + _offset


if __name__ == "__main__":
    _offset = dt.timedelta(seconds=float(sys.argv[1]))
    clock.now = _wrong
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
