"""`transaction()` commits whole stories, joins, refuses half ones, and runs in one scope."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from supervisor.stores import Stores
from tests.books import committed_portal
from tests.builders import a_merchant, an_order
from tests.portal import Committed
from webapp.kernel import db
from webapp.kernel.errors import BrokenTransaction

COUNT = text("SELECT count(*) FROM customer")
SCOPE = text(
    "SELECT current_user, current_setting('app.merchant', true),"
    " current_setting('app.livemode', true), current_setting('app.user', true)"
)
INSERT = text(
    "INSERT INTO customer (id, merchant_id, livemode, email_sealed, email_index, created_at,"
    " metadata) VALUES (:id, :merchant, false, 'x', :id, now(), '{}')"
)


@pytest.fixture(scope="module")
def portal(stores: Stores) -> Iterator[Committed]:
    """A portal whose commits are real."""
    with committed_portal(stores) as running:
        yield running


@pytest.fixture
def ground(portal: Committed) -> Iterator[None]:
    """The portal's context, with nothing in force."""
    with portal.app.app_context(), db.scoped(db.NOBODY):
        yield
        db.session.rollback()


@pytest.fixture
def shop(ground: None) -> db.Scope:
    """The scope of a merchant of the test's own."""
    return db.Scope(merchant_id=a_merchant(), livemode=False)


def put(shop: db.Scope, name: str) -> None:
    """Write one row inside the open transaction."""
    db.session.execute(INSERT, {"id": f"{name}_{shop.merchant_id}", "merchant": shop.merchant_id})


def kept(shop: db.Scope) -> int:
    """Return how many rows are there to stay."""
    with db.transaction(shop) as session:
        return int(session.execute(COUNT).scalar_one())


def test_the_outermost_block_commits_and_the_inner_ones_join(shop: db.Scope) -> None:
    with db.transaction(shop):
        put(shop, "cus_1")
        with db.transaction():
            put(shop, "cus_2")
            assert db.in_transaction()
        assert db.in_transaction()
    assert not db.in_transaction()
    assert kept(shop) == 2


@pytest.mark.requirement("S2-30")
def test_any_exception_undoes_all_of_it(shop: db.Scope) -> None:
    with pytest.raises(KeyError), db.transaction(shop):  # noqa: PT012 - the block is the story
        put(shop, "cus_1")
        with db.transaction():
            put(shop, "cus_2")
        raise KeyError
    assert kept(shop) == 0
    assert not db.in_transaction()


@pytest.mark.requirement("S2-30")
def test_a_swallowed_inner_failure_commits_nothing(shop: db.Scope) -> None:
    with pytest.raises(BrokenTransaction), db.transaction(shop):  # noqa: PT012 - the block is the story
        put(shop, "cus_1")
        try:
            with db.transaction():
                put(shop, "cus_2")
                raise KeyError
        except KeyError:
            pass
    assert kept(shop) == 0
    with db.transaction(shop):
        put(shop, "cus_3")
    assert kept(shop) == 1, "and the next one is whole again"


def test_what_is_done_outside_a_transaction_is_not_committed(shop: db.Scope) -> None:
    db.use_scope(shop)
    put(shop, "cus_1")
    db.session.rollback()
    assert kept(shop) == 0


def test_a_changed_object_outside_a_transaction_is_refused(shop: db.Scope) -> None:
    order = an_order(shop.merchant_id or "")
    db.use_scope(shop)
    order.description = "changed behind our back"
    db.session.add(order)
    with pytest.raises(RuntimeError, match="outside transaction"):
        db.end_reads()


def test_after_commit_runs_once_at_the_end_and_never_after_a_failure(shop: db.Scope) -> None:
    heard: list[str] = []
    with db.transaction(shop):
        db.after_commit(lambda: heard.append("outer"))
        with db.transaction():
            db.after_commit(lambda: heard.append("inner"))
        assert heard == []
    assert heard == ["outer", "inner"]
    with pytest.raises(KeyError), db.transaction(shop):  # noqa: PT012 - the block is the story
        db.after_commit(lambda: heard.append("never"))
        raise KeyError
    with db.transaction(shop):
        pass
    assert heard == ["outer", "inner"]


def test_steps_and_verbs_know_on_which_side_they_are(shop: db.Scope) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        db.assert_transaction()
    db.assert_no_transaction()
    with db.transaction(shop):
        db.assert_transaction()
        with pytest.raises(RuntimeError, match="must not run inside"):
            db.assert_no_transaction()
        with pytest.raises(RuntimeError, match="must not run inside"):
            db.use_scope(db.NOBODY)
        with pytest.raises(RuntimeError, match="must not run inside"), db.scoped(db.NOBODY):
            pass


def test_an_inner_block_cannot_change_the_scope(shop: db.Scope) -> None:
    with db.transaction(shop):
        with db.transaction(shop):
            pass
        other = db.transaction(db.OWNER)
        with pytest.raises(RuntimeError, match="cannot change the scope"), other:
            pass
        assert db.current_scope() == shop


def test_the_scope_in_force_is_what_the_database_sees(shop: db.Scope) -> None:
    full = db.Scope(merchant_id=shop.merchant_id, livemode=True, user_id="usr_1")
    with db.transaction(full) as session:
        assert session.execute(SCOPE).one() == ("paydeck_web", shop.merchant_id, "true", "usr_1")
    with db.transaction(db.NOBODY) as session:
        assert session.execute(SCOPE).one() == ("paydeck_web", "", "", "")
    with db.transaction(db.ADMIN) as session:
        assert session.execute(SCOPE).one()[0] == "paydeck_admin"
    with db.transaction(db.OWNER) as session:
        assert session.execute(SCOPE).one()[0] == "paydeck_owner"


def test_a_scope_ends_with_its_block_even_after_a_fault(shop: db.Scope) -> None:
    db.use_scope(db.NOBODY)
    with pytest.raises(KeyError), db.scoped(shop):  # noqa: PT012 - the block is the story
        assert db.current_scope() == shop
        raise KeyError
    assert db.current_scope() == db.NOBODY
    with pytest.raises(KeyError), db.transaction(shop):
        raise KeyError
    assert db.current_scope() == db.NOBODY


def test_a_connection_that_is_given_back_carries_no_scope_to_the_next(shop: db.Scope) -> None:
    with db.transaction(shop):
        put(shop, "cus_1")
    with db.transaction(db.NOBODY) as session:
        assert session.execute(COUNT).scalar_one() == 0
    db.use_scope(shop)
    assert db.session.execute(COUNT).scalar_one() == 1
    db.use_scope(db.NOBODY)
    assert db.session.execute(COUNT).scalar_one() == 0


def raised(statement: str) -> DBAPIError:
    """Run a statement that fails and return how."""
    with pytest.raises(DBAPIError) as failed, db.transaction(db.OWNER) as session:
        session.execute(text(statement))
    return failed.value


@pytest.mark.parametrize(
    ("state", "passing"),
    [("40001", True), ("40P01", True), ("55P03", True), ("57014", True), ("53100", True),
     ("53300", True), ("08006", True), ("57P01", True), ("23505", False), ("42501", False),
     ("PD002", False), ("22003", False)],
)  # fmt: skip
def test_faults_that_pass_are_told_from_those_that_stay(
    ground: None,
    state: str,
    passing: bool,  # noqa: FBT001 - a table's column
) -> None:
    failed = raised(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")
    assert db.is_passing(failed) is passing


def test_a_connection_that_broke_is_a_passing_fault() -> None:
    cut = OperationalError(
        "COMMIT", {}, psycopg.OperationalError("cut"), connection_invalidated=True
    )
    assert db.is_passing(cut)
    away = OperationalError("x", {}, psycopg.OperationalError("connection refused"))
    assert db.is_passing(away)
    wrong = ProgrammingError("x", {}, psycopg.ProgrammingError("no parameter of that name"))
    assert not db.is_passing(wrong)


def test_nobody_waits_for_ever(ground: None) -> None:
    with db.transaction(db.NOBODY) as session:
        for setting, most in (
            ("statement_timeout", "5s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "10s"),
        ):
            assert session.execute(text(f"SHOW {setting}")).scalar_one() == most
        assert session.execute(text("SHOW timezone")).scalar_one() == "UTC"
