"""`python -m tests.simulation.exhaustive`: one kill at every hook, times every answer there is.

A charge and a refund are each played from beginning to end without chance; whoever acts is killed
at one hook, one call is answered with one fault, and the product has to bring it to its end.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
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

#: No story has as many hooks as this; a kill that is never reached shows where a story ends.
MOST_HOOKS = 60
UNDO_SECONDS = 31.0
Story = Callable[[Stage], None]


@dataclass(frozen=True)
class Case:
    """Which story, at which of its hooks the end comes, and how one kind of call is answered."""

    story: str
    kill_at: int
    kind: str
    fault: str


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


def cases(stride: int) -> list[Case]:
    """Return every case, or every so-manieth of them."""
    every = [
        Case(story, hook, kind, fault)
        for story, (_play, kinds) in STORIES.items()
        for kind in kinds
        for fault in FAULTS
        for hook in range(MOST_HOOKS)
    ]
    return every[::stride]


def play(wanted: list[Case], number: int, ground: Ground) -> course.Verdict:
    """Play one case."""
    return course.play(number, ground.apps, script=partial(_act, wanted[number]))


def _act(case: Case, stage: Stage) -> None:
    met = 0

    def dies(_actor: Actor) -> bool:
        nonlocal met
        met += 1
        return met == case.kill_at + 1

    stage.world.is_calm = True
    stage.world.reaper = dies
    stage.provider.forced[case.kind] = [case.fault]
    STORIES[case.story][0](stage)


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


def main(words: list[str]) -> int:
    """Play every case, or every so-manieth; 0 only when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.exhaustive")
    parser.add_argument("--stride", type=int, default=1, help="play every so-manieth case only")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(words)
    wanted = cases(asked.stride)
    killed: set[tuple[str, str]] = set()
    hooks: set[str] = set()
    wrong = kills = 0

    def heard(verdict: course.Verdict) -> bool:
        nonlocal wrong, kills
        case = wanted[verdict.seed]
        kills += verdict.kills
        hooks.update(verdict.coverage.deaths)
        killed.update((hook, f"{case.kind} {case.fault}") for hook in verdict.coverage.deaths)
        for line in verdict.violations:
            wrong += 1
            print(f"{case}: {line}", flush=True)
        return True

    with Stores(fsync=False, wanted=("postgres",)) as stores:
        ground = Ground(stores)
        ground.warm_up(lambda: course.rehearse(ground.apps))
        runner = Runner(ground, lanes=asked.processes)
        runner.play(range(len(wanted)), heard, play=partial(play, wanted))
    print(
        f"{len(wanted)} cases, {kills} single kills at {len(hooks)} kinds of hook,"
        f" {len(killed)} pairs of hook and answer, {wrong} violations",
        flush=True,
    )
    return 1 if wrong or not kills else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
