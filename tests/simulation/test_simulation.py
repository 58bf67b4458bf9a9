"""Schedules of failure, known seeds, planted bugs and single kills, each in processes of its own.

They run outside pytest's process: whoever was killed in a simulation must never run again, and so
its processes end without a word.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import exhaustive, vacuity
from tests.simulation.bugs import BUGS
from tests.simulation.world import Coverage

HERE = Path(__file__).resolve().parents[2]
#: How many schedules each run of the tests plays, from seed 0 on.
SCHEDULES = int(os.environ.get("SIM_SCHEDULES", "600"))
#: A few of the bugs that `make sim-power` plants, from each family, quickly found.
PLANTED = (
    "a_fresh_key_for_each_try",
    "the_next_try_is_forgotten",
    "a_message_counts_as_seen_before_it_is_kept",
    "facts_are_queued_after_the_commit",
    "the_relay_marks_before_it_tells",
    "an_endpoint_of_two_is_forgotten",
)


def run(*words: str, seconds: float) -> str:
    """Run a module of the simulation and return what it printed; fails with that."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=HERE,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def known_seeds() -> list[str]:
    """Return the seeds that once found something, or that played a rare story."""
    lines = (Path(__file__).parent / "seeds.txt").read_text().splitlines()
    return [line.split()[0] for line in lines if line and not line.startswith("#")]


@pytest.mark.requirement("S1-13")
def test_hundreds_of_schedules_of_failure_leave_nothing_wrong() -> None:
    printed = run("tests.simulation", "--schedules", str(SCHEDULES), seconds=3000)
    assert printed.splitlines()[-1].endswith(" 0 violations")


def test_seeds_that_once_found_a_fault_find_none() -> None:
    printed = run("tests.simulation", "--only", *known_seeds(), seconds=600)
    assert printed.splitlines()[-1].endswith(" 0 violations")


def test_planted_bugs_are_found() -> None:
    printed = run("tests.simulation.power", *PLANTED, seconds=1200)
    assert printed.splitlines()[-1] == f"{len(PLANTED)} of {len(PLANTED)} planted bugs found"


def test_one_kill_at_any_hook_of_a_charge_or_refund_loses_nothing() -> None:
    printed = run("tests.simulation.exhaustive", "--stride", "23", seconds=1200)
    assert printed.splitlines()[-1].endswith(" 0 violations")


def test_a_story_is_followed_until_it_is_silent_and_one_without_an_end_is_no_story() -> None:
    first, second, *_ = exhaustive.endings()
    tried = range(exhaustive.HOOKS)
    assert {case.kill_at for case in exhaustive.cases([first], tried)} == set(tried)
    killed = {exhaustive.Case(first, hook) for hook in tried}
    killed |= {exhaustive.Case(second, hook) for hook in tried[: -exhaustive.SILENCE]}
    assert exhaustive.going_on(killed, tried) == [first]
    killed.add(exhaustive.Case(second, tried[-exhaustive.SILENCE]))
    assert exhaustive.going_on(killed, tried) == [first, second]
    with pytest.raises(RuntimeError, match="more than"):
        exhaustive.going_on({exhaustive.Case(first, 395)}, range(380, 400))


def test_a_run_that_met_nothing_counts_as_vacuous() -> None:
    assert len(vacuity.unmet(Coverage(), 600)) == 2 * len(vacuity.HOOKS)
    assert vacuity.unmet(Coverage(), 10) == []


def test_every_planted_bug_says_what_it_does_wrong() -> None:
    assert len(BUGS) >= 25
    assert all(bug.says.endswith(".") for bug in BUGS.values())
