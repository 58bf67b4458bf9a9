"""A small run of real failures: everything is met once, and no promise is broken."""

from __future__ import annotations

import pytest

from tests.chaos import plan
from tests.chaos.measures import reclaims
from tests.chaos.plan import Counts
from tests.chaos.run import play
from tests.chaos.town import Town

COUNTS = Counts(kills=10, restarts=1, erasures=1, cuts=4)
LONGEST_SECONDS = 40
#: A lease, the sweeper's look, and the start of a work-horse on a machine that does other things.
RECLAIM_SECONDS = 20

pytestmark = pytest.mark.xdist_group("whole copy")


@pytest.mark.requirement("S1-13")
def test_a_small_run_of_real_failures_breaks_no_promise() -> None:
    with Town(seed=20_261, skew=60) as town:
        result = play(
            town, COUNTS, seed=20_261, gap=0.6, longest_seconds=LONGEST_SECONDS, say=print
        )
        again = reclaims(town, rounds=1, seed=1)
    assert [str(violation) for violation in result.violations] == []
    assert sum(result.killed.values()) >= COUNTS.kills
    assert result.counts[plan.RESTART] == COUNTS.restarts
    assert result.counts[plan.FLUSH] + result.counts[plan.VALKEY] == COUNTS.erasures
    assert sum(result.cuts.values()) >= 1
    assert result.captured >= 1
    assert result.snapshots > 10
    assert again
    assert max(again) < RECLAIM_SECONDS
