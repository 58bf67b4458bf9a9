"""`python -m tests.simulation.power`: plant each known bug and see at which seed it is found."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from supervisor.stores import Stores
from tests.simulation import course
from tests.simulation.bugs import BUGS, Bug
from tests.simulation.ground import Ground
from tests.simulation.running import Runner

#: How many seeds a bug may take; a rarer one counts as not found.
MOST_SEEDS = 400
CHUNK = 12


def finds() -> dict[str, int]:
    """Return by bug the seed at which it was found the last time; it is tried first."""
    lines = (Path(__file__).parent / "finds.txt").read_text().splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return {name: int(seed) for name, seed in pairs}


def find(ground: Ground, bug: Bug, *, most: int, lanes: int) -> course.Verdict | None:
    """Return the first verdict that is wrong with the bug planted, or None.

    The seed that found it before is played first, then all others in their order.
    """
    found: list[course.Verdict] = []

    def heard(verdict: course.Verdict) -> bool:
        if verdict.violations:
            found.append(verdict)
        return not found

    runner = Runner(ground, lanes=lanes, prepare=bug.plant)
    earlier = finds().get(bug.name)
    if earlier is not None:
        runner.play([earlier], heard)
    if not found:
        runner.play([seed for seed in range(most) if seed != earlier], heard, chunk=CHUNK)
    return found[0] if found else None


def main(words: list[str]) -> int:
    """Plant the bugs that are named, or all; 0 only when each was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.power", description=__doc__)
    parser.add_argument("names", nargs="*", help="bugs to plant, all of them unless named")
    parser.add_argument("--seeds", type=int, default=MOST_SEEDS)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(words)
    chosen = [BUGS[name] for name in asked.names] or list(BUGS.values())
    found = 0
    with Stores(fsync=False, wanted=("postgres",)) as stores:
        ground = Ground(stores)
        ground.warm_up(lambda: course.rehearse(ground.apps))
        for bug in chosen:
            began = time.monotonic()
            verdict = find(ground, bug, most=asked.seeds, lanes=asked.processes)
            seconds = time.monotonic() - began
            if verdict is None:
                print(f"{bug.name}: NOT FOUND in {asked.seeds} seeds ({seconds:.0f} s)", flush=True)
                continue
            found += 1
            first = verdict.violations[0][:110]
            print(f"{bug.name}: seed {verdict.seed} ({seconds:.0f} s): {first}", flush=True)
    print(f"{found} of {len(chosen)} planted bugs found", flush=True)
    sys.stdout.flush()
    os._exit(0 if found == len(chosen) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
