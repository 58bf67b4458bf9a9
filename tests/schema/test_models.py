"""What Python believes of the tables is what the migrations make, forwards and backwards."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Table, inspect, text
from sqlalchemy.dialects import postgresql

import webapp
from tests.portal import Committed
from tests.schema.scene import Scene
from webapp.kernel import db
from webapp.outbox import Moving

#: Tables that only SQL reads and writes.
OF_SQL_ALONE = {
    "alembic_version",
    "audit_unsealed",
    "flow_edge",
    "ledger_fold",
    "balance_checkpoint",
    "webhook_ring",
    "webhook_turn",
}
POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]
#: Kinds of text that Python does not tell apart.
SAME = {"character(2)": "text", "character(3)": "text", "char(3)": "text", "varchar": "text"}
#: Of any object that moves these may be empty; of a merchant's they are not.
OF_EVERY_SCOPE = {"merchant_id", "livemode", "user_id"}
#: Keys to rows that are never deleted and from which nobody looks down.
NEVER_FOLLOWED = {
    "fk_merchant_user_id",
    "fk_customer_user_id",
    "fk_wallet_merchant_id",
    "fk_wallet_transfer_merchant_id",
    "fk_correction_requested_by",
    "fk_correction_approved_by",
    "fk_correction_decided_by",
}


def every_model() -> list[Table]:
    """Return every table that some room maps."""
    for found in pkgutil.walk_packages(webapp.__path__, "webapp."):
        if found.name.endswith(".models"):
            importlib.import_module(found.name)
    return sorted(db.Base.metadata.tables.values(), key=lambda table: table.name)


def believed_of(table: Table) -> dict[str, tuple[str, bool]]:
    """Return the columns that Python believes in: their types as Postgres writes them, if empty."""
    found = {}
    for column in table.columns:
        kind = column.type.compile(dialect=POSTGRES).lower().split(" collate")[0]
        found[column.name] = (SAME.get(kind, kind), bool(column.nullable))
    return found


def is_believed(table: Table, scene: Scene) -> dict[str, tuple[str, bool]]:
    """Return what is believed, where a scope's columns may be stricter in the table itself."""
    believed, real = believed_of(table), real_of(scene, table.name)
    for column in OF_EVERY_SCOPE & believed.keys():
        kind, may_be_empty = believed[column]
        believed[column] = (kind, may_be_empty and real[column][1])
    return believed


def real_of(scene: Scene, table: str) -> dict[str, tuple[str, bool]]:
    """Return the columns that a table has."""
    rows = scene.rows(
        "postgres",
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
        f" WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped",
    )
    return {str(name): (SAME.get(str(kind), str(kind)), not filled) for name, kind, filled in rows}


def test_models_and_the_migrated_schema_agree(scene: Scene) -> None:
    for table in every_model():
        assert is_believed(table, scene) == real_of(scene, table.name), table.name


def test_every_table_is_some_rooms_or_sqls_alone(scene: Scene) -> None:
    with scene.portal.app.app_context():
        real = set(inspect(db.db.engines["paydeck_owner"]).get_table_names())
    mapped = {table.name for table in every_model()}
    assert real - mapped <= OF_SQL_ALONE
    assert mapped <= real


@pytest.mark.requirement("S2-48", "S2-49")
def test_every_foreign_key_that_is_followed_has_an_index(scene: Scene) -> None:
    missing = scene.rows(
        "postgres",
        "SELECT c.conrelid::regclass::text, c.conname FROM pg_constraint c WHERE c.contype = 'f'"
        " AND c.connamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_index i"
        "  WHERE i.indrelid = c.conrelid AND i.indkey[0] = ANY (c.conkey))",
    )
    keys = scene.rows("postgres", "SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
    assert int(str(keys[0][0])) >= 20
    assert {str(row[1]) for row in missing} == NEVER_FOLLOWED


def nouns() -> dict[str, Any]:
    """Return the flow of every class whose objects move, by its noun."""
    every_model()
    return {kind.FLOW.noun: kind.FLOW for kind in Moving.__subclasses__()}


def test_the_database_knows_every_flow_as_python_does(scene: Scene) -> None:
    rows = scene.rows("postgres", "SELECT noun, source, target FROM flow_edge")
    real: dict[str, set[tuple[str, str]]] = {}
    for noun, source, target in rows:
        real.setdefault(str(noun), set()).add((str(source), str(target)))
    believed = {noun: set(flow.edges) for noun, flow in nouns().items()}
    assert len(believed) >= 5
    assert believed == real


def test_every_status_that_a_table_allows_is_one_of_its_flow(scene: Scene) -> None:
    for kind in Moving.__subclasses__():
        rows = scene.rows(
            "postgres",
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            f" WHERE conrelid = '{kind.__tablename__}'::regclass"  # type: ignore[attr-defined]
            f" AND conname = 'ck_{kind.__tablename__}_status'",  # type: ignore[attr-defined]
        )
        ((definition,),) = rows
        for state in kind.FLOW.states:
            assert f"'{state}'" in str(definition), (kind, state)


@pytest.mark.requirement("S0-25", "S2-47")
def test_migrations_go_down_to_nothing_and_up_again(committed: Committed) -> None:
    before = schema_of(committed.app)
    downgrade(revision="base")
    left = schema_of(committed.app)
    assert left == {"alembic_version": left["alembic_version"]}
    upgrade()
    assert schema_of(committed.app) == before


def schema_of(app: Flask) -> dict[str, list[str]]:
    """Return every table with its columns, constraints and triggers."""
    statement = text(
        "SELECT c.relname, array_agg(x ORDER BY x) FROM pg_class c, LATERAL ("
        " SELECT format('%s %s %s', attname, atttypid::regtype, attnotnull) FROM pg_attribute"
        "  WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped"
        " UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint"
        "  WHERE conrelid = c.oid"
        " UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = c.oid"
        " UNION ALL SELECT polname FROM pg_policy WHERE polrelid = c.oid"
        " UNION ALL SELECT tgname FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal"
        " UNION ALL SELECT unnest(c.relacl)::text) AS parts(x)"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1"
    )
    with db.db.engines["paydeck_owner"].connect() as connection:
        return {row[0]: row[1] for row in connection.execute(statement)}
