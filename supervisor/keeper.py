"""Outlives a killed supervisor for a moment, to end what its leashes did not reach.

A process leashed to the supervisor dies with it; the children it started may not. The keeper
notices the supervisor's end, however it came, by the end of its own standard input.
"""

import signal
import sys
import time

from supervisor.child import kill_marked

_GRACE_SECONDS = 2.0


def main(mark: str) -> None:
    """Wait for the supervisor's end, then kill whatever carries `mark` a moment later."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.stdin.read() == "done":
        return
    time.sleep(_GRACE_SECONDS)
    while kill_marked(mark):
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1])
