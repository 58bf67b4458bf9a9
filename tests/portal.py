"""The portal under test: a migrated template database, and apps on clones of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from flask import Flask
from flask_migrate import upgrade
from psycopg import sql
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from webapp import config
from webapp.app import create_app
from webapp.kernel import clock, db

TEMPLATE = "paydeck_template"
ROLES = ("paydeck_web", "paydeck_admin", "paydeck_worker", "paydeck_owner")
FAKE_CLOCK = """
CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT coalesce(nullif(current_setting('app.fake_now', true), '')::timestamptz,
                   clock_timestamp()) $$
"""
KEY = base64.b64encode(bytes(range(32))).decode()
WEBHOOK_SECRET = "whsec_c2FuZGJveC10ZXN0LXNlY3JldA"
_numbers = count(1)


def environment(stores: Stores, database: str) -> dict[str, str]:
    """Return the environment of a portal on `database`."""
    return {
        "DATABASE_URL": stores.url("paydeck_web", database),
        "DATABASE_ADMIN_URL": stores.url("paydeck_admin", database),
        "DATABASE_OWNER_URL": stores.url("paydeck_owner", database),
        "REDIS_URL": stores.redis_url,
        "SECRET_KEY": "test-secret-key-of-some-length",
        "JWT_SECRET": "a-test-secret-for-tokens-of-32-letters",
        "ENCRYPTION_KEY": KEY,
        "BLIND_INDEX_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "PAYDECK_DEMO": "1",
        "LOG_LEVEL": "ERROR",
        "PUBLIC_URL": "http://localhost:8000",
    }


def make_template(stores: Stores) -> None:
    """Make the migrated database that the tests clone."""
    with superuser(stores, "postgres") as server:
        made = sql.SQL("CREATE DATABASE {} OWNER paydeck_owner")
        server.execute(made.format(sql.Identifier(TEMPLATE)))
    app = create_app(config.read(environment(stores, TEMPLATE)), ROUTES)
    with app.app_context():
        upgrade()
        for engine in db.db.engines.values():
            engine.dispose()
    with superuser(stores, TEMPLATE) as owner:
        owner.execute(FAKE_CLOCK)


@contextmanager
def superuser(stores: Stores, database: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a database as the superuser, each statement its own transaction."""
    with psycopg.connect(stores.dsn("postgres", database), autocommit=True) as connection:
        yield connection


@contextmanager
def cloned(stores: Stores) -> Iterator[str]:
    """Give a fresh clone of the template by name, and drop it afterwards."""
    name = f"paydeck_test_{next(_numbers)}"
    with superuser(stores, "postgres") as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER paydeck_owner").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    try:
        yield name
    finally:
        with superuser(stores, "postgres") as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass(frozen=True)
class Committed:
    """A portal on its own database, where commits are real and roles have their own connections."""

    app: Flask
    stores: Stores
    database: str

    def connect(self, role: str = "paydeck_web") -> psycopg.Connection[Any]:
        """Connect as one of the portal's roles (or `postgres`)."""
        return psycopg.connect(self.stores.dsn(role, self.database))

    def as_worker(self) -> config.Settings:
        """Return the settings of a worker process on this database."""
        env = environment(self.stores, self.database)
        env["DATABASE_URL"] = self.stores.url("paydeck_worker", self.database)
        return config.read(env)


def dispose(app: Flask) -> None:
    """Close the pools of an app."""
    with app.app_context():
        for engine in db.db.engines.values():
            engine.dispose()


@event.listens_for(Session, "after_begin")
def _same_moment(_session: Session, began: Any, connection: Any) -> None:
    """Give the database's clock the moment at which a test holds the Python clock."""
    if not began.nested:
        moment = clock.now().isoformat() if clock.is_held() else ""
        connection.execute(text("SELECT set_config('app.fake_now', :at, true)"), {"at": moment})
