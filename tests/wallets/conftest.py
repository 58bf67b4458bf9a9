"""Wallets on a database of their own, seen by a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.books import settle_in, worker_of
from tests.portal import Committed
from webapp.kernel import wake


@pytest.fixture
def books(committed: Committed) -> Iterator[Committed]:
    """A database with two people and two merchants; the test runs as a worker."""
    settle_in(committed)
    with worker_of(committed):
        wake.client().flushdb()
        yield committed
