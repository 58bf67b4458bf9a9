"""Playing many schedules: two processes, a database each, and children that forget their dead.

Each child is forked from a parent that has loaded everything and connected to nothing; it plays a
few dozen seeds and ends by `os._exit`, so that nobody who was killed ever runs again.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess

from supervisor.stores import Stores
from tests.simulation import course, vacuity
from tests.simulation.ground import ADMINS, Ground
from tests.simulation.world import Coverage
from webapp import invariants
from webapp.kernel import db

CHUNK = 40
#: A lane's database is a new one after so many children: a large one makes every statement slow.
RENEWED_AFTER = 5
REPLAYED = 3
#: Cleaned between two children, since nothing else does.
BUSY_TABLES = "outbox_due, provider_operation, provider_event, payment, checkout_session"


@dataclass
class Total:
    """What a whole run came to."""

    schedules: int = 0
    kills: int = 0
    payments: int = 0
    captured: int = 0
    manual: int = 0
    calls: int = 0
    violations: dict[int, list[str]] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)

    def add(self, verdict: course.Verdict) -> None:
        """Count one schedule."""
        self.schedules += 1
        self.kills += verdict.kills
        self.payments += verdict.payments
        self.captured += verdict.captured
        self.manual += verdict.manual
        self.calls += verdict.calls
        self.hashes[verdict.seed] = verdict.trace_hash
        self.coverage.add(verdict.coverage)
        if verdict.violations:
            self.violations[verdict.seed] = verdict.violations

    @property
    def found(self) -> int:
        """How many things were wrong."""
        return sum(len(wrongs) for wrongs in self.violations.values())

    @property
    def closing(self) -> str:
        """The line with which a run closes."""
        return (
            f"{self.schedules} schedules, {self.kills} kills, {self.payments} payments,"
            f" {self.found} violations"
        )


@dataclass
class Lane:
    """One process's place: its database, and who plays on it now."""

    number: int
    database: str = ""
    made: int = 0
    children: int = 0
    child: ForkProcess | None = None
    inlet: Connection | None = None


Play = Callable[[int, Ground], course.Verdict]


def usual(seed: int, ground: Ground) -> course.Verdict:
    """Play a seed's own schedule."""
    return course.play(seed, ground.apps)


class Runner:
    """Plays seeds on lanes of one ground and hands each verdict to whoever asked."""

    def __init__(
        self, ground: Ground, *, lanes: int, prepare: Callable[[], None] | None = None
    ) -> None:
        self._ground = ground
        self._lanes = [Lane(number) for number in range(lanes)]
        self._prepare = prepare
        self._stamp = f"{os.getpid()}_{id(self) % 10_000}"

    def play(
        self,
        seeds: Sequence[int],
        heard: Callable[[course.Verdict], bool],
        *,
        play: Play = usual,
        chunk: int = CHUNK,
    ) -> None:
        """Play all seeds; `heard` gets each verdict and returns False to have it over."""
        chunks = [list(seeds[at : at + chunk]) for at in range(0, len(seeds), chunk)]
        is_over = False
        while True:
            for lane in self._lanes:
                if lane.child is None and chunks and not is_over:
                    self._start(lane, chunks.pop(0), play)
            busy = [lane for lane in self._lanes if lane.inlet is not None]
            if not busy:
                break
            for inlet in connection.wait([lane.inlet for lane in busy if lane.inlet]):
                lane = next(one for one in busy if one.inlet is inlet)
                left = self._take(lane, heard)
                if left is None:
                    is_over = True
                elif left:
                    chunks.insert(0, left)
        for lane in self._lanes:
            self._drop(lane)

    def _start(self, lane: Lane, seeds: list[int], play: Play) -> None:
        if lane.children == RENEWED_AFTER:
            self._drop(lane)
        if not lane.database:
            lane.made += 1
            lane.children = 0
            lane.database = f"sim_{self._stamp}_{lane.number}_{lane.made}"
            self._ground.clone(lane.database)
        gc.collect()
        gc.freeze()
        lane.children += 1
        context = get_context("fork")
        inlet, outlet = context.Pipe(duplex=False)
        lane.child = context.Process(
            target=_child, args=(outlet, self._ground, lane.database, seeds, play, self._prepare)
        )
        lane.child.start()
        outlet.close()
        lane.inlet = inlet

    def _take(self, lane: Lane, heard: Callable[[course.Verdict], bool]) -> list[int] | None:
        """Hear one message of a child; returns seeds that are left, or None to have it over."""
        if lane.inlet is None or lane.child is None:
            return []
        try:
            what, value = lane.inlet.recv()
        except EOFError:
            self._end(lane)
            return []
        if what == "verdict":
            if heard(value):
                return []
            self._stop()
            return None
        if what == "left":
            self._end(lane)
            self._drop(lane)
            return list(value)
        raise RuntimeError(f"a child of the simulation broke: {value}")

    def _stop(self) -> None:
        for one in self._lanes:
            if one.child is not None:
                one.child.kill()
                self._end(one)

    def _end(self, lane: Lane) -> None:
        if lane.child is not None:
            lane.child.join()
        if lane.inlet is not None:
            lane.inlet.close()
        lane.child = lane.inlet = None

    def _drop(self, lane: Lane) -> None:
        if lane.database:
            self._ground.drop(lane.database)
            lane.database = ""


def _child(
    outlet: Connection,
    ground: Ground,
    database: str,
    seeds: list[int],
    play: Play,
    prepare: Callable[[], None] | None,
) -> None:
    gc.disable()
    try:
        ground.connect(database, prepare)
        while seeds:
            verdict = play(seeds.pop(0), ground)
            if not verdict.violations and not seeds:
                verdict.violations += _books(ground)
            verdict.trace = verdict.trace if verdict.violations else []
            outlet.send(("verdict", verdict))
            if verdict.violations:
                break
        ground.tidy(BUSY_TABLES)
        if seeds or verdict.violations:
            outlet.send(("left", seeds))
    except BaseException:  # noqa: BLE001 - the parent must hear of it before this process ends
        outlet.send(("broke", traceback.format_exc()))
    outlet.close()
    sys.stdout.flush()
    os._exit(0)


def _books(ground: Ground) -> list[str]:
    """Check everything in a database that the wall checks, of all its schedules so far.

    The admins were put there without a story of their own.
    """
    with ground.apps[1].app_context(), db.scoped(db.WORKER):
        problems = invariants.check_everything().problems
    return [line for line in problems if not any(admin in line for admin in ADMINS)]


def main(words: list[str]) -> int:
    """Play as many schedules as asked for; 0 only when nothing was wrong and nothing was idle."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--trace", action="store_true", help="print each failing seed's story")
    parser.add_argument("--seconds", type=float, default=0.0, help="begin nothing after so long")
    parser.add_argument("--only", type=int, nargs="*", help="just these seeds")
    asked = parser.parse_args(words)
    began, total = time.monotonic(), Total()
    with Stores(fsync=False, wanted=("postgres",)) as stores:
        ground = Ground(stores)
        ground.warm_up(lambda: course.rehearse(ground.apps))
        seeds = sorted(asked.only or ()) or range(asked.seed, asked.seed + asked.schedules)

        def heard(verdict: course.Verdict) -> bool:
            total.add(verdict)
            _report(verdict, total, began, trace=asked.trace)
            return not asked.seconds or time.monotonic() - began < asked.seconds

        Runner(ground, lanes=min(asked.processes, len(seeds))).play(seeds, heard)
        differing = replay(ground, total)
    return _close(total, began, differing)


def replay(ground: Ground, total: Total) -> list[int]:
    """Play a few seeds again in fresh databases; returns those whose trace was another."""
    chosen = random.Random(total.schedules).sample(
        sorted(total.hashes), k=min(REPLAYED, len(total.hashes))
    )
    again: dict[int, str] = {}

    def heard(verdict: course.Verdict) -> bool:
        again[verdict.seed] = verdict.trace_hash
        return True

    for seed in chosen:
        Runner(ground, lanes=1).play([seed], heard)
    return [seed for seed in chosen if again[seed] != total.hashes[seed]]


def _report(verdict: course.Verdict, total: Total, began: float, *, trace: bool) -> None:
    if total.schedules % 200 == 0:
        pace = total.schedules / (time.monotonic() - began)
        print(f"  {total.closing} ({pace:.1f} schedules/s)", flush=True)
    if verdict.violations:
        if trace:
            print("\n".join(verdict.trace))
        print(f"seed {verdict.seed} (trace {verdict.trace_hash[:16]}) is wrong:")
        for wrong in verdict.violations:
            print(f"  {wrong}")
        print(f"  again: make sim SCHEDULES=1 SEED={verdict.seed} TRACE=1", flush=True)


def _close(total: Total, began: float, differing: list[int]) -> int:
    idle = vacuity.unmet(total.coverage, total.schedules)
    for line in idle:
        print(f"vacuous: {line}")
    for seed in differing:
        print(f"seed {seed} did not replay to the same trace")
    seconds = time.monotonic() - began
    print(vacuity.summary(total.coverage))
    print(
        f"{total.captured} payments captured, {total.calls} provider calls, {total.manual} calls"
        f" left to a person, {min(REPLAYED, total.schedules)} seeds replayed, {seconds:.0f} s"
    )
    if total.schedules == 1:
        print(f"trace {next(iter(total.hashes.values()))}")
    print(total.closing, flush=True)
    return 1 if total.found or idle or differing else 0
