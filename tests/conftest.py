"""Fixtures: stores, the portal in a savepoint (`app`, `client`), the portal with real commits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import create_engine

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests import cheap_passwords, compiled_rules
from tests.checked_client import CheckedClient
from tests.portal import Committed, cloned, dispose, environment, make_template
from webapp import config
from webapp.app import create_app
from webapp.kernel import db

compiled_rules.remember()
cheap_passwords.use()


@pytest.fixture(scope="session")
def stores() -> Iterator[Stores]:
    """Postgres and Valkey of this test process, with the migrated template in it."""
    with Stores(fsync=False) as running:
        make_template(running)
        yield running


@pytest.fixture(scope="session")
def portal(stores: Stores) -> Iterator[Flask]:
    """The portal whose tests are rolled back."""
    with cloned(stores) as database:
        app = create_app(config.read(environment(stores, database)), ROUTES)
        app.test_client_class = CheckedClient
        app.config["TESTING"] = False
        app.config["held_url"] = stores.url("postgres", database)
        yield app
        dispose(app)


@pytest.fixture
def app(portal: Flask) -> Iterator[Flask]:
    """The portal inside one transaction, which is rolled back after the test."""
    engine = create_engine(portal.config["held_url"])
    with portal.app_context(), engine.connect() as connection:
        outer = connection.begin()
        with db.held_connection(connection):
            db.use_scope(db.NOBODY)
            yield portal
            db.session.remove()
        outer.rollback()
    engine.dispose()


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    """A browser without JavaScript that checks every page it fetches."""
    return app.test_client()  # type: ignore[return-value]


@pytest.fixture
def committed(stores: Stores) -> Iterator[Committed]:
    """The portal on a database of its own, with real commits, roles and constraints."""
    with cloned(stores) as database:
        app = create_app(config.read(environment(stores, database)), ROUTES)
        app.test_client_class = CheckedClient
        with app.app_context():
            yield Committed(app, stores, database)
            db.session.remove()
        dispose(app)
