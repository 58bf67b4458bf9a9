"""The merchant's screens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect


@dataclass(frozen=True, slots=True)
class HomePage:
    """Today's figures and the newest payments."""

    page: Page

    def open(self) -> HomePage:
        """Open it and wait until it is live."""
        self.page.goto("/merchant")
        expect_live(self.page)
        return self

    def tile(self, label: str) -> Locator:
        """The value of a figure."""
        tile = self.page.locator(".tile", has_text=label)
        return tile.locator(".tile-value")

    def payments_today(self) -> int:
        """How many payments the tile counts."""
        return int(self.tile("Payments today").inner_text().replace(",", ""))

    def volume_today(self) -> str:
        """The sum as it is shown."""
        return self.tile("Volume today").inner_text()


@dataclass(frozen=True, slots=True)
class NewOrderPage:
    """The form that makes an order."""

    page: Page

    def create(
        self, amount: str, *, description: str, email: str, take_later: bool = False
    ) -> OrderPage:
        """Fill it in; answers the order's page."""
        self.page.goto("/merchant/orders/new")
        self.page.get_by_label("Amount").fill(amount)
        self.page.get_by_label("What it is for").fill(description)
        self.page.get_by_label("Customer’s e-mail address").fill(email)
        self.page.get_by_label("Take the money later").set_checked(take_later)
        self.page.get_by_role("button", name="Create order").click()
        heading = self.page.get_by_role("heading", level=1, name=re.compile(r"^Order #\d+"))
        expect(heading).to_be_visible()
        return OrderPage(self.page)


@dataclass(frozen=True, slots=True)
class NewPaymentLinkPage:
    """The form that makes a payment link."""

    page: Page

    def create(self, amount: str, *, description: str, max_payments: str) -> PaymentLinkPage:
        """Fill it in; answers the link's page."""
        self.page.goto("/merchant/payment-links")
        self.page.get_by_role("link", name="New payment link").click()
        self.page.get_by_label("What it is for").fill(description)
        self.page.get_by_label("Amount").fill(amount)
        self.page.get_by_label("Number of payments").fill(max_payments)
        self.page.get_by_role("button", name="Make link").click()
        expect(self.page.get_by_role("heading", level=1, name=description)).to_be_visible()
        expect_live(self.page)
        return PaymentLinkPage(self.page)


@dataclass(frozen=True, slots=True)
class PaymentLinkPage:
    """One payment link: its address, how often it was paid, its orders."""

    page: Page

    @property
    def address(self) -> str:
        """What the merchant shares."""
        address = self.page.get_by_role("link", name="Open its page").get_attribute("href")
        assert address
        return address

    @property
    def paid(self) -> Locator:
        """How often it was paid."""
        return self.page.locator("#payment-link dt:has-text('Paid') + dd")


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One order: its link, its payments, its story."""

    page: Page

    @property
    def number(self) -> str:
        """The number, as shoppers see it."""
        return (
            self.page.get_by_role("heading", level=1).inner_text().strip().removeprefix("Order #")
        )

    @property
    def link(self) -> str:
        """The checkout link that can be sent to a shopper."""
        address = self.page.get_by_role("link", name="Open checkout").get_attribute("href")
        assert address
        return address

    def fresh_link(self) -> None:
        """Make another link, which ends the one before."""
        before = self.link
        self.page.get_by_role("button", name="Fresh link").click()
        link = self.page.get_by_role("link", name="Open checkout")
        expect(link).not_to_have_attribute("href", before)


@dataclass(frozen=True, slots=True)
class PaymentsPage:
    """The list of payments."""

    page: Page

    def open(self) -> PaymentsPage:
        """Open it and wait until it is live."""
        self.page.goto("/merchant/payments")
        expect_live(self.page)
        return self

    def row(self, number: str) -> Locator:
        """The row of the payment for order `number`."""
        return self.page.get_by_role("row").filter(
            has=self.page.get_by_role("link", name=f"#{number}", exact=True)
        )

    def address_of(self, number: str) -> str:
        """The address of that payment's own page."""
        address = self.row(number).locator("a.row-link").get_attribute("href")
        assert address
        return address


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """One payment."""

    page: Page

    def open(self, address: str) -> PaymentPage:
        """Open it and wait until it is live."""
        self.page.goto(address)
        expect_live(self.page)
        return self

    @property
    def status(self) -> Locator:
        """The pill beside the amount."""
        return self.page.locator("section[aria-labelledby=payment-amount] .pill").first

    @property
    def story(self) -> Locator:
        """What happened."""
        return self.page.locator("section[aria-labelledby=history]")

    @property
    def money(self) -> Locator:
        """The breakdown from the ledger."""
        return self.page.locator("section[aria-labelledby=money]")

    @property
    def refunds(self) -> Locator:
        """The payment's refunds, newest first."""
        return self.page.locator("section[aria-labelledby=refunds] tbody")

    @property
    def hold(self) -> Locator:
        """The money that the bank holds, and what can be done with it."""
        return self.page.locator("#hold")

    def take(self, amount: str) -> None:
        """Take so much of the held money."""
        self.page.get_by_label("Amount to take").fill(amount)
        self.page.get_by_role("button", name="Take the money").click()

    def open_refund(self) -> RefundPanel:
        """Open the refund panel on this page."""
        self.page.get_by_role("link", name="Refund…").click()
        expect(self.page.get_by_role("heading", name="Refund this payment")).to_be_visible()
        return RefundPanel(self.page)

    def undo(self) -> None:
        """Call the newest refund off."""
        self.refunds.get_by_role("button", name="Undo").first.click()


@dataclass(frozen=True, slots=True)
class RefundPanel:
    """The form that refunds a payment, with what it will do beside it."""

    page: Page

    @property
    def amount(self) -> Locator:
        """What is to go back."""
        return self.page.get_by_label("Amount to refund")

    @property
    def preview(self) -> Locator:
        """What will happen."""
        return self.page.locator("#refund-preview")

    def fill(self, amount: str, *, reason: str = "The customer asked for it") -> None:
        """Type the amount and choose a reason."""
        self.amount.fill(amount)
        self.page.get_by_label("Reason").select_option(label=reason)

    def look(self) -> None:
        """Ask without a script what will happen."""
        self.page.get_by_role("button", name="See what will happen").click()

    def send(self) -> None:
        """Press the one button."""
        self.page.get_by_role("button", name=re.compile("^Refund( |$)")).click()
        expect(self.page.get_by_role("heading", name="Refund this payment")).to_be_hidden()


def expect_live(page: Page) -> None:
    """Wait until the badge says that the page is live."""
    expect(page.locator("[data-live-badge]")).to_have_attribute("data-state", "live")
