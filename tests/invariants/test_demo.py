"""On the demo’s story every check is green, and those of each minute are quick."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from demo.seed import seed
from supervisor.stores import Stores
from tests.books import committed_portal, worker_of
from tests.portal import Committed
from webapp import audit, invariants, ledger, webhooks
from webapp.invariants import Reach
from webapp.invariants.money import CORRECTIONS, PAYMENTS, REFUNDS
from webapp.invariants.stories import STORIES
from webapp.invariants.waiting import WAITING
from webapp.kernel import clock, db, ids
from webapp.kernel.proof import Check, bounds

EVERY = (*ledger.CHECKS, *CORRECTIONS, *PAYMENTS, *REFUNDS, *STORIES, *WAITING)
QUICK = [check for check in EVERY if check.is_quick]
#: For all of them, on a busy machine; 40 checks take less than one second on an idle one.
MOST_SECONDS = 20

#: Tables that grow with every payment: no check of each minute walks through one.
LARGE = (
    "attempt",
    "checkout_session",
    "entry",
    "fact",
    "move",
    "payment",
    "shop_order",
    "transfer",
)


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


def test_what_is_asked_each_minute_can_be_answered_by_indexes(demo: Committed) -> None:
    walks = {check.name: sorted(walked(check)) for check in QUICK}
    assert {name: tables for name, tables in walks.items() if tables} == {}
    slow = Check("slow", "", "", sql="SELECT id, '' FROM payment WHERE fee_minor < 0")
    assert walked(slow) == {"payment"}, "the question has an answer"


def test_each_minutes_checks_take_seconds_at_most_all_together(demo: Committed) -> None:
    began = time.monotonic()
    for check in QUICK:
        assert invariants.run(check.name, Reach.HOUR).count == 0
    assert time.monotonic() - began < MOST_SECONDS


def walked(check: Check) -> set[str]:
    """Return the large tables of which a check over the last hour cannot but read every row.

    On tables as small as the demo's the planner may find that quicker than any index; so it is
    asked what it would do if it were not.
    """
    bound = bounds(clock.now() - dt.timedelta(hours=1))
    with db.transaction() as session:
        for dear in ("seqscan", "hashjoin", "mergejoin"):
            session.execute(text(f"SET LOCAL enable_{dear} = off"))
        plan = "\n".join(session.execute(text(f"EXPLAIN {check.sql}"), bound).scalars())
    return {table for table in LARGE if re.search(rf"Seq Scan on {table}\b", plan)}


def test_the_demos_known_keys_open_its_shop(demo: Committed) -> None:
    with db.scoped(db.WORKER):
        known = seed()["api_keys"]
        kinds = {
            str(row.kind): str(row.token_hash)
            for row in db.session.execute(text("SELECT kind, token_hash FROM api_key"))
        }
    assert kinds == {kind: ids.token_hash(token) for kind, token in known.items()}


def test_the_demos_shop_is_told_everything_at_its_own_receiver(demo: Committed) -> None:
    with db.scoped(db.WORKER):
        shop = db.session.scalar(text("SELECT merchant_id FROM api_key LIMIT 1"))
        [endpoint] = webhooks.endpoints_of(str(shop), livemode=False)
    assert (endpoint.is_built_in, endpoint.status, endpoint.events) == (True, "enabled", ["*"])
    assert endpoint.url.endswith(f"{webhooks.RECEIVER_PATH}{endpoint.id}")
