"""Connections come from a pool of their role, go back after each use, and are checked first."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

from tests.portal import Committed
from webapp.kernel import db


def used(scope: db.Scope) -> tuple[str, int]:
    """Return as whom and on which server process a transaction of that scope ran."""
    with db.transaction(scope) as session:
        who, process = session.execute(text("SELECT current_user, pg_backend_pid()")).one()
    return str(who), int(process)


@pytest.mark.requirement("S2-50")
def test_a_connection_goes_back_to_its_pool_and_is_used_again(committed: Committed) -> None:
    for engine in db.db.engines.values():
        assert isinstance(engine.pool, QueuePool)
    first, again = used(db.NOBODY), used(db.NOBODY)
    assert first == again
    assert first[0] == "paydeck_web"
    assert [engine.pool.checkedout() for engine in db.db.engines.values()] == [0, 0, 0]  # type: ignore[attr-defined]


def test_each_role_has_a_pool_of_its_own(committed: Committed) -> None:
    assert used(db.ADMIN)[0] == "paydeck_admin"
    assert used(db.OWNER)[0] == "paydeck_owner"
    assert len({used(scope)[1] for scope in (db.NOBODY, db.ADMIN, db.OWNER)}) == 3


def test_a_connection_that_the_server_ended_is_replaced(committed: Committed) -> None:
    _, gone = used(db.NOBODY)
    with committed.connect("postgres") as server:
        server.execute("SELECT pg_terminate_backend(%s, 2000)", (gone,))
    assert used(db.NOBODY)[1] != gone


def test_reads_outside_a_transaction_give_their_connection_back(committed: Committed) -> None:
    db.use_scope(db.NOBODY)
    db.ping()
    pool = db.db.engines[None].pool
    assert pool.checkedout() == 1  # type: ignore[attr-defined]
    db.end_reads()
    assert pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_server_that_cannot_be_reached_is_a_fault_that_passes() -> None:
    nowhere = create_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    with pytest.raises(db.DatabaseError) as away:
        nowhere.connect()
    assert db.is_passing(away.value)


def test_a_server_that_is_only_just_starting_is_a_fault_that_passes() -> None:
    said = psycopg.OperationalError("connection failed: FATAL: the database system is starting up")
    assert db.is_passing(db.DatabaseError("SELECT 1", {}, said))
    wrong = psycopg.errors.UniqueViolation("duplicate key")
    assert not db.is_passing(db.DatabaseError("INSERT …", {}, wrong))


def test_letting_go_of_a_connection_that_was_lost_raises_nothing(committed: Committed) -> None:
    db.use_scope(db.NOBODY)
    gone = db.session.scalar(text("SELECT pg_backend_pid()"))
    with committed.connect("postgres") as server:
        server.execute("SELECT pg_terminate_backend(%s, 2000)", (gone,))
    db.let_go()
    assert db.db.engines[None].pool.checkedout() == 0  # type: ignore[attr-defined]
    assert used(db.NOBODY)[1] != gone
