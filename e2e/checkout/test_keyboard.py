"""No mouse: orders are made and paid, and mistakes are mended, with the keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from e2e.keyboard import Keyboard
from e2e.pages.checkout import GOOD, NO_FUNDS, CheckoutPage
from e2e.pages.shopper import WalletPage
from e2e.provider import Provider
from e2e.windows import Windows

PRICE_MINOR = 1_000_00


def card_fields_are_there(page: Page) -> None:
    """Wait for the provider's frame, which comes after the page."""
    frame = page.frame_locator("iframe[title^='Card details']")
    expect(frame.get_by_label("Card number")).to_be_visible()


def type_card(keys: Keyboard, number: str) -> None:
    """Walk through the fields of the card and fill them."""
    for name, text in (
        ("Name on card", "Asha Rao"),
        ("Card number", number),
        ("Expiry", "1234"),
        ("Security code", "123"),
    ):
        keys.go_to(name)
        keys.press("Control+a")
        keys.write(text)


def test_an_order_is_paid_and_a_declined_card_replaced(
    windows: Windows, provider: Provider
) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    keys = Keyboard(checkout.page)
    card_fields_are_there(checkout.page)
    keys.press("Tab")
    assert keys.focused() == "Skip to the content"
    keys.press("Enter")
    keys.go_to("Card")
    type_card(keys, NO_FUNDS)
    keys.go_to("Pay ₹1,000.00")
    keys.press("Enter")
    checkout.expect_declined("The card does not have enough money available.")
    card_fields_are_there(checkout.page)
    type_card(keys, GOOD)
    keys.go_to("Pay ₹1,000.00")
    keys.press("Enter")
    checkout.expect_paid()
    provider.assert_one_charge(checkout.payment_id(), PRICE_MINOR)
    keys.go_to("View the receipt")
    keys.press("Enter")
    expect(checkout.page.get_by_role("heading", level=1)).to_contain_text("Receipt for Order #")


def test_a_mistake_in_the_card_leads_straight_to_its_field(windows: Windows) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    keys = Keyboard(checkout.page)
    card_fields_are_there(checkout.page)
    type_card(keys, "4242424242424241")
    keys.go_to("Pay ₹1,000.00")
    keys.press("Space")
    expect(checkout.page.locator("[data-error-summary]")).to_be_focused()
    keys.go_to("Check the card number")
    keys.press("Enter")
    number = checkout.page.frame_locator("iframe[title^='Card details']").get_by_label(
        "Card number"
    )
    expect(number).to_be_focused()
    keys.press("End")
    keys.press("Backspace")
    keys.write("2")
    keys.go_to("Pay ₹1,000.00")
    keys.press("Enter")
    checkout.expect_paid()


def test_the_arrows_choose_the_wallet_and_the_cards_fields_get_out_of_the_way(
    windows: Windows,
) -> None:
    shopper = windows.page("shopper")
    top_up = WalletPage(shopper).open().begin_top_up("1,000.00")
    top_up.pay_by_card(GOOD)
    top_up.expect_stage("paid")
    checkout = CheckoutPage(shopper).open_demo()
    keys = Keyboard(shopper)
    card_fields_are_there(shopper)
    keys.go_to("Card")
    keys.press("ArrowDown")
    assert keys.focused().startswith("Wallet")
    keys.press("Tab")
    assert keys.focused().startswith("Pay ₹1,000.00")
    keys.press("Enter")
    checkout.expect_paid()


def test_a_merchant_signs_in_makes_an_order_and_finds_it(windows: Windows) -> None:
    page = windows.page()
    page.goto("/sign-in")
    keys = Keyboard(page)
    keys.go_to("E-mail address")
    keys.write("merchant@paydeck.example")
    keys.go_to("Password")
    keys.write("Kettle-Harbour-42-Saffron")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    keys.go_to("New order")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1, name="New order")).to_be_visible()
    keys.go_to("Amount")
    keys.write("1000")
    keys.press("Enter")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Order #")
    number = heading.inner_text().strip().removeprefix("Order #")
    keys.press("/")
    assert keys.focused() == "Search orders"
    keys.write("nothing of the kind")
    keys.press("Escape")
    expect(page.get_by_role("searchbox", name="Search orders").first).to_have_value("")
    keys.write("no such order")
    keys.press("Enter")
    expect(page.get_by_text("No order matches")).to_be_visible()
    keys.press("/")
    keys.press("Escape", times=2)
    assert keys.focused() == "", "Escape leaves the search, so that the keys work again"
    keys.go_to("Orders")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Orders")).to_be_visible()
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    keys.press("j")
    keys.press("Enter")
    expect(heading).to_contain_text(number)
