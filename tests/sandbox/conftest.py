"""One sandbox for the whole run, emptied before every test, and ones that a test may kill."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

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


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Chromium from the machine when it has one, else Playwright's own."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    switches = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    switches += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    own = {"executable_path": found} if found else {}
    return {**browser_type_launch_args, **own, "args": switches}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a browser profile of its own."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
