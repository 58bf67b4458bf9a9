"""The checkout, and the provider's pages that it leads to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import FrameLocator, Locator, Page, expect

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
NO_FUNDS = "4000000000009995"
CHALLENGED = "4000002760003184"
CHALLENGED_SETUP = "4000002500003155"
PAYMENT_ID = re.compile(r"pay_[0-9A-Z]{26}")


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """One order's checkout in one window."""

    page: Page

    def open_demo(self) -> CheckoutPage:
        """Open a fresh order of ₹1,000.00."""
        self.page.goto("/demo/checkout")
        return self

    @property
    def stage(self) -> Locator:
        """The part of the page that changes."""
        return self.page.locator("#stage")

    @property
    def fields(self) -> FrameLocator:
        """The provider's own document inside the page."""
        return self.page.frame_locator("iframe[title^='Card details']")

    @property
    def card_number(self) -> Locator:
        """Where the number is typed."""
        return self.fields.get_by_label("Card number")

    @property
    def pay_button(self) -> Locator:
        """The one primary action."""
        return self.page.get_by_role("button", name=re.compile(r"^Pay "))

    def expect_stage(self, name: str) -> None:
        """Wait until the page shows the stage of this name."""
        expect(self.stage).to_have_attribute("data-stage", name)

    def expect_paid(self) -> None:
        """Wait for the end that everybody wants."""
        self.expect_stage("paid")
        expect(self.page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()

    def expect_declined(self, reason: str) -> None:
        """Wait for the banner; it gives the reason, the next step and where the money is."""
        banner = self.page.locator("#decline")
        expect(banner).to_contain_text("was declined")
        expect(banner).to_contain_text(reason)
        expect(banner).to_contain_text("No money has left your account.")

    def fill_card(self, number: str, *, cvc: str = "123", expiry: str = "12/34") -> None:
        """Type a card into the provider's own fields."""
        fields = self.fields
        fields.get_by_label("Name on card").fill("Asha Rao")
        fields.get_by_label("Card number").fill(number)
        fields.get_by_label("Expiry").fill(expiry)
        fields.get_by_label("Security code").fill(cvc)

    def pay_by_card(self, number: str) -> None:
        """Fill the card in and press the button once."""
        self.fill_card(number)
        self.pay_button.click()

    def pay_from_wallet(self) -> None:
        """Choose the wallet and press the button."""
        self.page.get_by_role("radio", name=re.compile("^Wallet")).check()
        self.pay_button.click()

    def order_number(self) -> str:
        """The number in the heading."""
        heading = self.page.get_by_role("heading", level=1).inner_text()
        found = re.search(r"#(\d+)", heading)
        assert found, heading
        return found.group(1)

    def payment_id(self) -> str:
        """The reference that a shopper can quote; known from the first try on."""
        content = self.page.content()
        found = PAYMENT_ID.search(content)
        assert found, "the page names no payment"
        return found.group(0)

    def open_receipt(self, number: str) -> None:
        """Follow the link to the receipt."""
        self.page.get_by_role("link", name="View the receipt").click()
        heading = self.page.get_by_role("heading", name=f"Receipt for Order #{number}")
        expect(heading).to_be_visible()


@dataclass(frozen=True, slots=True)
class ChallengePage:
    """The bank's page (3-D Secure), played by the sandbox."""

    page: Page

    def expect_open(self) -> None:
        """Wait until the window is at the bank."""
        expect(self.page.get_by_role("heading", name="Confirm your payment")).to_be_visible()

    def answer(self, how: str) -> None:
        """Press Complete or Fail."""
        self.expect_open()
        self.page.get_by_role("button", name=how, exact=True).click()


@dataclass(frozen=True, slots=True)
class HostedPage:
    """The provider's own payment page, for browsers without scripts."""

    page: Page

    def pay(self, number: str) -> None:
        """Fill the card in and pay."""
        expect(self.page.get_by_label("Card number")).to_be_visible()
        self.page.get_by_label("Name on card").fill("Asha Rao")
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_label("Expiry").fill("12/34")
        self.page.get_by_label("Security code").fill("123")
        self.page.get_by_role("button", name=re.compile(r"^Pay ")).click()
