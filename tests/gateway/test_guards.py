"""What the database refuses whoever asks, and what each role may."""

from __future__ import annotations

import itertools

import psycopg
import pytest
from psycopg.rows import TupleRow

from tests.gateway.conftest import Worker
from tests.gateway.working import INTENT, Book, a_charge, planned, row_of
from tests.portal import Committed
from webapp.gateway import State, operations
from webapp.gateway.models import STEPS
from webapp.kernel import ids

Connection = psycopg.Connection[TupleRow]
INSERT = (
    "INSERT INTO provider_operation (id, kind, provider, subject_kind, subject_id, purpose,"
    " merchant_id, livemode, request, state, tries, claims, due_at, created_at)"
    " VALUES (%(id)s, %(kind)s, 'stripe', 'sale', %(subject)s, 'test', %(merchant)s, false, '{}',"
    " %(state)s, 0, 0, now(), now())"
)
EVENT = (
    "INSERT INTO provider_event (provider, event_id, kind, object_id, livemode, payload,"
    " received_at, tries, due_at) VALUES ('stripe', %s, 'x', 'pi_1', false, '{}', now(), 0, now())"
)


@pytest.fixture
def portal(worker: Worker) -> Committed:
    return Committed(worker.app, worker.stores, worker.database)


def an_insert(**changes: str) -> dict[str, str]:
    return {
        "id": ids.new("operation"),
        "kind": "confirm",
        "subject": ids.new("payment"),
        "merchant": "mer_1",
        "state": "pending",
        **changes,
    }


def as_merchant(connection: Connection, merchant_id: str) -> None:
    connection.execute("SELECT set_config('app.merchant', %s, true)", (merchant_id,))
    connection.execute("SELECT set_config('app.livemode', 'false', true)")


def refuses(
    connection: Connection,
    statement: str,
    params: object = None,
    *,
    error: type[psycopg.Error] = psycopg.Error,
) -> str:
    """Return the SQLSTATE with which a statement is refused."""
    with pytest.raises(error) as met, connection.transaction():
        connection.execute(statement, params)  # type: ignore[call-overload]
    return met.value.sqlstate or ""


def test_the_web_role_plans_for_its_merchant_only(portal: Committed) -> None:
    with portal.connect("paydeck_web") as web:
        as_merchant(web, "mer_1")
        web.execute(INSERT, an_insert())
        assert refuses(web, INSERT, an_insert(merchant="mer_2")) == "42501"
        as_merchant(web, "mer_2")
        assert web.execute("SELECT count(*) FROM provider_operation").fetchone() == (0,)
        web.rollback()
        assert web.execute("SELECT count(*) FROM provider_operation").fetchone() == (0,)


REWRITINGS = (
    "DELETE FROM provider_operation",
    "TRUNCATE provider_operation",
    "DELETE FROM provider_event",
    "TRUNCATE provider_event",
    "UPDATE provider_operation SET request = '{\"amount_minor\": 1}'",
    "UPDATE provider_operation SET id = 'op_another'",
    "UPDATE provider_event SET payload = '{}'",
    "ALTER TABLE provider_operation DISABLE TRIGGER ALL",
)


def test_no_role_of_the_portal_may_forget_or_rewrite(portal: Committed) -> None:
    charge = a_charge()
    for role in ("paydeck_web", "paydeck_admin", "paydeck_worker"):
        with portal.connect(role) as connection:
            for statement in REWRITINGS:
                assert refuses(connection, statement) == "42501", (role, statement)
    assert row_of(charge.id).request == charge.request


def test_the_web_role_works_on_nothing_and_reads_no_message(portal: Committed) -> None:
    with portal.connect("paydeck_web") as web:
        for statement in (
            "UPDATE provider_operation SET state = 'manual', due_at = NULL",
            "UPDATE provider_operation SET result = '{}'",
            "SELECT * FROM provider_event",
            "UPDATE provider_event SET processed_at = now()",
        ):
            assert refuses(web, statement) == "42501", statement


def test_not_even_the_owner_may_change_what_was_asked(portal: Committed) -> None:
    planned(INTENT)
    with portal.connect("paydeck_owner") as owner:
        for statement in (
            "DELETE FROM provider_operation",
            "UPDATE provider_operation SET request = '{\"amount_minor\": 1}'",
            "UPDATE provider_operation SET subject_id = 'pay_another'",
            "UPDATE provider_operation SET livemode = true",
            "TRUNCATE provider_operation",
        ):
            assert refuses(owner, statement) in {"PD001", "PD003"}, statement


def test_an_operation_begins_pending(portal: Committed) -> None:
    with portal.connect("paydeck_worker") as connection:
        for state in set(State) - {State.PENDING}:
            refused = refuses(connection, INSERT, an_insert(state=state.value))
            assert refused in {"PD002", "23514"}, state


def test_only_the_steps_of_the_graph_are_taken(portal: Committed) -> None:
    """All 36 pairs, tried as the worker on rows that the owner put into each state."""
    passed = set()
    with portal.connect("postgres") as owner, portal.connect("paydeck_worker") as connection:
        for source, target in itertools.product(State, repeat=2):
            operation_id = ids.new("operation")
            _put(owner, operation_id, source)
            try:
                with connection.transaction():
                    connection.execute(_SET.format(_columns(target)), (operation_id,))
            except psycopg.Error as refused:
                assert refused.sqlstate == "PD002"  # noqa: PT017 - the other branch matters too
            else:
                passed.add((source, target))
    staying = {(state, state) for state in (*_open(), State.MANUAL)}
    assert passed == set(STEPS) | staying


def _open() -> tuple[State, ...]:
    return (State.PENDING, State.IN_FLIGHT, State.UNKNOWN)


def _columns(state: State) -> str:
    due = "now()" if state in _open() else "NULL"
    lease = "now()" if state is State.IN_FLIGHT else "NULL"
    closed = "now()" if state in {State.SUCCEEDED, State.FAILED} else "NULL"
    return f"state = '{state}', due_at = {due}, lease_until = {lease}, closed_at = {closed}"


_SET = "UPDATE provider_operation SET {} WHERE id = %s"


def _put(owner: Connection, operation_id: str, state: State) -> None:
    """Put a row into a state, which only somebody who may disable triggers can do."""
    with owner.transaction():
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute(INSERT, an_insert(id=operation_id, kind="look_up"))
        owner.execute(_SET.format(_columns(state)), (operation_id,))


def test_a_closed_operation_stays_as_it_is(portal: Committed) -> None:
    charge = a_charge()
    operations.drain(Book().apply)
    with portal.connect("paydeck_worker") as connection:
        statement = "UPDATE provider_operation SET result = '{}' WHERE id = %s"
        assert refuses(connection, statement, (charge.id,)) == "PD002"


def test_that_it_was_sent_and_its_fence_are_never_taken_back(portal: Committed) -> None:
    charge = a_charge()
    with portal.connect("paydeck_worker") as connection:
        where = f"WHERE id = '{charge.id}'"
        connection.execute(
            "UPDATE provider_operation SET state = 'in_flight', lease_until = now(),"
            f" first_sent_at = now(), lease_token = nextval('fence') {where}"
        )
        for change in (
            "lease_token = lease_token - 1",
            "lease_token = NULL",
            "first_sent_at = now() - interval '1 day'",
            "state = 'unknown', lease_until = NULL, first_sent_at = NULL",
        ):
            statement = f"UPDATE provider_operation SET {change} {where}"
            assert refuses(connection, statement) == "PD003"


def test_the_database_allows_one_live_charge_of_a_subject(portal: Committed) -> None:
    charging = ("confirm", "capture", "create_session")
    with portal.connect("paydeck_worker") as connection:
        for kind, other in itertools.product(charging, repeat=2):
            one = ids.new("payment")
            connection.execute(INSERT, an_insert(kind=kind, subject=one))
            assert refuses(connection, INSERT, an_insert(kind=other, subject=one)) == "23505"
            connection.execute(INSERT, an_insert(kind=other))


def test_a_message_that_was_processed_is_closed(portal: Committed) -> None:
    with portal.connect("paydeck_web") as web:
        web.execute(EVENT, ("evt_1",))
    with portal.connect("paydeck_worker") as connection:
        connection.execute("UPDATE provider_event SET processed_at = now(), due_at = NULL")
        statement = "UPDATE provider_event SET processed_at = NULL, due_at = now()"
        assert refuses(connection, statement) == "PD002"
