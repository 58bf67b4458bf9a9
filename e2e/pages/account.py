"""Opening an account, confirming its address, and its own pages."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from e2e.pages.shopper import MailboxPage
from e2e.pages.sign_in import SignInPage

_LOOKS = 60
_LOOK_EVERY_MS = 500


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """The sign-up form."""

    page: Page

    def open_account(self, name: str, email: str, password: str, *, shop: str = "") -> None:
        """Sign up, as a seller when a shop is named; waits for the word that a mail is out."""
        self.page.goto("/register?to=sell" if shop else "/register")
        if shop:
            self.page.get_by_label("Name of your shop").fill(shop)
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Create account").click()
        expect(self.page.get_by_role("heading", name="Check your mail")).to_be_visible()

    def confirm(self, email: str, *, mails: int = 1) -> str:
        """Confirm the address by the link in the last of `mails` mails; answers the link."""
        self.page.goto("/_mailbox")
        for _ in range(_LOOKS):
            if self.page.locator("li", has_text=email).count() >= mails:
                break
            self.page.wait_for_timeout(_LOOK_EVERY_MS)
            self.page.reload()
        MailboxPage(self.page).open_mail(email, "Confirm your e-mail address")
        MailboxPage(self.page).follow("/verify/")
        link = self.page.url
        self.page.get_by_role("button", name="Confirm the address").click()
        expect(self.page.get_by_text("Your e-mail address is confirmed.")).to_be_visible()
        return link

    def ready(self, name: str, email: str, password: str, *, shop: str = "") -> None:
        """Sign up, confirm and sign in."""
        self.open_account(name, email, password, shop=shop)
        self.confirm(email)
        SignInPage(self.page).sign_in(email, password)


@dataclass(frozen=True, slots=True)
class AccountMenu:
    """The menu behind one's initials."""

    page: Page

    def sign_out(self) -> None:
        """Open it and sign out."""
        menu = self.page.locator(".top details.menu", has_text="Account of")
        menu.locator("summary").click()
        menu.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_role("heading", name="Sign in")).to_be_visible()


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """The browsers that are signed in."""

    page: Page

    def open(self) -> SessionsPage:
        """Open it."""
        self.page.goto("/account/sessions")
        return self

    @property
    def rows(self) -> Locator:
        """A row a browser, without the head."""
        return self.page.locator("tbody tr")

    @property
    def others(self) -> Locator:
        """The rows of all browsers but this one."""
        return self.rows.filter(has_not_text="this browser")
