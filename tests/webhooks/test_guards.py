"""What the database refuses of webhooks whoever asks, and what each role may."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from supervisor.stores import Stores
from tests.books import committed_portal, worker_of
from tests.builders import a_merchant, an_order
from tests.portal import Committed
from tests.webhooks.hooks import Server, an_endpoint, broken, tell
from webapp.kernel import db
from webapp.webhooks import endpoints

REFUSED = psycopg.DatabaseError
OF_DUE = " WHERE state = 'due'"


@pytest.fixture(scope="module")
def portal(stores: Stores) -> Iterator[Committed]:
    """A portal whose commits are real, with one delivery that arrived and one that is due."""
    with committed_portal(stores) as running:
        with running.app.app_context(), db.scoped(db.OWNER):
            shop = a_merchant()
            an_endpoint(shop, "order.created", url="https://well.example/in")
            an_endpoint(shop, "order.created", url="https://sick.example/in")
            an_order(shop)
        with worker_of(running) as worker, worker.app_context():
            tell()
            answers = {"https://well.example/in": None}
            Server(
                lambda request: broken() if request.url not in answers else Server().answer(request)
            ).drain()
        yield running


@pytest.mark.parametrize("role", ["paydeck_owner", "paydeck_worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE webhook_body SET body = '{}'",
        "DELETE FROM webhook_body",
        "UPDATE webhook_event SET name = 'payment.success'",
        "DELETE FROM webhook_event",
        "UPDATE delivery_attempt SET status = 200, error = NULL",
        "UPDATE delivery_attempt SET response_body = '', response_headers = '{}'",
        "DELETE FROM delivery_attempt",
        "DELETE FROM delivery",
        "TRUNCATE delivery CASCADE",
        "UPDATE delivery SET event_id = 'evt_x' WHERE state = 'due'",
        "UPDATE delivery SET state = 'due', due_at = clock_now() WHERE state = 'delivered'",
        "UPDATE delivery SET state = 'dead' WHERE state = 'delivered'",
        "UPDATE delivery SET tries = 9 WHERE state = 'delivered'",
        f"UPDATE delivery SET state = 'delivered', due_at = NULL, finished_at = created_at{OF_DUE}",
        f"UPDATE delivery SET state = 'resent', due_at = NULL, finished_at = created_at{OF_DUE}",
        "UPDATE webhook_endpoint SET livemode = true",
        "UPDATE webhook_endpoint SET status = 'paused'",
        "DELETE FROM webhook_endpoint",
    ],
)
def test_nobody_rewrites_what_was_sent(portal: Committed, role: str, statement: str) -> None:
    with portal.connect(role) as connection:
        before = connection.execute("SELECT count(*) FROM delivery").fetchone()
        assert before == (2,)
        with pytest.raises(REFUSED):
            connection.execute(statement + "; SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "table",
    ["webhook_endpoint", "webhook_event", "webhook_body", "delivery", "delivery_attempt"],
)
def test_without_its_merchant_the_web_sees_nothing(portal: Committed, table: str) -> None:
    with portal.connect() as connection:
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        connection.execute("SELECT set_config('app.merchant', 'mer_other', true)")
        connection.execute("SELECT set_config('app.livemode', 'false', true)")
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_the_web_never_begins_a_delivery_as_delivered(portal: Committed) -> None:
    with portal.connect("paydeck_worker") as connection, pytest.raises(REFUSED):
        connection.execute(
            "INSERT INTO delivery (id, merchant_id, livemode, event_id, endpoint_id, api_version,"
            " resend_of, state, tries, claims, created_at, finished_at)"
            " SELECT 'whd_x', merchant_id, livemode, event_id, endpoint_id, api_version, id,"
            " 'delivered', 1, 0, clock_now(), clock_now() FROM delivery LIMIT 1"
        )


def test_the_deliveries_of_an_event_are_found_by_an_index(portal: Committed) -> None:
    wanted = "EXPLAIN SELECT id FROM delivery WHERE event_id = 'evt_1'"
    with portal.connect("postgres") as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")
        plan = connection.execute(wanted).fetchall()
    assert "ix_delivery_event_id_endpoint_id" in str(plan)


def test_deliveries_are_written_while_somebody_changes_their_endpoint(portal: Committed) -> None:
    shared = "SELECT id FROM webhook_endpoint WHERE id = %s FOR KEY SHARE NOWAIT"
    changed = "SELECT id FROM webhook_endpoint WHERE id = %s FOR NO KEY UPDATE NOWAIT"
    with portal.connect("postgres") as other, portal.app.app_context(), db.scoped(db.OWNER):
        found = other.execute("SELECT id FROM webhook_endpoint ORDER BY id LIMIT 1").fetchone()
        assert found is not None
        with db.transaction():
            endpoints.locked(found[0])
            assert other.execute(shared, found).fetchone() == found, "as a delivery refers to it"
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(changed, found)


def test_endpoints_of_a_merchant_are_added_one_after_the_other(portal: Committed) -> None:
    alone = "SELECT pg_advisory_xact_lock(hashtextextended('webhook_endpoints:' || %s, 0))"
    with portal.app.app_context(), db.scoped(db.OWNER):
        shop = a_merchant(name="Busy")
        with portal.connect("postgres") as other:
            other.execute(alone, [shop])
            with pytest.raises(db.DatabaseError) as waited:
                an_endpoint(shop)
        assert isinstance(waited.value.orig, psycopg.errors.LockNotAvailable)
        assert an_endpoint(shop).merchant_id == shop
