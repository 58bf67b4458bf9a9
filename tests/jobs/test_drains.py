"""A drain whose database goes away ends there: no word at ERROR, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from jobs import context, operations
from tests.books import worker_of
from tests.gateway.working import INTENT, planned, row_of
from tests.portal import Committed
from webapp.kernel import db


@pytest.fixture(autouse=True)
def _worker(committed: Committed, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(context, "_here", [])
    with worker_of(committed) as app:
        context.put(context.Process("worker", committed.as_worker(), app, 0.0))
        yield


def test_a_drain_ends_quietly_when_its_connection_is_cut_and_the_work_stays_due(
    committed: Committed,
) -> None:
    made = planned(INTENT)
    with context.draining("operations"), db.transaction(db.WORKER) as session:
        mine = session.scalar(text("SELECT pg_backend_pid()"))
        with committed.connect("postgres") as server:
            server.execute("SELECT pg_terminate_backend(%s, 2000)", (mine,))
        session.execute(text("SELECT 1"))
        pytest.fail("the connection was not cut")
    assert row_of(made.id).state == "pending"
    assert operations.is_due()


def test_any_other_fault_of_the_database_is_not_hushed_up() -> None:
    wrong = db.DatabaseError("INSERT …", {}, psycopg.errors.UniqueViolation("twice"))
    with pytest.raises(db.DatabaseError), context.draining("operations"):
        raise wrong
