"""One running copy for all journeys, and windows onto it that note whatever goes wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, StorageState, expect

from e2e.pages.sign_in import SignInPage
from e2e.provider import Provider
from e2e.windows import Opened, Windows
from supervisor.stack import Stack

PATIENCE_MS = 30_000
#: Nothing needs scrolling: a click right after it can land in the provider's frame, which is
#: drawn by another process and moves a moment later.
TALL = {"width": 1280, "height": 1400}
SEEDING_SECONDS = 240
#: A third of what it is otherwise, since the journeys of refunds wait for it.
UNDO_SECONDS = 10
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A whole copy with the demo data, or the running one whose folder E2E_DATA names."""
    expect.set_options(timeout=PATIENCE_MS)
    running = os.environ.get("E2E_DATA")
    if running:
        copy = Stack(Path(running))
        copy.url = copy.demo["portal"]
        yield copy
        return
    copy = Stack(env={"REFUND_UNDO_SECONDS": str(UNDO_SECONDS)})
    copy.start(SEEDING_SECONDS)
    yield copy
    copy.__exit__(None, None, None)


@pytest.fixture(scope="session")
def base_url(stack: Stack) -> str:
    """The portal's address, which every context starts from."""
    return stack.url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's own Chromium where there is one, and let it talk to nobody else."""
    named = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    own = {"executable_path": named} if Path(named).exists() else {}
    return {**browser_type_launch_args, "args": list(FLAGS), **own}


@pytest.fixture
def provider(stack: Stack) -> Iterator[Provider]:
    """The stand-in provider's control page; every fault is over after the test."""
    control = Provider(stack.demo["sandbox"])
    control.behave()
    yield control
    control.behave()


@pytest.fixture(scope="session")
def signed_in(browser: Browser, stack: Stack) -> Callable[[str], StorageState]:
    """Sign one of the demo people (shopper, merchant, admin) in once; their cookies."""
    kept: dict[str, StorageState] = {}

    def state_of(role: str) -> StorageState:
        if role not in kept:
            person = next(one for one in stack.demo["sign_ins"] if one["role"] == role)
            context = browser.new_context(base_url=stack.url)
            context.set_default_timeout(PATIENCE_MS)
            SignInPage(context.new_page()).sign_in(person["email"], person["password"])
            kept[role] = context.storage_state()
            context.close()
        return kept[role]

    return state_of


@pytest.fixture
def windows(
    new_context: Callable[..., BrowserContext],
    stack: Stack,
    signed_in: Callable[[str], StorageState],
) -> Iterator[Windows]:
    """Open windows; a console error or a breach of the content policy in one fails the test."""

    def context_for(role: str | None, options: dict[str, Any]) -> Opened:
        state = {"storage_state": signed_in(role)} if role else {}
        context = new_context(**{"viewport": TALL, **state, **options})
        context.set_default_timeout(PATIENCE_MS)
        return Opened(context, stack.url)

    opened = Windows(context_for)
    yield opened
    opened.assert_quiet()
