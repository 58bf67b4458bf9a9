"""Fixtures: both kinds of process on one database, for races that several tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from supervisor.stores import Stores
from tests.books import committed_portal, worker_of
from tests.builders import a_merchant
from tests.races.racing import Race
from webapp.kernel import db


@pytest.fixture(scope="module")
def portals(stores: Stores) -> Iterator[tuple[Flask, Flask]]:
    """The web's portal and a worker's on one database."""
    with committed_portal(stores) as committed:
        web = committed.app
        with web.app_context(), worker_of(committed) as worker:
            yield web, worker


@pytest.fixture
def race(portals: tuple[Flask, Flask]) -> Iterator[Race]:
    """Both portals with a merchant of the test's own; the test itself runs in the web's."""
    web, worker = portals
    with web.app_context(), db.scoped(db.NOBODY):
        yield Race(web, worker, a_merchant())
        db.session.remove()
