"""The ground that schedules are played on: a Postgres, its template, and databases cloned of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import psycopg
import structlog
from flask import Flask
from psycopg import sql

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.portal import TEMPLATE, environment, make_template, superuser
from tests.simulation import seams
from tests.simulation.money_back import APPROVAL_MINOR
from tests.simulation.wire import BOARD, engine
from webapp import config, refunds
from webapp.app import create_app
from webapp.kernel import db
from webapp.refunds import Limits

Apps = tuple[Flask, Flask]


class Ground:
    """A throw-away Postgres and the two processes' applications, neither connected yet."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        make_template(stores)
        with superuser(stores, "postgres") as server:
            server.execute("ALTER SYSTEM SET autovacuum = off")
            server.execute("SELECT pg_reload_conf()")
        env = environment(stores, TEMPLATE)
        web = create_app(config.read(env), ROUTES)
        worker_settings = config.read(
            env | {"DATABASE_URL": stores.url("paydeck_worker", TEMPLATE)}
        )
        worker = create_app(worker_settings, ROUTES)
        seams.as_worker_process(worker, worker_settings)
        self.apps: Apps = (web, worker)
        refunds.use(Limits(approval_minor=APPROVAL_MINOR))
        quiet()

    def clone(self, name: str) -> None:
        """Make a fresh database."""
        with superuser(self.stores, "postgres") as server:
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER paydeck_owner").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )

    def drop(self, name: str) -> None:
        """Remove a database."""
        with superuser(self.stores, "postgres") as server:
            server.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def connect(self, database: str, prepare: Callable[[], None] | None = None) -> None:
        """Point this process at a database; done once, after the fork."""
        BOARD.superuser = psycopg.connect(
            self.stores.dsn("postgres", database),
            autocommit=True,
            options="-c timezone=UTC -c session_replication_role=replica",
        )
        if prepare is not None:
            prepare()
        admin = engine(self.stores.dsn("paydeck_admin", database))
        owner = engine(self.stores.dsn("paydeck_owner", database))
        for app, role in zip(self.apps, ("paydeck_web", "paydeck_worker"), strict=True):
            with app.app_context():
                engines = db.db.engines
                for old in engines.values():
                    old.dispose()
                engines[None] = engine(self.stores.dsn(role, database))  # type: ignore[index]
                engines["paydeck_admin"] = admin  # type: ignore[index]
                engines["paydeck_owner"] = owner  # type: ignore[index]

    def tidy(self, tables: str) -> None:
        """Clean up after many updates, as autovacuum would at its own moment."""
        BOARD.ask(f"VACUUM (ANALYZE) {tables}")


def quiet() -> None:
    """Say nothing of the thousands of faults that are meant to be."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
