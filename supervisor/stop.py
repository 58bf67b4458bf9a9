"""Stops the copy that runs on the data folder: `python -m supervisor.stop`."""

import contextlib
import json
import os
import signal
import sys
import time

from supervisor import settings
from supervisor.errors import CannotStart
from supervisor.places import is_locked
from supervisor.settings import Settings

_PATIENCE_SECONDS = 20.0


def stop(chosen: Settings) -> str:
    """Ask the running copy to stop and wait until it has; answers what happened."""
    if not is_locked(chosen.data):
        return f"Nothing runs on {chosen.data}."
    told = chosen.data / "demo.json"
    if not told.exists():
        raise CannotStart("Paydeck is starting or stopping: try again in a moment.")
    with contextlib.suppress(ProcessLookupError):
        os.kill(json.loads(told.read_text())["supervisor"], signal.SIGTERM)
    until = time.monotonic() + _PATIENCE_SECONDS
    while is_locked(chosen.data):
        if time.monotonic() > until:
            raise CannotStart(f"Paydeck did not stop within {_PATIENCE_SECONDS:.0f} s.")
        time.sleep(0.1)
    return "Paydeck has stopped."


if __name__ == "__main__":
    try:
        print(stop(settings.read()))
    except CannotStart as refusal:
        sys.exit(str(refusal))
