"""`python -m tests.simulation`: play schedules and say what was found."""

from __future__ import annotations

import sys

from tests.simulation.running import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
