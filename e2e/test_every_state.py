"""States that only come about on the way, and every page that a link leads to."""

from __future__ import annotations

import re
import secrets
from collections import deque
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from e2e.pages.account import RegisterPage
from e2e.pages.admin import AdminPages
from e2e.pages.checkout import CHALLENGED, GOOD, ChallengePage, CheckoutPage
from e2e.pages.merchant import NewOrderPage
from e2e.pages.shopper import MailboxPage
from e2e.pages.sign_in import SignInPage
from e2e.provider import CONFIRM, Provider
from e2e.test_every_page import DESK, PHONE, assert_fits, axe_violations, foreign_sources
from e2e.windows import Windows
from supervisor.stack import Stack

PASSWORD = "Silver-Canal-84-Bramble"
#: Ids, numbers and signed parts of an address, which differ from page to page of one kind, and
#: the codes of refusals, each of which has a page.
PARTICULAR = re.compile(
    r"(?<=/)([a-z]+_[0-9A-Z]{26}|[\w.~=-]{24,})(?=/|$)|(?<=^/docs/errors/)[\w-]+$"
)
#: What the crawl must meet at least, so that it cannot pass by finding nothing.
KNOWN = {
    "shopper": {"/home", "/home/payments", "/wallet", "/inbox", "/account", "/receipt/*"},
    "merchant": {
        "/merchant",
        "/merchant/orders",
        "/merchant/orders/*",
        "/merchant/payments/*",
        "/merchant/refunds",
    },
    "admin": {"/admin", "/admin/users/*", "/admin/merchants/*", "/admin/payments/*"},
    None: {"/", "/register", "/sign-in", "/password/forgot"},
}
MOST_PAGES = 80


def inspect(page: Page, *, with_card_fields: bool = False) -> None:
    """Fail unless the page is accessible, fits and is of our origin; light and dark."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    parts = urlsplit(page.url)
    foreign = foreign_sources(page, f"{parts.scheme}://{parts.netloc}")
    assert len(foreign) == int(with_card_fields), foreign
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    assert axe_violations(page) == [], f"{page.url}, light"
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    assert axe_violations(page) == [], f"{page.url}, dark"
    assert_fits(page, PHONE["width"])
    page.set_viewport_size(DESK)


def an_address() -> str:
    """An address that nobody has used."""
    return f"mira.{secrets.token_hex(4)}@guests.example"


def test_a_checkout_that_waits_for_the_provider_or_the_bank(
    windows: Windows, provider: Provider
) -> None:
    checkout = CheckoutPage(windows.page()).open_demo()
    address = checkout.page.url
    checkout.pay_by_card(CHALLENGED)
    ChallengePage(checkout.page).expect_open()
    checkout.page.goto(address)
    checkout.expect_stage("action")
    inspect(checkout.page)
    checkout = CheckoutPage(windows.page()).open_demo()
    checkout.fill_card(GOOD)
    provider.fault("outage", endpoint=CONFIRM, times=0)
    checkout.pay_button.click()
    checkout.expect_stage("confirming")
    inspect(checkout.page)
    checkout.expect_stage("confirming")
    provider.behave()
    checkout.expect_paid()


def test_a_checkout_whose_link_or_order_has_ended(windows: Windows) -> None:
    order = NewOrderPage(windows.page("merchant")).create("1,000.00", description="Tea", email="")
    ended = order.link
    order.fresh_link()
    guest = CheckoutPage(windows.page())
    guest.page.goto(ended)
    guest.expect_stage("expired")
    inspect(guest.page)
    ended = order.link
    order.page.get_by_text("Cancel this order").click()
    order.page.get_by_role("button", name="Cancel order").click()
    expect(order.page.get_by_text("Cancelled").first).to_be_visible()
    inspect(order.page)
    guest.page.goto(ended)
    guest.expect_stage("closed")
    inspect(guest.page)


def test_the_pages_behind_the_links_in_mails(windows: Windows) -> None:
    page = windows.page()
    email = an_address()
    RegisterPage(page).open_account("Mira Ekström", email, PASSWORD)
    inspect(page)
    MailboxPage(page).open_mail(email, "Confirm your e-mail address")
    inspect(page)
    MailboxPage(page).follow("/verify/")
    inspect(page)
    SignInPage(page).ask_reset(email)
    inspect(page)
    MailboxPage(page).open_mail(email, "Choose a new password")
    MailboxPage(page).follow("/password/reset/")
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Set the password").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    inspect(page)
    SignInPage(page).sign_in(email, PASSWORD)
    expect(page.get_by_text("Your wallet is empty")).to_be_visible()
    inspect(page)
    page.goto("/account")
    inspect(page)
    page.get_by_label("Name").fill("")
    page.get_by_role("button", name="Save profile").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    inspect(page)


def test_the_empty_pages_of_a_new_seller(windows: Windows) -> None:
    page = windows.page()
    RegisterPage(page).ready("Mira Ekström", an_address(), PASSWORD, shop="Northern Wool")
    expect(page.get_by_text("Three steps to your first payment")).to_be_visible()
    inspect(page)
    for path, words in (
        ("/merchant/orders", "No orders yet"),
        ("/merchant/payments", "No payments yet"),
    ):
        page.goto(path)
        expect(page.get_by_text(words)).to_be_visible()
        inspect(page)


def test_what_is_refused_and_what_is_shown_on_record(windows: Windows, stack: Stack) -> None:
    shopper = windows.page("shopper")
    for path in ("/admin", "/merchant"):
        shopper.goto(path)
        inspect(shopper)
    shopper.goto("/wallet")
    shopper.context.clear_cookies(name=re.compile("_form$"))
    shopper.get_by_label("Amount").fill("100")
    shopper.get_by_role("button", name="Continue to pay").click()
    expect(shopper.get_by_label("Amount")).to_have_count(0)
    inspect(shopper)
    admin = AdminPages(windows.page("admin"))
    admin.find_person("shopper@paydeck.example")
    admin.page.get_by_role("button", name="Show name and address").click()
    expect(admin.page.locator("main")).to_contain_text("shopper@paydeck.example")
    inspect(admin.page)


def links_of(page: Page) -> list[str]:
    """Where the links of the page lead within the portal, without query and fragment."""
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('a[href]')]"
        ".filter(one => one.origin === location.origin).map(one => one.pathname)"
    )
    return [path for path in found if not path.endswith(".csv")]


@pytest.mark.parametrize(
    ("role", "start"),
    [("shopper", "/home"), ("merchant", "/merchant"), ("admin", "/admin"), (None, "/")],
)
def test_every_link_leads_to_a_page_that_fits_and_loads_nothing_foreign(
    windows: Windows, stack: Stack, role: str | None, start: str
) -> None:
    window = windows.context(role, viewport=PHONE)
    loaded: list[str] = []

    def note(request: Request) -> None:
        loaded.append(request.url)

    window.context.on("request", note)
    page = window.page()
    met: set[str] = set()
    waiting = deque([start])
    while waiting and len(met) < MOST_PAGES:
        path = waiting.popleft()
        kind = PARTICULAR.sub("*", path)
        if kind in met:
            continue
        met.add(kind)
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"
        if "/checkout/" not in page.url:
            assert foreign_sources(page, stack.url) == [], path
        assert_fits(page, PHONE["width"])
        waiting.extend(links_of(page))
    assert met >= KNOWN[role], met
    assert not waiting
    ours = (f"{stack.url}/", "data:", stack.demo["socket"], stack.demo["sandbox"])
    assert [address for address in loaded if not address.startswith(ours)] == []
