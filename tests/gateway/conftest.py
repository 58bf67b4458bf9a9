"""Fixtures: the sandbox process, the adapter on it, and a worker's portal with real commits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.gateway.working import make_applied_table
from tests.portal import cloned, dispose, environment
from tests.provider_process import SECRET_KEY, WEBHOOK_SECRET, Sandbox, running_sandbox
from webapp import config
from webapp.app import create_app
from webapp.gateway.stripe_adapter import StripeKeys, StripeProvider
from webapp.kernel import db


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of this folder."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, calm before and after the test."""
    sandbox_process.calm()
    yield sandbox_process
    sandbox_process.calm()


@pytest.fixture
def stripe(sandbox: Sandbox) -> StripeProvider:
    """The adapter, speaking to the sandbox."""
    return StripeProvider(
        StripeKeys(
            api_base=sandbox.origin,
            secret_key=SECRET_KEY,
            webhook_secrets=(WEBHOOK_SECRET,),
            livemode=False,
        )
    )


@dataclass(frozen=True)
class Worker:
    """A worker process's portal on a database of its own."""

    app: Flask
    stores: Stores
    database: str
    sandbox: Sandbox

    @property
    def environment(self) -> dict[str, str]:
        """The environment with which another process would be a worker beside this one."""
        return worker_environment(self.stores, self.database, self.sandbox)


def worker_environment(stores: Stores, database: str, sandbox: Sandbox) -> dict[str, str]:
    """Return a worker's environment: its own role, and the sandbox as the provider."""
    return {
        **environment(stores, database),
        "DATABASE_URL": stores.url("paydeck_worker", database),
        "PROVIDER_ORIGIN": sandbox.origin,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


@pytest.fixture
def worker(stores: Stores, sandbox: Sandbox) -> Iterator[Worker]:
    """A worker with real commits, whose provider is the sandbox."""
    with cloned(stores) as database:
        settings = config.read(worker_environment(stores, database, sandbox))
        app = create_app(settings, ROUTES)
        with app.app_context():
            make_applied_table()
            yield Worker(app, stores, database, sandbox)
            db.session.remove()
        dispose(app)
