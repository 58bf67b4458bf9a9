"""Fixtures: a worker process's portal on a database of its own, as the jobs stand on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs import context
from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.jobs.working import Ground
from tests.portal import Committed, cloned, dispose
from webapp.app import create_app
from webapp.kernel import clock


@pytest.fixture
def ground(stores: Stores) -> Iterator[Ground]:
    """A worker's portal with real commits, as `jobs.context` makes it."""
    with cloned(stores) as database:
        settings = Committed(None, stores, database).as_worker()  # type: ignore[arg-type]
        app = create_app(settings, ROUTES)
        process = context.Process("test", settings, app, clock.now().timestamp())
        context.put(process)
        yield Ground(app, stores, database, process)
        dispose(app)
