"""The screens for a merchant's developers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

TOKEN = re.compile(r"^(sk|pk)_test_[A-Za-z0-9_-]{43}$")


@dataclass(frozen=True, slots=True)
class KeysPage:
    """The list of API keys."""

    page: Page

    def open(self) -> KeysPage:
        """Go there by the navigation."""
        self.page.goto("/merchant")
        self.page.get_by_role("link", name="Developers").first.click()
        expect(self.page.get_by_role("heading", level=1, name="API keys")).to_be_visible()
        return self

    def row(self, name: str) -> Locator:
        """The row of a key."""
        return self.page.get_by_role("row", name=re.compile(re.escape(name)))

    def create(self, name: str) -> ShownKey:
        """Make a secret key that may do everything; answers the page with its text."""
        self.page.get_by_role("link", name="Create a key").click()
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Create the key").click()
        return ShownKey(self.page).seen()

    def create_restricted(self, name: str, **scopes: str) -> ShownKey:
        """Make a secret key that may do only what is named, such as `Orders="Read"`."""
        self.page.get_by_role("link", name="Create a key").click()
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("radio", name="Only what I choose").check()
        for label, act in scopes.items():
            self.page.get_by_label(label, exact=True).select_option(label=act)
        self.page.get_by_role("button", name="Create the key").click()
        return ShownKey(self.page).seen()

    def open_key(self, name: str) -> KeyPage:
        """Open a key of the list."""
        self.page.get_by_role("link", name=name, exact=True).click()
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()
        return KeyPage(self.page)


@dataclass(frozen=True, slots=True)
class ShownKey:
    """The page that shows a new key's text, once."""

    page: Page

    def seen(self) -> ShownKey:
        """Wait for it."""
        expect(self.page.get_by_role("heading", level=1, name="Your new key")).to_be_visible()
        return self

    @property
    def token(self) -> str:
        """The text."""
        text = self.page.locator(".key-text .copyable-value").inner_text()
        assert TOKEN.fullmatch(text), text
        return text

    @property
    def copy_button(self) -> Locator:
        """The button that copies it."""
        return self.page.get_by_role("button", name="Copy the key")


@dataclass(frozen=True, slots=True)
class KeyPage:
    """One key."""

    page: Page

    def roll(self, old_ends: str) -> ShownKey:
        """Put a new key in its place."""
        self.page.get_by_label("The old key ends").select_option(label=old_ends)
        self.page.get_by_role("button", name="Roll the key").click()
        return ShownKey(self.page).seen()

    def revoke(self) -> None:
        """End it for good."""
        self.page.locator("summary", has_text="Revoke").click()
        self.page.get_by_role("button", name="Revoke for good").click()


@dataclass(frozen=True, slots=True)
class HookPage:
    """One webhook endpoint, with its lab."""

    page: Page

    def add_receiver(self, description: str) -> HookPage:
        """Add an endpoint with the demo's own receiver, and leave the page with its secret."""
        self.page.goto("/merchant/developers/webhooks")
        self.page.get_by_role("link", name="Add an endpoint").first.click()
        self.page.get_by_role("radio", name="The built-in receiver").check()
        self.page.get_by_label("Description").fill(description)
        self.page.get_by_role("button", name="Add the endpoint").click()
        secret = self.page.locator(".key-text .copyable-value")
        expect(secret).to_have_text(re.compile(r"^whsec_"))
        self.page.get_by_role("link", name="I have copied it").click()
        return self

    def delivery(self, event: str, subject: str) -> Locator:
        """The newest row of an event about an object."""
        rows = self.page.get_by_role("row").filter(has_text=event).filter(has_text=subject)
        return rows.first

    def remove(self) -> None:
        """Take it away again."""
        self.page.locator("summary", has_text="Remove this endpoint").click()
        self.page.get_by_role("button", name="Remove for good").click()
        expect(self.page.get_by_text("The endpoint was removed.")).to_be_visible()
