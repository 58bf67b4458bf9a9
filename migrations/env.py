"""Runs migrations on one connection as the owner role, under an advisory lock, all or nothing."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import text

from webapp.kernel.db import Role

LOCK = 7_401_001

database = current_app.extensions["migrate"].db
engine = database.engines[Role.OWNER.value]

with engine.connect() as connection:
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
    connection.execute(text("SET statement_timeout = 0"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        compare_type=True,
        include_schemas=False,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
