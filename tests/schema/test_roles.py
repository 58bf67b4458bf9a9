"""What each of the portal's roles may do, and whose rows it sees: read from the database itself."""

from __future__ import annotations

import pytest

from tests.schema.scene import ADMIN, DONE, OWNER, PORTAL_ROLES, WEB, WORKER, Scene

NO_PRIVILEGE = "42501"
TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)
#: What is rubbish once it is old, and who sweeps it; nothing else is ever deleted.
SWEPT = {
    WEB: set(),
    ADMIN: {"outbox_due"},
    WORKER: {
        "outbox_due",
        "audit_unsealed",
        "api_request",
        "idempotency_key",
        "sign_in_session",
        "secret_token",
        "sign_in_try",
        "webhook_receipt",
        "webhook_ring",
    },
}
#: Tables of no one merchant or person; the web may not read them, or they hold nobody's data.
NOBODYS = {
    "alembic_version",
    "audit_seal",
    "audit_unsealed",
    "flow_edge",
    "invariant_result",
    "ledger_fold",
    "outbox_due",
    "provider_event",
    "refund_freeze",
    "refused_event",
    "webhook_ring",
    "webhook_turn",
}


def names(scene: Scene, statement: str) -> set[str]:
    """Return the names that a statement finds, as somebody who sees all."""
    return {str(row[0]) for row in scene.rows("postgres", statement)}


def readable(scene: Scene, role: str) -> list[str]:
    """Return the tables that a role may read."""
    found = names(scene, f"{TABLES} AND has_table_privilege('{role}', oid, 'SELECT')")
    return sorted(found)


@pytest.mark.parametrize("role", PORTAL_ROLES)
def test_a_role_deletes_just_what_it_sweeps(scene: Scene, role: str) -> None:
    found = names(scene, f"{TABLES} AND has_table_privilege('{role}', oid, 'DELETE')")
    assert found == SWEPT[role]


@pytest.mark.parametrize("role", PORTAL_ROLES)
@pytest.mark.parametrize("right", ["TRUNCATE", "TRIGGER", "REFERENCES"])
def test_no_role_empties_a_table_or_hangs_anything_on_it(
    scene: Scene, role: str, right: str
) -> None:
    assert names(scene, f"{TABLES} AND has_table_privilege('{role}', oid, '{right}')") == set()


@pytest.mark.parametrize("role", PORTAL_ROLES)
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE payment DISABLE TRIGGER ALL",
        "ALTER TABLE payment DISABLE TRIGGER guard_flow",
        "ALTER TABLE payment DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE payment DROP CONSTRAINT ck_payment_captured",
        "ALTER TABLE payment ADD COLUMN x int",
        "DROP TABLE payment",
        "DROP TRIGGER guard_flow ON payment",
        "DROP INDEX uq_payment_one_live",
        "DROP POLICY web_rows ON payment",
        "CREATE POLICY mine ON payment USING (true)",
        "CREATE TABLE public.mine (x int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
        "SET session_replication_role = replica",
        "SET LOCAL session_replication_role = replica",
        "SET ROLE paydeck_owner",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "INSERT INTO flow_edge VALUES ('payment', 'processing', 'expired')",
        "UPDATE flow_edge SET target = 'captured'",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY payment TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "SELECT * FROM pg_authid",
        "ALTER ROLE CURRENT_USER SUPERUSER",
    ],
)
def test_no_role_takes_a_guard_away(scene: Scene, role: str, statement: str) -> None:
    assert scene.attempt(role, statement) == NO_PRIVILEGE


def test_even_the_owner_cannot_step_past_the_triggers(scene: Scene) -> None:
    assert scene.attempt(OWNER, "SET session_replication_role = replica") == NO_PRIVILEGE


def test_roles_are_plain_ones(scene: Scene) -> None:
    powerful = scene.rows(
        "postgres",
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'paydeck%%' AND rolname <> 'paydeck_owner'"
        " AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)",
    )
    assert powerful == []
    members = scene.rows(
        "postgres",
        "SELECT m.rolname FROM pg_auth_members JOIN pg_roles m ON m.oid = member"
        " WHERE m.rolname LIKE 'paydeck%%'",
    )
    assert members == [], "no role can become another"


def test_every_table_of_somebodys_data_has_row_policies(scene: Scene) -> None:
    assert names(scene, f"{TABLES} AND NOT relrowsecurity") == NOBODYS
    readable_by_web = NOBODYS & set(readable(scene, WEB))
    assert readable_by_web <= {"flow_edge", "audit_seal", "refund_freeze"}


def test_without_a_scope_the_web_sees_no_row_of_anybody(scene: Scene) -> None:
    tables = [table for table in readable(scene, WEB) if table not in NOBODYS]
    assert len(tables) >= 15
    for table in tables:
        assert scene.rows(WEB, f"SELECT count(*) FROM {table}") == [(0,)], table


def test_another_merchants_scope_sees_no_row_of_this_one(scene: Scene) -> None:
    with_merchant = names(
        scene,
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'merchant_id'",
    )
    tables = sorted(with_merchant & set(readable(scene, WEB)))
    assert {"payment", "attempt", "shop_order", "checkout_session", "move", "fact"} <= set(tables)
    mine = 0
    for table in tables:
        counted = f"SELECT count(*) FROM {table} WHERE merchant_id = '{{shop}}'"
        assert scene.rows(WEB, counted, merchant=scene.rival) == [(0,)], table
        ((found,),) = scene.rows(WEB, counted, merchant=scene.shop)
        mine += int(str(found))
    assert mine > 20, "and this one's does"


def test_the_other_mode_of_the_same_merchant_sees_none_of_it(scene: Scene) -> None:
    with scene.portal.connect(WEB) as connection:
        connection.execute(
            "SELECT set_config('app.merchant', %s, true), set_config('app.livemode', 'true', true)",
            (scene.shop,),
        )
        for table in ("payment", "attempt", "shop_order", "checkout_session", "fact", "move"):
            found = connection.execute(f"SELECT count(*) FROM {table} WHERE NOT livemode")
            assert found.fetchone() == (0,), table


def test_a_shopper_sees_what_is_theirs_and_nothing_else(scene: Scene) -> None:
    seen = scene.rows(WEB, "SELECT DISTINCT user_id FROM payment", user=scene.person)
    assert seen == [(scene.person,)]
    stranger = scene.rows(WEB, "SELECT count(*) FROM payment", user="usr_stranger")
    assert stranger == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payment SET last_decline_code = 'x' WHERE merchant_id = '{shop}' RETURNING id",
        "UPDATE shop_order SET user_id = 'x' WHERE merchant_id = '{shop}' RETURNING id",
        "UPDATE attempt SET decline_code = 'x' WHERE merchant_id = '{shop}' RETURNING id",
        "SELECT id FROM payment WHERE merchant_id = '{shop}' FOR UPDATE",
    ],
)
def test_another_merchants_scope_changes_no_row_of_this_one(scene: Scene, statement: str) -> None:
    assert scene.rows(WEB, statement, merchant=scene.rival) == []


@pytest.mark.parametrize("role", [ADMIN, WORKER])
def test_admins_and_workers_change_only_what_is_theirs_to_change(scene: Scene, role: str) -> None:
    for table in ("shop_order", "merchant", "app_user", "ledger_account", "balance", "entry"):
        statement = f"INSERT INTO {table} DEFAULT VALUES"
        assert scene.attempt(role, statement) == NO_PRIVILEGE, table
    for table in ("balance", "entry", "transfer", "ledger_account", "balance_checkpoint"):
        for role_of in PORTAL_ROLES:
            assert scene.attempt(role_of, f"DELETE FROM {table}") == NO_PRIVILEGE, table
    for column in ("entry SET amount_minor", "balance SET amount_minor", "transfer SET xid"):
        assert scene.attempt(role, f"UPDATE {column} = NULL") == NO_PRIVILEGE, column


def test_a_checkout_opens_by_its_tokens_hash_alone(scene: Scene) -> None:
    door = "SELECT count(*) FROM checkout_by_token('{}')"
    assert scene.rows(WEB, door.format("x")) == [(0,)]
    ((hashed,),) = scene.rows("postgres", "SELECT token_hash FROM checkout_session LIMIT 1")
    assert scene.rows(WEB, door.format(hashed)) == [(1,)]
    assert scene.attempt(ADMIN, door.format(hashed)) == NO_PRIVILEGE
    assert scene.attempt(WORKER, door.format(hashed)) in {NO_PRIVILEGE, DONE}
