"""Browser windows that remember what was said on the console and what was sent to the portal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError

#: What a browser writes by itself when an answer is not 2xx or a connection breaks.
NETWORK_NOISE = (
    "Failed to load resource",
    "WebSocket connection to",
    "net::ERR_",
)


class Opened:
    """One browser context onto the portal at `portal`, with its notes."""

    def __init__(self, context: BrowserContext, portal: str) -> None:
        self.context = context
        self.portal = portal
        self.complaints: list[str] = []
        self.noise: list[str] = []
        self.sent: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", self._fall)
        context.on("request", self._note)

    def page(self) -> Page:
        """A new page of this context."""
        return self.context.new_page()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        where = f"{message.page.url if message.page else '?'}: {message.text}"
        is_noise = any(sign in message.text for sign in NETWORK_NOISE)
        (self.noise if is_noise else self.complaints).append(where)

    def _fall(self, error: WebError) -> None:
        self.complaints.append(f"{error.page.url if error.page else '?'}: {error.error}")

    def _note(self, request: Request) -> None:
        if request.url.startswith(self.portal):
            body = (request.post_data_buffer or b"").decode(errors="replace")
            self.sent.append(f"{request.method} {request.url} {body}")


class Windows:
    """Opens contexts for a role (or nobody) and answers a page in each."""

    def __init__(self, make: Callable[[str | None, dict[str, Any]], Opened]) -> None:
        self._make = make
        self.opened: list[Opened] = []

    def context(self, role: str | None = None, **options: object) -> Opened:
        """A new browser with its own cookies, signed in as `role` when one is named."""
        opened = self._make(role, dict(options))
        self.opened.append(opened)
        return opened

    def page(self, role: str | None = None, **options: object) -> Page:
        """A page in a new browser."""
        return self.context(role, **options).page()

    @property
    def sent(self) -> list[str]:
        """Every request to the portal so far: method, address and body."""
        return [line for opened in self.opened for line in opened.sent]

    def assert_quiet(self) -> None:
        """Fail when any page complained on its console."""
        complaints = [line for opened in self.opened for line in opened.complaints]
        assert not complaints, complaints


def mark(page: Page) -> None:
    """Leave a mark in the document, which a reload would wipe out."""
    page.evaluate("() => { window.markOfTheTest = true; }")


def assert_never_reloaded(page: Page) -> None:
    """Fail when the document with the mark is gone."""
    assert page.evaluate("() => window.markOfTheTest === true"), f"{page.url} was reloaded"
