"""Sign-in, sign-up and the forgotten password."""

from __future__ import annotations

from playwright.sync_api import Page, expect


class SignInPage:
    """The way in."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def sign_in(self, email: str, password: str) -> None:
        """Sign in and wait for the page behind it."""
        self.page.goto("/sign-in")
        self.fill(email, password)
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def fill(self, email: str, password: str) -> None:
        """Fill the form in and send it."""
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def register(self, name: str, email: str, password: str) -> None:
        """Create a shopper's account."""
        self.page.goto("/register")
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Create account").click()
        expect(self.page.get_by_role("heading", name="Check your mail")).to_be_visible()

    def ask_reset(self, email: str) -> None:
        """Ask for a link to a new password."""
        self.page.goto("/password/forgot")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_role("button", name="Send the link").click()
        expect(self.page.get_by_role("heading", name="Check your mail")).to_be_visible()
