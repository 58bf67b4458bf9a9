"""A sandbox of the contract tests' own, without webhooks."""

from collections.abc import Iterator

import pytest

from tests.sandbox.running import RunningSandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """One sandbox for all shapes."""
    running = RunningSandbox(tmp_path_factory.mktemp("contract")).start()
    yield running
    running.stop()
