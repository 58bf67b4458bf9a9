"""Two machines never agree on the time: work is due by the database's clock, whoever planned it."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from jobs import operations
from tests.accounts.people import somebody
from tests.books import worker_of
from tests.gateway.working import INTENT, planned
from tests.portal import Committed
from webapp.kernel import clock, db

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process believe that it is tomorrow; the database knows better."""
    right = clock.now
    monkeypatch.setattr(clock, "now", lambda: right() + DAY)


def test_a_call_planned_by_a_process_ahead_of_time_is_due_at_once(committed: Committed) -> None:
    with worker_of(committed):
        planned(INTENT)
        assert operations.is_due()


def test_a_fact_written_by_a_process_ahead_of_time_is_told_at_once(committed: Committed) -> None:
    somebody(verified=False)
    with db.transaction(db.OWNER):
        assert db.session.scalar(text("SELECT count(*) FROM outbox_due"))
        assert not db.session.scalar(
            text("SELECT count(*) FROM outbox_due WHERE due_at > clock_now()")
        )
