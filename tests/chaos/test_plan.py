"""The plan: one seed, one plan, with as many faults as were asked for; and runs that met them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.chaos import plan
from tests.chaos.checker import Violation
from tests.chaos.evidence import Books
from tests.chaos.plan import Counts, make
from tests.chaos.proxy import WAYS
from tests.chaos.run import Result, too_little

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


def a_result(**more: Any) -> Result:
    """Return a run's result."""
    none: Counter[str] = Counter()
    books = Books()
    return Result(none, none, none, [], books, snapshots=1, seconds=1.0, for_a_person=0, **more)


def test_a_run_that_met_all_and_kept_every_promise_is_a_proof() -> None:
    assert too_little(Counts(0, 0, 0, 0), captured=9, acknowledged=9) == []
    assert a_result().is_proof
    assert not a_result(violations=[Violation("double charge", "twice")]).is_proof


@pytest.mark.parametrize(
    ("missing", "captured", "acknowledged", "said"),
    [
        (Counts(3, 0, 0, 0), 9, 9, "3 kills fewer than wanted"),
        (Counts(0, 1, 0, 0), 9, 9, "1 restarts fewer than wanted"),
        (Counts(0, 0, 10, 0), 9, 9, "10 erasures fewer than wanted"),
        (Counts(0, 0, 0, 2), 9, 9, "2 cuts fewer than wanted"),
        (Counts(0, 0, 0, 0), 0, 9, "no payment was captured"),
        (Counts(0, 0, 0, 0), 9, 0, "no payment was acknowledged"),
    ],
)
def test_a_run_that_met_too_little_is_none(
    missing: Counts, captured: int, acknowledged: int, said: str
) -> None:
    found = too_little(missing, captured, acknowledged)
    assert found == [said]
    assert not a_result(too_little=found).is_proof
