"""Opening an account, getting back in without the password, and signing browsers out."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import expect

from e2e.pages.account import AccountMenu, RegisterPage, SessionsPage
from e2e.pages.shopper import MailboxPage
from e2e.pages.sign_in import SignInPage
from e2e.windows import Windows

NAME = "Farid Haddad"
PASSWORD = "Copper-Meadow-63-Lantern"
NEW_PASSWORD = "Walnut-Ferry-18-Thistle"


def an_address() -> str:
    """An address that nobody has used."""
    return f"farid.{secrets.token_hex(4)}@guests.example"


@pytest.mark.requirement("S2-07", "S2-11")
def test_a_shopper_signs_up_confirms_the_address_by_mail_and_signs_in(windows: Windows) -> None:
    page = windows.page()
    email = an_address()
    register = RegisterPage(page)
    register.open_account(NAME, email, PASSWORD)
    link = register.confirm(email)
    page.goto(link)
    expect(page.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    SignInPage(page).sign_in(email, PASSWORD)
    expect(page.get_by_role("heading", name="Your payments and wallet")).to_be_visible()
    expect(page.get_by_text("Your wallet is empty")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_text("confirmed")).to_be_visible()


def test_who_has_not_confirmed_the_address_looks_around_and_can_have_the_link_again(
    windows: Windows,
) -> None:
    page = windows.page()
    email = an_address()
    RegisterPage(page).open_account(NAME, email, PASSWORD)
    SignInPage(page).sign_in(email, PASSWORD)
    expect(page.get_by_text("Confirm your e-mail address")).to_be_visible()
    page.goto("/wallet")
    page.get_by_label("Amount").fill("100")
    page.get_by_role("button", name="Continue to pay").click()
    expect(page.get_by_text("The wallet was not topped up")).to_be_visible()
    page.goto("/account")
    page.get_by_role("button", name="Send the link again").click()
    expect(page.get_by_text(f"A new link is on its way to {email}.")).to_be_visible()
    RegisterPage(page).confirm(email, mails=2)
    page.goto("/account")
    expect(page.get_by_role("button", name="Send the link again")).to_have_count(0)


def test_what_is_wrong_on_the_form_is_said_and_what_was_typed_stays(windows: Windows) -> None:
    page = windows.page()
    page.goto("/register")
    page.get_by_label("Your name").fill(NAME)
    page.get_by_label("E-mail address").fill("farid at home")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(2)
    expect(page.get_by_label("Your name")).to_have_value(NAME)
    expect(page.get_by_label("E-mail address")).to_have_value("farid at home")
    expect(page.get_by_label("Password")).to_have_value("")


def test_a_forgotten_password_is_replaced_and_every_browser_is_signed_out(
    windows: Windows,
) -> None:
    page = windows.page()
    email = an_address()
    RegisterPage(page).ready(NAME, email, PASSWORD)
    stranger = windows.page()
    SignInPage(stranger).ask_reset(email)
    MailboxPage(stranger).open_mail(email, "Choose a new password")
    MailboxPage(stranger).follow("/password/reset/")
    link = stranger.url
    stranger.get_by_label("New password").fill(NEW_PASSWORD)
    stranger.get_by_role("button", name="Set the password").click()
    expect(stranger.get_by_text("Your new password is set.")).to_be_visible()
    page.goto("/home")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    SignInPage(page).fill(email, PASSWORD)
    expect(page.get_by_text("You are not signed in")).to_be_visible()
    SignInPage(page).sign_in(email, NEW_PASSWORD)
    stranger.goto(link)
    expect(stranger.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    MailboxPage(stranger).open_mail(email, "Your password was changed")


def test_another_browser_is_seen_and_signed_out_from_this_one(windows: Windows) -> None:
    here, there = windows.page(), windows.page()
    email = an_address()
    RegisterPage(here).ready(NAME, email, PASSWORD)
    SignInPage(there).sign_in(email, PASSWORD)
    sessions = SessionsPage(here).open()
    expect(sessions.rows).to_have_count(2)
    sessions.others.get_by_role("button").click()
    expect(sessions.rows).to_have_count(1)
    expect(here.get_by_text("That browser is signed out.")).to_be_visible()
    there.goto("/home")
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible()
    AccountMenu(here).sign_out()
    here.go_back()
    here.reload()
    expect(here.get_by_role("heading", name="Sign in")).to_be_visible()
