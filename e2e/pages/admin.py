"""The admin's screens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect


@dataclass(frozen=True, slots=True)
class AdminPages:
    """Everything below /admin in one window."""

    page: Page

    def open(self, path: str, title: str) -> AdminPages:
        """Open one of the pages and wait for its title."""
        self.page.goto(path)
        expect(self.page.get_by_role("heading", level=1, name=title)).to_be_visible()
        return self

    @property
    def rows(self) -> Locator:
        """The rows of all tables, without their heads."""
        return self.page.locator("tbody tr")

    def find_person(self, email: str) -> None:
        """Find somebody by the whole address and open their page."""
        self.open("/admin/users", "People")
        search = self.page.get_by_role("searchbox", name="Find by exact e-mail")
        search.fill(email)
        search.press("Enter")
        expect(self.rows).to_have_count(1)
        self.rows.locator("a.row-link").click()
        expect(self.page.get_by_role("heading", name="Who looked and acted")).to_be_visible()

    def find_merchant(self, name: str) -> None:
        """Find a merchant by name and open its page."""
        self.open("/admin/merchants", "Merchants")
        search = self.page.get_by_role("searchbox")
        search.fill(name)
        search.press("Enter")
        self.rows.locator("a.row-link", has_text=name).click()
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()

    def act(self, button: str, because: str) -> None:
        """Suspend or restore what is open, for a reason."""
        form = self.page.locator("form", has=self.page.get_by_role("button", name=button))
        form.get_by_label("Why").fill(because)
        form.get_by_role("button", name=button).click()

    def expect_in_trail(self, what: str) -> None:
        """Fail unless the trail on the page has an act of this description."""
        trail = self.page.get_by_role("table", name=re.compile("^Audit trail"))
        expect(trail).to_contain_text(what)
