"""The tables as the code knows them and as the migrations made them."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.gateway.conftest import Worker
from webapp.kernel import db

OURS = {"provider_operation", "provider_event", "refused_event"}


def _is_ours(_thing: object, name: str | None, kind: str, *_others: object) -> bool:
    return kind != "table" or name in OURS


def _is_read(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in OURS


def test_models_and_migrated_tables_agree(worker: Worker) -> None:
    with db.db.engines["paydeck_owner"].connect() as connection:
        opts = {"compare_type": True, "include_name": _is_read, "include_object": _is_ours}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, db.Base.metadata) == []
