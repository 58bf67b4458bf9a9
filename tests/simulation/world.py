"""One thread in which everybody acts: greenlets, a clock that is told the time, seeded chance.

An actor runs until it stands at a hook; there the scheduler decides who goes on. A `kill -9` is
an actor that never goes on: its sockets are closed, its greenlet is kept and never resumed, so no
`finally` and no rollback of ours runs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import greenlet

from webapp.kernel import clock

if TYPE_CHECKING:
    from tests.simulation.wire import Wire

BEGINNING = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
#: No schedule lasts as long as this, so the ids of two schedules never mix.
APART = dt.timedelta(days=25)
#: Everybody who was killed, for as long as this process lives.
GRAVEYARD: list[Actor] = []


@dataclass(eq=False)
class Actor:
    """Somebody who does one thing: a request, a worker's turn, a provider's message."""

    name: str
    thread: greenlet.greenlet
    skew: dt.timedelta
    stands_at: str = ""
    wires: set[Wire] = field(default_factory=set)
    on_end: Callable[[str], None] | None = None
    #: The call to the provider that they have claimed.
    holds: str = ""
    #: Whether they may have lost that claim, because time has passed.
    is_late: bool = False

    def let_go(self) -> None:
        """Hold no call any more."""
        self.holds, self.is_late = "", False


class Coverage:
    """What a run has met: hooks stood at, hooks died at, outcomes of the provider, ends."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.deaths: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()

    def add(self, other: Coverage) -> None:
        """Add what another run has met."""
        for mine, theirs in zip(self._all(), other._all(), strict=True):
            mine.update(theirs)

    def _all(self) -> tuple[Counter[str], ...]:
        return self.hits, self.deaths, self.answers, self.ends


class World:
    """The scheduler of one schedule; `seed` alone decides all that happens in it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(f"schedule {seed}")
        self.born = BEGINNING + seed * APART
        self.now = self.born
        self.actors: list[Actor] = []
        self.coverage = Coverage()
        self.kills = 0
        #: How often whoever had claimed a call did not come to its end in time, by call.
        self.unfinished: Counter[str] = Counter()
        #: How often they met a lock that somebody else held, likewise.
        self.blocked: Counter[str] = Counter()
        self.violations: list[str] = []
        self.told: list[str] = []
        #: Called at each hook with its name; returns True to kill who stands there.
        self.reaper: Callable[[Actor], bool] | None = None
        self.is_calm = False
        self.bury: Callable[[Wire], None] = lambda _wire: None
        self._hash = hashlib.sha256()
        self._main = greenlet.getcurrent()
        self._current: Actor | None = None
        self._count = 0
        self._held = ExitStack()
        self._hold(self.now)

    # time ---------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass for everybody."""
        self._delay()
        self.now += dt.timedelta(seconds=seconds)
        self._hold(self.now)

    def pass_until(self, moment: dt.datetime) -> None:
        """Let time pass until `moment`, if that is still to come."""
        if moment > self.now:
            self._delay()
            self.now = moment
            self._hold(moment)

    def end(self) -> None:
        """Let go of the clock; those still about are gone for good."""
        GRAVEYARD.extend(self.actors)
        self.actors = []
        self._held.close()

    def _delay(self) -> None:
        """Note whose claims may run out while time passes."""
        for actor in self.actors:
            self.give_up(actor)

    def give_up(self, actor: Actor) -> None:
        """Note that somebody’s claim, if they have one, may come to nothing; once a claim."""
        if actor.holds and not actor.is_late:
            self.unfinished[actor.holds] += 1
            actor.is_late = True

    def stumbles(self, call: str) -> int:
        """Return how often something may have kept a call's answer from being written down."""
        return self.unfinished[call] + self.blocked[call]

    def _hold(self, moment: dt.datetime) -> None:
        self._held.close()
        self._held = ExitStack()
        self._held.enter_context(clock.standing_at(moment))

    # actors -------------------------------------------------------------------------------------

    def spawn(
        self, name: str, act: Callable[[], None], *, on_end: Callable[[str], None] | None = None
    ) -> Actor:
        """Have somebody begin to act; they take their first step when their turn comes."""
        self._count += 1
        skew = dt.timedelta()
        if not self.is_calm and self.chance.random() < 0.1:
            skew = dt.timedelta(seconds=self.chance.choice((-3, -1, 1, 3)))
        actor = Actor(f"{name}#{self._count}", greenlet.greenlet(act), skew, on_end=on_end)
        self.actors.append(actor)
        return actor

    @property
    def current(self) -> Actor | None:
        """Who acts now; None for the harness itself."""
        return self._current

    def hook(self, point: str) -> None:
        """Stand at a named point: others may act now, or the end may come."""
        actor = self._current
        if actor is None:
            return
        actor.stands_at = point
        self.coverage.hits[point] += 1
        self.note(f"{actor.name} {point}")
        self._main.switch()

    def step(self, *, kill_share: float = 0.0) -> None:
        """Let one of those about go on to their next hook, or kill them where they stand."""
        actor = self.actors[self.chance.randrange(len(self.actors))]
        if actor.stands_at and self._dies(actor, kill_share):
            self.kill(actor)
        else:
            self._resume(actor)

    def finish(self) -> None:
        """Let everybody go on until nobody is left; nobody is killed by chance."""
        while self.actors:
            self.step()

    def kill(self, actor: Actor) -> None:
        """Kill -9: close the sockets, wait until the database has noticed, never come back."""
        self.kills += 1
        self.coverage.deaths[actor.stands_at] += 1
        self.note(f"{actor.name} KILLED")
        self.give_up(actor)
        for wire in list(actor.wires):
            self.bury(wire)
        self.actors.remove(actor)
        GRAVEYARD.append(actor)
        if actor.on_end:
            actor.on_end("killed")

    def _dies(self, actor: Actor, share: float) -> bool:
        if self.reaper is not None:
            return self.reaper(actor)
        if actor.stands_at.startswith("lock."):
            share /= 2
        elif not actor.stands_at.startswith("commit."):
            share *= 2
        return share > 0 and self.chance.random() < share

    def _resume(self, actor: Actor) -> None:
        self._current = actor
        if actor.skew:
            with clock.standing_at(self.now + actor.skew):
                actor.thread.switch()
        else:
            actor.thread.switch()
        self._current = None
        if actor.thread.dead and actor in self.actors:
            self.actors.remove(actor)

    # record -------------------------------------------------------------------------------------

    def note(self, line: str) -> None:
        """Add a line to the trace, whose hash tells two runs of one seed apart."""
        self.told.append(line)
        self._hash.update(line.encode() + b"\n")

    def wrong(self, what: str) -> None:
        """Note something that must never be."""
        if what not in self.violations:
            self.violations.append(what)

    @property
    def trace_hash(self) -> str:
        """The SHA-256 of all that has happened."""
        return self._hash.hexdigest()
