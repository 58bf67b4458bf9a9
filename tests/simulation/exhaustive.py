"""`python -m tests.simulation.exhaustive`: one kill at every hook, times every answer there is.

A charge and a refund are each played from beginning to end without chance; one call is answered
with one fault. Undisturbed, such a story tells how many hooks it has, give or take what chance does
to pauses; then it is played once for each of them, whoever stands there is killed, and the product
has to bring it to its end.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from supervisor.stores import Stores
from tests.simulation import course, machines, money_back, people
from tests.simulation.ground import Ground
from tests.simulation.money_back import APPROVAL_MINOR
from tests.simulation.provider import FAULTS
from tests.simulation.running import Runner
from tests.simulation.stage import CURRENCY, Sale, Stage
from tests.simulation.world import Actor
from webapp.kernel.money import Money

#: So many hooks more or less chance gives a story, which decides how long a wait is.
GIVE_OR_TAKE = 4
UNDO_SECONDS = 31.0
Story = Callable[[Stage], None]


@dataclass(frozen=True)
class Ending:
    """Which story, and how one kind of its calls is answered."""

    story: str
    kind: str
    fault: str


@dataclass(frozen=True)
class Case:
    """A story with its answer, how many hooks it should have, and at which somebody dies."""

    ending: Ending
    hooks: int = 0
    kill_at: int | None = None

    @property
    def kills(self) -> set[int]:
        """How many may die: where the story should be over nobody, one before that."""
        if self.kill_at is None or self.kill_at == self.hooks + GIVE_OR_TAKE:
            return {0}
        return {1} if self.kill_at < self.hooks - GIVE_OR_TAKE else {0, 1}


def charge(stage: Stage) -> None:
    """A shopper pays by card; a worker calls the provider; its messages come; facts are told."""
    people.pay_by_card(stage, _sale(stage), card="good")
    stage.world.finish()
    _work(stage)


def refund(stage: Stage) -> None:
    """A merchant gives a paid sale back; it leaves, is sent, and is told of."""
    stage.sales[0] = _sale(stage)
    reaper, stage.world.reaper = stage.world.reaper, None
    course.smooth(stage)
    stage.world.is_calm = True
    stage.world.reaper = reaper
    money_back.ask_refund(stage, stage.sales[0])
    stage.world.finish()
    stage.world.pass_time(UNDO_SECONDS)
    stage.job("release", machines.CHORES["release"])
    stage.world.finish()
    _work(stage)


STORIES: dict[str, tuple[Story, tuple[str, ...]]] = {
    "charge": (charge, ("create_intent", "confirm")),
    "refund": (refund, ("refund",)),
}


def endings() -> list[Ending]:
    """Return every story with every answer to each of its calls."""
    return [
        Ending(story, kind, fault)
        for story, (_play, kinds) in STORIES.items()
        for kind in kinds
        for fault in FAULTS
    ]


def cases(hooks: dict[Ending, int], stride: int) -> list[Case]:
    """Return a case for every hook of every story and past its end, or every so-manieth of them."""
    every = [
        Case(ending, count, hook)
        for ending, count in hooks.items()
        for hook in range(count + GIVE_OR_TAKE + 1)
    ]
    return every[::stride]


def play(wanted: list[Case], first: int, number: int, ground: Ground) -> course.Verdict:
    """Play one case; `number` is its place in `wanted`, counted from `first`."""
    return course.play(number, ground.apps, script=partial(_act, wanted[number - first]))


def _act(case: Case, stage: Stage) -> None:
    met = 0

    def dies(_actor: Actor) -> bool:
        nonlocal met
        met += 1
        return met - 1 == case.kill_at

    stage.world.is_calm = True
    stage.world.reaper = dies
    stage.provider.forced[case.ending.kind] = [case.ending.fault]
    STORIES[case.ending.story][0](stage)


def _work(stage: Stage) -> None:
    """Let the machines do one round of what follows from a request."""
    machines.drain(stage, "operations")
    stage.world.finish()
    while machines.deliver(stage):
        stage.world.finish()
    machines.drain(stage, "inbox")
    stage.world.finish()
    for consumer in stage.ear.heard:
        machines.relay(stage, consumer)
        stage.world.finish()


def _sale(stage: Stage) -> Sale:
    return stage.new_sale(Money(APPROVAL_MINOR // 2, CURRENCY), is_held=False)


@dataclass
class Total:
    """What all cases came to."""

    kills: int = 0
    wrong: int = 0
    hooks: set[str] = field(default_factory=set)
    pairs: set[tuple[str, Ending]] = field(default_factory=set)

    def add(self, case: Case, verdict: course.Verdict) -> None:
        """Count one case and print what was wrong with it."""
        self.kills += verdict.kills
        self.hooks.update(verdict.coverage.deaths)
        self.pairs.update((hook, case.ending) for hook in verdict.coverage.deaths)
        for line in found(case, verdict):
            self.wrong += 1
            print(f"{case}: {line}", flush=True)


def found(case: Case, verdict: course.Verdict) -> list[str]:
    """Return what was wrong with a case, in words: also that it ended too early or too late."""
    is_other = verdict.kills not in case.kills
    return [*verdict.violations, *([f"{verdict.kills} died there"] if is_other else [])]


def main(words: list[str]) -> int:
    """Play every case, or every so-manieth; 0 only when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.exhaustive")
    parser.add_argument("--stride", type=int, default=1, help="play every so-manieth case only")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(words)
    total, hooks = Total(), dict.fromkeys(endings(), 0)
    with Stores(fsync=False, wanted=("postgres",)) as stores:
        ground = Ground(stores)
        ground.warm_up(lambda: course.rehearse(ground.apps))
        runner = Runner(ground, lanes=asked.processes)

        def play_all(wanted: list[Case], first: int) -> None:
            def heard(verdict: course.Verdict) -> bool:
                case = wanted[verdict.seed - first]
                total.add(case, verdict)
                if case.kill_at is None:
                    hooks[case.ending] = verdict.coverage.hits.total()
                return True

            numbers = range(first, first + len(wanted))
            runner.play(numbers, heard, play=partial(play, wanted, first))

        play_all([Case(ending) for ending in hooks], 0)
        wanted = cases(hooks, asked.stride)
        play_all(wanted, len(hooks))
    print(
        f"{len(hooks)} stories with {sum(hooks.values())} hooks, {len(wanted)} cases,"
        f" {total.kills} single kills at {len(total.hooks)} kinds of hook,"
        f" {len(total.pairs)} pairs of hook and answer, {total.wrong} violations",
        flush=True,
    )
    return 1 if total.wrong or not total.kills else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
