"""The ledger on a database of its own, seen by a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.books import held_books, settle_in, worker_of
from tests.portal import Committed


@pytest.fixture
def held(app: Flask) -> Iterator[None]:
    """The same inside one transaction that is rolled back; the test runs as a worker."""
    with held_books():
        yield


@pytest.fixture
def books(committed: Committed) -> Committed:
    """A database with two people and two merchants; its own app is the web's."""
    settle_in(committed)
    return committed


@pytest.fixture
def worker(books: Committed) -> Iterator[Flask]:
    """A worker on that database, in whose context the test runs."""
    with worker_of(books) as app:
        yield app
