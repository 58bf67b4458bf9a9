"""The shopper's own screens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from e2e.pages.checkout import CheckoutPage
from e2e.pages.merchant import expect_live


@dataclass(frozen=True, slots=True)
class ShopperHome:
    """Wallet, messages and payments at a glance."""

    page: Page

    def open(self) -> ShopperHome:
        """Open it and wait until it is live."""
        self.page.goto("/home")
        expect_live(self.page)
        return self

    @property
    def messages(self) -> Locator:
        """The newest messages."""
        return self.page.locator("section[aria-labelledby=messages-heading]")

    @property
    def payments(self) -> Locator:
        """The newest payments."""
        return self.page.locator("section[aria-labelledby=payments-heading]")


@dataclass(frozen=True, slots=True)
class OwnPaymentPage:
    """One of the shopper's payments, with its refunds."""

    page: Page

    def open(self, payment_id: str) -> OwnPaymentPage:
        """Open it and wait until it is live."""
        self.page.goto(f"/home/payments/{payment_id}")
        expect_live(self.page)
        return self

    @property
    def refunds(self) -> Locator:
        """The refunds that have left."""
        return self.page.locator("#own-payment section[id^=row-re_]")


@dataclass(frozen=True, slots=True)
class InboxPage:
    """All messages."""

    page: Page

    def open(self) -> InboxPage:
        """Open it."""
        self.page.goto("/inbox")
        return self

    def message(self, text: str) -> Locator:
        """The message of exactly this text."""
        return self.page.get_by_text(text, exact=True)


@dataclass(frozen=True, slots=True)
class WalletPage:
    """Balance, history and the form to top up."""

    page: Page

    def open(self) -> WalletPage:
        """Open it."""
        self.page.goto("/wallet")
        return self

    def balance_minor(self, currency: str) -> int:
        """The balance shown, in minor units; 0 where there is no wallet yet."""
        tile = self.page.locator(".tile", has_text=f"{currency} wallet")
        if tile.count() == 0:
            return 0
        return int(re.sub(r"\D", "", tile.locator(".tile-value").inner_text()))

    def begin_top_up(self, amount: str, currency: str = "INR") -> CheckoutPage:
        """Order a top-up; answers its checkout."""
        self.page.get_by_label("Amount").fill(amount)
        self.page.get_by_label("Currency").select_option(currency)
        self.page.get_by_role("button", name="Continue to pay").click()
        expect(self.page.get_by_role("heading", name="Top up your wallet")).to_be_visible()
        return CheckoutPage(self.page)


@dataclass(frozen=True, slots=True)
class MailboxPage:
    """The demo mailbox."""

    page: Page

    def open_mail(self, to: str, subject: str) -> None:
        """Open the newest mail to an address; waits until it has been written."""
        mail = self.page.locator("li", has_text=to).filter(has_text=subject)

        def look() -> bool:
            self.page.goto("/_mailbox")
            return mail.count() > 0

        for _ in range(40):
            if look():
                break
            self.page.wait_for_timeout(500)
        mail.first.get_by_role("link").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(subject)

    def follow(self, part: str) -> None:
        """Follow the link in the open mail whose address holds `part`."""
        address = self.page.locator(f"article a[href*='{part}']").first.get_attribute("href")
        assert address
        self.page.goto(address)
