"""Fixtures: a worker's portal whose facts go to the bus, and how a story of one object is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jobs.bus.telling_all import Bus
from tests.jobs.working import Ground
from webapp.kernel import wake

# The fixture of the folder above, on whose database everything here happens.


@pytest.fixture
def bus(ground: Ground) -> Iterator[Bus]:
    """The bus on a database and a Valkey of this test's own."""
    wake.client().flushall()
    yield Bus(ground)
    wake.client().flushall()
