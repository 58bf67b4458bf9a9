"""One sandbox for the whole run, emptied before every test, and ones that a test may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.running import Receiver, RunningSandbox


@pytest.fixture(scope="session")
def _receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def _running(
    _receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    running = RunningSandbox(folder, SANDBOX_WEBHOOK_URL=_receiver.url).start()
    yield running
    running.stop()


@pytest.fixture
def sandbox(_running: RunningSandbox, receiver: Receiver) -> RunningSandbox:
    """An empty sandbox that delivers its webhooks to `receiver`."""
    return _running


@pytest.fixture
def receiver(_running: RunningSandbox, _receiver: Receiver) -> Receiver:
    """The receiver of the sandbox's webhooks, with nothing received yet."""
    _running.control("reset")
    _receiver.clear()
    return _receiver


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RunningSandbox]:
    """A sandbox of the test's own, that it may kill and start again."""
    running = RunningSandbox(tmp_path).start()
    yield running
    running.stop()
