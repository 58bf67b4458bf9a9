"""The ground that schedules are played on: a Postgres, its template, and databases cloned of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import psycopg
import structlog
from flask import Flask
from psycopg import sql
from sqlalchemy import Engine

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.portal import ROLES, TEMPLATE, environment, make_template, superuser
from tests.simulation import seams
from tests.simulation.money_back import ADMIN, APPROVAL_MINOR, SECOND
from tests.simulation.stage import CURRENCY
from tests.simulation.wire import BOARD, engine
from tests.webhooks.hooks import PUBLIC
from webapp import config, refunds, webhooks
from webapp.app import create_app
from webapp.kernel import db
from webapp.refunds import Limits

Apps = tuple[Flask, Flask]
ADMINS = tuple(one.id for one in (ADMIN, SECOND) if one.id)


class Ground:
    """A throw-away Postgres and the two processes' applications, neither connected yet."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        make_template(stores)
        with superuser(stores, "postgres") as server:
            server.execute("ALTER SYSTEM SET autovacuum = off")
            server.execute("SELECT pg_reload_conf()")
        _add_admins(stores)
        env = environment(stores, TEMPLATE)
        web = create_app(config.read(env), ROUTES)
        worker_settings = config.read(
            env | {"DATABASE_URL": stores.url("paydeck_worker", TEMPLATE)}
        )
        worker = create_app(worker_settings, ROUTES)
        seams.as_worker_process(worker, worker_settings)
        self.apps: Apps = (web, worker)
        self._engines = self._make_engines()
        refunds.use(Limits(approval={CURRENCY: APPROVAL_MINOR}))
        webhooks.use(receiver=None, resolve=lambda _host, _port: [PUBLIC])
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
        """Point this process at a database; what was compiled for another serves here too."""
        BOARD.database = database
        BOARD.superuser = psycopg.connect(
            self.stores.dsn("postgres", database),
            autocommit=True,
            options="-c timezone=UTC -c session_replication_role=replica",
        )
        for one in self._engines.values():
            one.dispose(close=False)
        if prepare is not None:
            prepare()
        for one in self._engines.values():
            with one.connect() as first:
                first.exec_driver_sql("SELECT 1")

    def warm_up(self, play: Callable[[], None]) -> None:
        """Let everything be loaded and compiled once, ahead of the forks."""
        self.clone("sim_warm")
        self.connect("sim_warm")
        play()
        for one in self._engines.values():
            one.dispose()
        if BOARD.superuser is not None:
            BOARD.superuser.close()
        self.drop("sim_warm")

    def _make_engines(self) -> dict[str, Engine]:
        made = {role: engine(partial(self.stores.dsn, role)) for role in ROLES}
        for app, role in zip(self.apps, ("paydeck_web", "paydeck_worker"), strict=True):
            with app.app_context():
                engines = db.db.engines
                for old in engines.values():
                    old.dispose()
                engines[None] = made[role]  # type: ignore[index]
                engines["paydeck_admin"] = made["paydeck_admin"]  # type: ignore[index]
                engines["paydeck_owner"] = made["paydeck_owner"]  # type: ignore[index]
        return made

    def tidy(self, tables: str) -> None:
        """Clean up after many updates, as autovacuum would at its own moment."""
        BOARD.ask(f"VACUUM (ANALYZE) {tables}")


def quiet() -> None:
    """Say nothing of the thousands of faults that are meant to be."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _add_admins(stores: Stores) -> None:
    """Have two admins from the start, of whom one approves what the other asked for."""
    with superuser(stores, TEMPLATE) as template:
        template.execute("SET session_replication_role = replica")
        for number, admin in enumerate(ADMINS):
            template.execute(
                "INSERT INTO app_user (id, status, version, email_sealed, email_index, name_sealed,"
                " password_hash, is_admin, timezone, locale, created_at, password_changed_at)"
                " VALUES (%s, 'active', 1, 'x', %s, 'x', '$argon2id$x', true, 'UTC', 'en',"
                " now(), now())",
                (admin, f"admin {number}"),
            )
