"""Every page and its error states: accessible, silent, narrow enough, and ours alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from e2e.pages.checkout import DECLINED, GOOD, CheckoutPage
from e2e.windows import Windows
from supervisor.settings import ROOT
from supervisor.stack import Stack

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Waits until what was just asked for is drawn: no colour is read in the middle of a change.
SETTLE = """
async () => {
  const drawn = () => new Promise(requestAnimationFrame);
  await drawn();
  await drawn();
  const ending = document.getAnimations()
    .filter(one => Number.isFinite(one.effect.getComputedTiming().endTime));
  const patience = new Promise(resolve => setTimeout(resolve, 4000));
  await Promise.race([Promise.allSettled(ending.map(one => one.finished)), patience]);
}
"""
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 1400}

Prepare = Callable[[Page], object]


@dataclass(frozen=True, slots=True)
class Shown:
    """A page in one state: who sees it, where it is, and what is done there first."""

    name: str
    role: str | None
    path: str
    prepare: Prepare | None = None
    status: int = 200


def first_row(page: Page) -> None:
    """Open what the first row of the list leads to."""
    page.locator("a.row-link").first.click()
    page.wait_for_load_state()


def prepare_correction(page: Page) -> None:
    """Open the newest transfer and see what undoing it would do."""
    first_row(page)
    page.get_by_role("link", name="Correct this transfer").click()
    page.wait_for_load_state()


def press(button: str) -> Prepare:
    """Send the form as it is."""
    return lambda page: page.get_by_role("button", name=button, exact=True).click()


def sign_in_wrongly(page: Page) -> None:
    """Give a password that is not right."""
    page.get_by_label("E-mail address").fill("nobody@guests.example")
    page.get_by_label("Password").fill("not-the-password-of-anyone")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()


def see_the_fields(page: Page) -> None:
    """Wait until the provider's fields are there."""
    expect(CheckoutPage(page).card_number).to_be_visible()


def be_declined(page: Page) -> None:
    """Try a card that the bank declines."""
    checkout = CheckoutPage(page)
    checkout.pay_by_card(DECLINED)
    checkout.expect_declined("Your bank declined the card")


def type_a_wrong_card(page: Page) -> None:
    """Leave the card's fields empty and pay."""
    checkout = CheckoutPage(page)
    checkout.fill_card("4242")
    checkout.pay_button.click()
    expect(page.locator("[data-error-summary]")).to_be_visible()


def be_paid(page: Page) -> None:
    """Pay."""
    checkout = CheckoutPage(page)
    checkout.pay_by_card(GOOD)
    checkout.expect_paid()


def see_the_receipt(page: Page) -> None:
    """Pay and open the receipt."""
    number = CheckoutPage(page).order_number()
    be_paid(page)
    CheckoutPage(page).open_receipt(number)


def open_the_panel(page: Page) -> None:
    """Open the refund panel of the newest paid payment."""
    first_row(page)
    page.get_by_role("link", name="Refund…").click()
    expect(page.get_by_role("heading", name="Refund this payment")).to_be_visible()


def refund_wrongly(page: Page) -> None:
    """Ask for more than is left."""
    open_the_panel(page)
    page.get_by_label("Amount to refund").fill("99,99,999.00")
    page.get_by_role("button", name="Refund").last.click()
    expect(page.locator("[data-error-summary]")).to_be_visible()


def open_first_of(queue: str) -> Prepare:
    """Open what the first row of a queue on the page leads to."""

    def prepare(page: Page) -> None:
        page.locator(f"section[aria-labelledby={queue}] a.row-link").first.click()
        page.wait_for_load_state()

    return prepare


def choose_events(page: Page) -> None:
    """Show every event, and the field for an address."""
    page.get_by_role("radio", name="My server").check()
    page.get_by_role("radio", name="Only those I choose").check()


def add_receiver(page: Page) -> None:
    """Have an endpoint with the demo's own receiver, the newest of the list."""
    page.goto("/merchant/developers/webhooks")
    if page.locator("a.row-link").count() == 0:
        page.goto("/merchant/developers/webhooks/new")
        page.get_by_role("button", name="Add the endpoint").click()
        page.get_by_role("link", name="I have copied it").click()
    else:
        first_row(page)


def send_a_test(page: Page) -> None:
    """Send a test event and see its delivery."""
    add_receiver(page)
    page.get_by_role("button", name="Send the test").click()
    expect(page.get_by_role("heading", name="Send it again")).to_be_visible()


def see_a_range(page: Page) -> None:
    """See what a range would send again."""
    add_receiver(page)
    page.get_by_role("link", name="Send a range again").click()
    expect(page.get_by_role("heading", name="Send a range again")).to_be_visible()


def see_received(page: Page) -> None:
    """See what the receiver got."""
    add_receiver(page)
    page.get_by_role("link", name="What it received").click()
    expect(page.get_by_role("heading", name="What the receiver got")).to_be_visible()


def open_the_event(page: Page) -> None:
    """See the event of a test."""
    send_a_test(page)
    page.locator("a[href*='/developers/events/evt_']").click()
    expect(page.get_by_role("heading", name="Payload")).to_be_visible()


ANYONE = [
    Shown("sign in", None, "/sign-in"),
    Shown("sign in refused", None, "/sign-in", sign_in_wrongly),
    Shown("sign up", None, "/register"),
    Shown("sign up refused", None, "/register", press("Create account")),
    Shown("forgotten password", None, "/password/forgot"),
    Shown("forgotten password refused", None, "/password/forgot", press("Send the link")),
    Shown("mailbox", None, "/_mailbox"),
    Shown("no such page", None, "/nothing-here", status=404),
    Shown("spent link", None, "/verify/nothing", status=410),
    Shown("parts", None, "/_parts"),
    Shown("codes of errors", None, "/docs/errors"),
    Shown("a code", None, "/docs/errors/key_reused"),
    Shown("declines", None, "/docs/declines"),
    Shown("payment link", None, "/pay/demo-gift-card"),
    Shown("no such payment link", None, "/pay/nothing-like-it", status=404),
]
CHECKOUT = [
    Shown("checkout", None, "/demo/checkout", see_the_fields),
    Shown("checkout with a wallet", "shopper", "/demo/checkout", see_the_fields),
    Shown("checkout with a wrong card", None, "/demo/checkout", type_a_wrong_card),
    Shown("checkout declined", None, "/demo/checkout", be_declined),
    Shown("checkout paid", None, "/demo/checkout", be_paid),
    Shown("receipt", "shopper", "/demo/checkout", see_the_receipt),
]
SHOPPER = [
    Shown("shopper's home", "shopper", "/home"),
    Shown("shopper's payments", "shopper", "/home/payments"),
    Shown("shopper's payment", "shopper", "/home/payments", first_row),
    Shown("wallet", "shopper", "/wallet"),
    Shown("wallet refused", "shopper", "/wallet", press("Continue to pay")),
    Shown("inbox", "shopper", "/inbox"),
    Shown("profile", "shopper", "/account"),
    Shown("e-mail address", "shopper", "/account/email"),
    Shown("password", "shopper", "/account/password"),
    Shown("password refused", "shopper", "/account/password", press("Change password")),
    Shown("browsers", "shopper", "/account/sessions"),
]
MERCHANT = [
    Shown("overview", "merchant", "/merchant"),
    Shown("orders", "merchant", "/merchant/orders"),
    Shown("no order matches", "merchant", "/merchant/orders?q=nothing-like-it"),
    Shown("order", "merchant", "/merchant/orders?status=pending", first_row),
    Shown("paid order", "merchant", "/merchant/orders?status=completed", first_row),
    Shown("new order", "merchant", "/merchant/orders/new"),
    Shown("new order refused", "merchant", "/merchant/orders/new", press("Create order")),
    Shown("payment links", "merchant", "/merchant/payment-links"),
    Shown("a payment link", "merchant", "/merchant/payment-links", first_row),
    Shown("new payment link", "merchant", "/merchant/payment-links/new"),
    Shown("payments", "merchant", "/merchant/payments"),
    Shown("no payment matches", "merchant", "/merchant/payments?q=nothing-like-it"),
    Shown("payment", "merchant", "/merchant/payments?status=captured", first_row),
    Shown("failed payment", "merchant", "/merchant/payments?status=failed", first_row),
    Shown("refund panel", "merchant", "/merchant/payments?status=paid", open_the_panel),
    Shown("refund refused", "merchant", "/merchant/payments?status=paid", refund_wrongly),
    Shown("refunds", "merchant", "/merchant/refunds"),
    Shown("no refund matches", "merchant", "/merchant/refunds?q=nothing-like-it"),
    Shown("refund", "merchant", "/merchant/refunds", first_row),
    Shown("attention", "merchant", "/merchant/attention"),
    Shown("keys", "merchant", "/merchant/developers/keys"),
    Shown("key", "merchant", "/merchant/developers/keys", first_row),
    Shown("new key", "merchant", "/merchant/developers/keys/new"),
    Shown("new key refused", "merchant", "/merchant/developers/keys/new", press("Create the key")),
    Shown("webhooks", "merchant", "/merchant/developers/webhooks"),
    Shown("new webhook", "merchant", "/merchant/developers/webhooks/new", choose_events),
    Shown("webhook", "merchant", "/merchant/developers/webhooks/new", add_receiver),
    Shown("delivery", "merchant", "/merchant/developers/webhooks/new", send_a_test),
    Shown("webhook range", "merchant", "/merchant/developers/webhooks/new", see_a_range),
    Shown("webhook received", "merchant", "/merchant/developers/webhooks/new", see_received),
    Shown("events", "merchant", "/merchant/developers/events"),
    Shown("event", "merchant", "/merchant/developers/webhooks/new", open_the_event),
    Shown("requests", "merchant", "/merchant/developers/requests"),
    Shown("test clock", "merchant", "/merchant/developers/test-clock"),
    Shown("guide", "merchant", "/merchant/developers/guide"),
    Shown("exam", "merchant", "/merchant/developers/exam"),
    Shown("held payment", "merchant", "/merchant/attention", open_first_of("held")),
    Shown("refund to approve", "merchant", "/merchant/attention", open_first_of("to-approve")),
    Shown("set aside", "merchant", "/merchant/attention", open_first_of("set-aside")),
]
ADMIN = [
    Shown("administration", "admin", "/admin"),
    Shown("merchants", "admin", "/admin/merchants"),
    Shown("merchant", "admin", "/admin/merchants", first_row),
    Shown("people", "admin", "/admin/users"),
    Shown("person", "admin", "/admin/users", first_row),
    Shown("all payments", "admin", "/admin/payments"),
    Shown("any payment", "admin", "/admin/payments", first_row),
    Shown("all refunds", "admin", "/admin/refunds"),
    Shown("any refund", "admin", "/admin/refunds", first_row),
    Shown("health", "admin", "/admin/health"),
    Shown("money checks", "admin", "/admin/invariants"),
    Shown("books", "admin", "/admin/books"),
    Shown("a transfer", "admin", "/admin/books", first_row),
    Shown("preparing a correction", "admin", "/admin/books", prepare_correction),
    Shown("corrections", "admin", "/admin/corrections"),
    Shown("a correction that waits", "admin", "/admin/corrections", first_row),
    Shown("audit trail", "admin", "/admin/audit"),
    Shown("money set aside", "admin", "/admin/anomalies"),
    Shown("one amount set aside", "admin", "/admin/anomalies", first_row),
    Shown("under way", "admin", "/admin/janitor"),
    Shown("dead letters", "admin", "/admin/dead-letters"),
    Shown("provider messages", "admin", "/admin/provider-events"),
]
PAGES = [*ANYONE, *CHECKOUT, *SHOPPER, *MERCHANT, *ADMIN]


def open_page(page: Page, shown: Shown) -> None:
    """Go there and bring the page into its state."""
    answer = page.goto(shown.path)
    assert answer is not None
    assert answer.status == shown.status, f"{shown.path}: {answer.status}"
    if shown.prepare:
        shown.prepare(page)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def axe_violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical in the page and its frames once all is drawn."""
    program = AXE.read_text()
    complaints = []
    for frame in page.frames:
        frame.evaluate(SETTLE)
        frame.evaluate(program)
        found: dict[str, Any] = frame.evaluate(
            "rules => axe.run(document, "
            "{runOnly: rules, resultTypes: ['violations'], iframes: false})",
            RULES,
        )
        complaints += [
            f"{one['id']}: {node['html'][:160]}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]
    return complaints


def foreign_sources(page: Page, portal: str) -> list[str]:
    """The origins of scripts and frames of the page that are not the portal's."""
    sources: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('script[src], iframe, object, embed')]"
        ".map(one => one.src || one.data || 'inline').concat("
        "[...document.scripts].filter(one => !one.src).map(() => 'inline'))"
    )
    frames = [frame.url for frame in page.frames[1:]]
    return sorted({origin(one) for one in [*sources, *frames]} - {portal})


def origin(address: str) -> str:
    """Scheme and place of an address; other words (inline, about:blank) stay as they are."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else address


def assert_fits(page: Page, width: int) -> None:
    """Fail when the page is wider than its window."""
    wide: int = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= width, f"{page.url} is {wide} px wide"


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_a_page_is_accessible_silent_fitting_and_of_our_own_origin(
    windows: Windows, stack: Stack, shown: Shown
) -> None:
    page = windows.page(shown.role, viewport=DESK, color_scheme="light")
    open_page(page, shown)
    is_checkout = page.url.startswith(f"{stack.url}/checkout/")
    allowed = {stack.demo["sandbox"]} if is_checkout else set()
    assert set(foreign_sources(page, stack.url)) <= allowed
    assert axe_violations(page) == [], "light, on a desk"
    assert_fits(page, DESK["width"])
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    assert axe_violations(page) == [], "dark, on a phone"
    assert_fits(page, PHONE["width"])


def test_light_and_dark_are_both_drawn(windows: Windows) -> None:
    page = windows.page()
    page.goto("/sign-in")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) != light
