"""On the demo’s story every check is green, and those of each minute are quick."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from demo.seed import seed
from supervisor.stores import Stores
from tests.books import committed_portal, worker_of
from tests.portal import Committed
from webapp import audit, invariants, ledger
from webapp.invariants import INVARIANTS, Reach
from webapp.kernel import db

#: On this machine; a check that walks all rows of a table takes a multiple of it.
QUICK_MILLISECONDS = 100


@pytest.fixture(scope="module")
def demo(stores: Stores) -> Iterator[Committed]:
    """A portal with the demo's story in it, seen by a worker."""
    with committed_portal(stores) as portal:
        with portal.app.app_context():
            seed()
        with portal.connect("postgres") as root:
            root.execute("ANALYZE")
        with worker_of(portal):
            ledger.fold_checkpoints()
            audit.seal_pending()
            yield portal


def test_the_demo_is_green_from_end_to_end(demo: Committed) -> None:
    with db.scoped(db.OWNER):
        assert invariants.check_everything().problems == []


def test_what_is_asked_each_minute_is_quick(demo: Committed) -> None:
    fastest = {
        one.name: min(milliseconds(one.name) for _ in range(3))
        for one in INVARIANTS
        if one.is_quick
    }
    assert {name: took for name, took in fastest.items() if took > QUICK_MILLISECONDS} == {}


def milliseconds(name: str) -> int:
    """Make one check over the last hour and return how long that took."""
    began = time.monotonic()
    invariants.run(name, Reach.HOUR)
    return round((time.monotonic() - began) * 1000)
