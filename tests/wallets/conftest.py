"""Wallets on a database of their own, seen by a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.books import held_books, settle_in, worker_of
from tests.portal import Committed
from webapp.kernel import wake


@pytest.fixture
def books(committed: Committed) -> Iterator[Committed]:
    """A database with two people and two merchants; the test runs as a worker."""
    settle_in(committed)
    with worker_of(committed):
        wake.client().flushdb()
        yield committed


@pytest.fixture
def held(app: Flask) -> Iterator[None]:
    """The same inside one transaction that is rolled back; the test runs as a worker."""
    with held_books():
        wake.client().flushdb()
        yield
