"""Removes a data folder with its cluster: `python -m supervisor.forget`."""

import shutil
import sys

from supervisor import settings
from supervisor.errors import CannotStart
from supervisor.places import lock, settle
from supervisor.settings import Settings


def forget(chosen: Settings) -> str:
    """Remove everything that a copy has stored; refused while it runs."""
    if not (chosen.data / "secrets.json").exists():
        raise CannotStart(f"{chosen.data} is no data folder of Paydeck; nothing was removed.")
    with lock(chosen.data):
        places = settle(chosen.data)
        for folder in (places.cluster, places.sockets, places.data):
            shutil.rmtree(folder, ignore_errors=True)
    return f"Removed {chosen.data}."


if __name__ == "__main__":
    try:
        print(forget(settings.read()))
    except CannotStart as refusal:
        sys.exit(str(refusal))
