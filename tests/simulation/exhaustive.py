"""`python -m tests.simulation.exhaustive`: one kill at every hook, times every answer there is.

A charge and a refund are each played from beginning to end without chance; one call is answered
with one fault. Such a story is played once for each of its hooks, whoever stands there is killed,
and the product has to bring it to its end. Chance gives a story a few hooks more or less, so it is
followed until nobody has been there to be killed for a good while.
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

#: So many hooks of every story are tried first, and so many more of those that go on.
HOOKS, MORE_HOOKS = 60, 20
#: A story is over when nobody stood at so many hooks on end.
SILENCE = 10
#: No story is longer; one that is has no end.
MOST_HOOKS = 400
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
    """A story with its answer, and at which of its hooks somebody dies."""

    ending: Ending
    kill_at: int


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


def cases(stories: list[Ending], hooks: range) -> list[Case]:
    """Return a case for each of these hooks of each of these stories."""
    return [Case(ending, hook) for ending in stories for hook in hooks]


def going_on(killed: set[Case], hooks: range) -> list[Ending]:
    """Return the stories that may go on after these hooks; raises where one has no end.

    `killed` is where somebody died. A story is over that was silent at the last of the hooks.
    """
    late = {case.ending for case in killed if case.kill_at >= hooks.stop - SILENCE}
    if late and hooks.stop >= MOST_HOOKS:
        raise RuntimeError(f"a story has more than {MOST_HOOKS} hooks: {late}")
    return [ending for ending in endings() if ending in late]


def play(wanted: list[Case], first: int, number: int, ground: Ground) -> course.Verdict:
    """Play one case; `number` is its place in `wanted`, counted from `first`."""
    return course.play(number, ground.apps, script=partial(_act, wanted[number - first]))


def _act(case: Case, stage: Stage) -> None:
    met = 0

    def dies(_actor: Actor) -> bool:
        nonlocal met
        met += 1
        return met == case.kill_at + 1

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

    cases: int = 0
    wrong: int = 0
    killed: set[Case] = field(default_factory=set)
    hooks: set[str] = field(default_factory=set)
    pairs: set[tuple[str, Ending]] = field(default_factory=set)

    def add(self, case: Case, verdict: course.Verdict) -> None:
        """Count one case and print what was wrong with it."""
        self.cases += 1
        if verdict.kills:
            self.killed.add(case)
        self.hooks.update(verdict.coverage.deaths)
        self.pairs.update((hook, case.ending) for hook in verdict.coverage.deaths)
        for line in verdict.violations:
            self.wrong += 1
            print(f"{case}: {line}", flush=True)

    @property
    def closing(self) -> str:
        """The line with which a run closes."""
        return (
            f"{self.cases} cases, {len(self.killed)} single kills at {len(self.hooks)} kinds of"
            f" hook, {len(self.pairs)} pairs of hook and answer, {self.wrong} violations"
        )


def main(words: list[str]) -> int:
    """Play every case, or every so-manieth; 0 only when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.exhaustive")
    parser.add_argument("--stride", type=int, default=1, help="play every so-manieth case only")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(words)
    total, stories, hooks = Total(), endings(), range(HOOKS)
    with Stores(fsync=False, wanted=("postgres",)) as stores:
        ground = Ground(stores)
        ground.warm_up(lambda: course.rehearse(ground.apps))
        runner = Runner(ground, lanes=asked.processes)
        while stories:
            wanted, first = cases(stories, hooks)[:: asked.stride], total.cases

            def heard(
                verdict: course.Verdict, wanted: list[Case] = wanted, first: int = first
            ) -> bool:
                total.add(wanted[verdict.seed - first], verdict)
                return True

            numbers = range(first, first + len(wanted))
            runner.play(numbers, heard, play=partial(play, wanted, first))
            stories = going_on(total.killed, hooks)
            hooks = range(hooks.stop, hooks.stop + MORE_HOOKS)
    print(total.closing, flush=True)
    return 1 if total.wrong or not total.killed else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
