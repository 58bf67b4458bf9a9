"""An audit trail with deeds in it, on a database of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask

from supervisor.stores import Stores
from tests.books import SHOP, committed_portal, worker_of
from tests.portal import Committed
from webapp import audit
from webapp.kernel import clock, db
from webapp.outbox import Actor

DEEDS = 12


def do_deeds(number: int) -> None:
    """Record so many deeds in one transaction, a millisecond apart."""
    start = clock.now()
    with db.transaction():
        for deed in range(number):
            with clock.standing_at(start + dt.timedelta(milliseconds=deed)):
                _do(deed)


def _do(deed: int) -> None:
    audit.record(
        "order.cancelled",
        "order",
        f"ord_{deed}",
        by=Actor("merchant_user", "usr_1"),
        merchant_id=SHOP,
        livemode=False,
        data={"because": "Sold out.", "number": deed, "price": {"minor": 10 * deed}},
    )


@pytest.fixture
def trail(committed: Committed) -> Iterator[Committed]:
    """A sealed trail of twelve deeds; the test runs as a worker."""
    with worker_of(committed):
        do_deeds(DEEDS)
        assert audit.seal_pending() == DEEDS
        yield committed


@pytest.fixture
def held_trail(app: Flask) -> Iterator[None]:
    """The same inside one transaction that is rolled back."""
    with db.scoped(db.WORKER):
        do_deeds(DEEDS)
        assert audit.seal_pending() == DEEDS
        yield


@pytest.fixture(scope="module")
def shared_trail(stores: Stores) -> Iterator[Committed]:
    """A sealed trail that attacks leave as it is."""
    with committed_portal(stores) as portal:
        with worker_of(portal):
            do_deeds(DEEDS)
            audit.seal_pending()
        yield portal
        with worker_of(portal):
            assert audit.verify().ok
