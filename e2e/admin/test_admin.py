"""The admin's work: finding people and merchants, looking on record, and proving the books."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import Page, expect

from e2e.pages.account import RegisterPage
from e2e.pages.admin import AdminPages
from e2e.pages.checkout import GOOD, CheckoutPage
from e2e.pages.merchant import NewOrderPage
from e2e.pages.sign_in import SignInPage
from e2e.windows import Windows

PASSWORD = "Pewter-Garden-29-Falcon"
DEPENDENCIES = ("database", "redis")


def a_person(page: Page, *, shop: str = "") -> str:
    """Sign somebody new up in this window; answers their address."""
    email = f"noor.{secrets.token_hex(4)}@guests.example"
    RegisterPage(page).ready("Noor Rahman", email, PASSWORD, shop=shop)
    return email


def test_a_persons_address_is_masked_until_somebody_asks_and_that_is_written_down(
    windows: Windows,
) -> None:
    email = a_person(windows.page())
    admin = AdminPages(windows.page("admin"))
    admin.find_person(email)
    about = admin.page.locator("section[aria-labelledby=about]")
    assert email not in admin.page.locator("main").inner_text()
    expect(about).to_contain_text("@guests.example")
    expect(admin.page.locator("main")).not_to_contain_text("Personal data shown")
    admin.page.get_by_role("button", name="Show name and address").click()
    expect(about).to_contain_text(email)
    expect(admin.page.get_by_role("heading", level=1, name="Noor Rahman")).to_be_visible()
    admin.expect_in_trail("Personal data shown")
    admin.page.goto(admin.page.url.removesuffix("/unmask"))
    assert email not in admin.page.locator("main").inner_text()
    admin.open("/admin/audit", "Audit trail")
    admin.expect_in_trail("Personal data shown")
    expect(admin.page.get_by_text("The trail is whole")).to_be_visible()


def test_a_suspended_person_is_signed_out_and_comes_back_when_restored(windows: Windows) -> None:
    shopper = windows.page()
    email = a_person(shopper)
    admin = AdminPages(windows.page("admin"))
    admin.find_person(email)
    admin.act("Suspend account", "Asked us to close it")
    expect(admin.page.get_by_text("The account is suspended")).to_be_visible()
    admin.expect_in_trail("Asked us to close it")
    shopper.goto("/home")
    expect(shopper.get_by_role("heading", name="Sign in")).to_be_visible()
    SignInPage(shopper).fill(email, PASSWORD)
    expect(shopper.locator("[data-error-summary]")).to_contain_text("suspended")
    admin.act("Restore account", "Asked us to open it again")
    expect(admin.page.get_by_text("The account is open again.")).to_be_visible()
    SignInPage(shopper).sign_in(email, PASSWORD)
    expect(shopper.get_by_role("heading", name="Your payments and wallet")).to_be_visible()


def test_a_suspended_merchant_takes_no_new_payment_until_it_is_restored(windows: Windows) -> None:
    seller = windows.page()
    shop = f"Blue Kite {secrets.token_hex(3)}"
    a_person(seller, shop=shop)
    order = NewOrderPage(seller).create("1,000.00", description="Kite", email="")
    guest = CheckoutPage(windows.page())
    guest.page.goto(order.link)
    guest.expect_stage("pay")
    admin = AdminPages(windows.page("admin"))
    admin.find_merchant(shop)
    admin.act("Suspend merchant", "Sells what it may not")
    expect(admin.page.get_by_text("The merchant is suspended.")).to_be_visible()
    guest.pay_by_card(GOOD)
    expect(guest.page.locator("[data-error-summary]")).to_contain_text("No money has moved.")
    admin.act("Restore merchant", "It was a mistake")
    expect(admin.page.get_by_text("The merchant can sell again.")).to_be_visible()
    guest.page.goto(order.link)
    guest.pay_by_card(GOOD)
    guest.expect_paid()
    admin.page.reload()
    admin.expect_in_trail("It was a mistake")
    payments = admin.page.get_by_role("table", name="Payments")
    expect(payments).to_contain_text(f"#{order.number}")
    payments.locator("a.row-link").first.click()
    heading = admin.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"Payment of Order #{order.number}")


def test_everything_answers_and_the_books_are_sound(windows: Windows) -> None:
    admin = AdminPages(windows.page("admin"))
    admin.open("/admin", "Administration")
    expect(admin.rows.first).to_be_visible()
    admin.open("/admin/health", "System health")
    expect(admin.page.get_by_text("Everything answers")).to_be_visible()
    dependencies = admin.page.get_by_role("table", name="Dependencies")
    for name in DEPENDENCIES:
        expect(dependencies).to_contain_text(name)
    processes = admin.page.get_by_role("table", name="Processes")
    expect(processes.get_by_text("Working")).not_to_have_count(0)
    admin.open("/admin/books", "The books")
    expect(admin.page.get_by_role("table", name="Transfers")).to_be_visible()
    admin.open("/admin/invariants", "Money checks")
    expect(admin.page.get_by_text("checks hold")).to_be_visible()
    admin.open("/admin/anomalies", "")


@pytest.mark.requirement("S2-77")
def test_nobody_but_an_admin_gets_in(windows: Windows) -> None:
    for role in ("shopper", "merchant"):
        page = windows.page(role)
        for path in ("/admin", "/admin/users", "/admin/books", "/admin/audit"):
            answer = page.goto(path)
            assert answer is not None
            assert answer.status in {403, 404}
    stranger = windows.page()
    stranger.goto("/admin/users")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
