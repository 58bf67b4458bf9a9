"""The plan: one seed, one plan, with as many faults of each kind as were asked for."""

from __future__ import annotations

from collections import Counter

from tests.chaos import plan
from tests.chaos.plan import Counts, make
from tests.chaos.proxy import WAYS

COUNTS = Counts(kills=200, restarts=10, erasures=10, cuts=30)


def test_one_seed_is_one_plan() -> None:
    assert make(COUNTS, seed=7, gap=1.0) == make(COUNTS, seed=7, gap=1.0)
    assert make(COUNTS, seed=7, gap=1.0) != make(COUNTS, seed=8, gap=1.0)


def test_a_plan_has_what_was_asked_for_and_meets_everybody_in_every_way() -> None:
    made = make(COUNTS, seed=1, gap=1.0)
    kinds = Counter(fault.kind for fault in made)
    assert kinds[plan.KILL] == 200
    assert kinds[plan.RESTART] == 10
    assert kinds[plan.FLUSH] + kinds[plan.VALKEY] == 10
    assert kinds[plan.CUT] == 30
    assert {fault.target for fault in made if fault.kind == plan.KILL} == set(plan.TARGETS)
    cut = {(fault.target, fault.way) for fault in made if fault.kind == plan.CUT}
    assert cut == {(role, way) for role in plan.CUT_ROLES for way in WAYS}


def test_pauses_are_as_long_as_asked_on_average() -> None:
    made = make(COUNTS, seed=3, gap=2.0)
    assert 1.8 < sum(fault.pause for fault in made) / len(made) < 2.2
