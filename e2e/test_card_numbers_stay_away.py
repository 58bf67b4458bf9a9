"""Card numbers are typed, paid with, and found nowhere but at the provider."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import expect

from e2e.pages.checkout import (
    CHALLENGED,
    DECLINED,
    GOOD,
    ChallengePage,
    CheckoutPage,
    HostedPage,
)
from e2e.pages.merchant import NewOrderPage
from e2e.traces import pattern_of, places_of
from e2e.windows import Windows
from supervisor.stack import Stack

MISPLACED = "5200828282828210"


@pytest.mark.requirement("S4-04", "S4-41")
def test_a_card_number_reaches_the_provider_alone(windows: Windows, stack: Stack) -> None:
    canary = f"canary {secrets.token_hex(8)}"
    order = NewOrderPage(windows.page("merchant")).create("1,000.00", description=canary, email="")
    checkout = CheckoutPage(windows.page())
    checkout.page.goto(order.link)
    checkout.pay_by_card(DECLINED)
    checkout.expect_declined("Your bank declined the card")
    checkout.pay_by_card(CHALLENGED)
    ChallengePage(checkout.page).answer("Complete")
    checkout.expect_paid()
    hosted = CheckoutPage(windows.page(java_script_enabled=False)).open_demo()
    hosted.pay_button.click()
    card = hosted.page.get_by_label("Card number")
    onward = hosted.page.get_by_role("link", name="Continue", exact=True)
    expect(card.or_(onward).first).to_be_visible()
    if onward.is_visible():
        onward.click()
    HostedPage(hosted.page).pay(GOOD)
    hosted.expect_paid()

    numbers = (DECLINED, CHALLENGED, GOOD)
    assert any(canary.replace(" ", "+") in line for line in windows.sent)
    wanted = "|".join(pattern_of(number) for number in numbers)
    assert [line for line in windows.sent if re.search(wanted, line)] == []
    kinds = {place.split()[0] for place in places_of(stack, canary)}
    assert kinds >= {"file", "table"}, "the search finds what is there"
    assert places_of(stack, *numbers) == []


@pytest.mark.requirement("S4-41")
def test_a_card_number_typed_where_it_does_not_belong_is_refused_and_kept_nowhere(
    windows: Windows, stack: Stack
) -> None:
    desk = windows.page("merchant")
    desk.goto("/merchant/orders/new")
    desk.get_by_label("Amount").fill("10.00")
    desk.get_by_label("What it is for").fill(f"card {MISPLACED}")
    desk.get_by_role("button", name="Create order").click()
    expect(desk.locator("[data-error-summary]")).to_contain_text("card number")
    stranger = windows.page()
    stranger.goto("/register")
    stranger.get_by_label("Your name").fill(MISPLACED)
    stranger.get_by_label("E-mail address").fill(f"x.{secrets.token_hex(4)}@guests.example")
    stranger.get_by_label("Password").fill("Copper-Meadow-63-Lantern")
    stranger.get_by_role("button", name="Create account").click()
    expect(stranger.locator("[data-error-summary]")).to_contain_text("card number")
    assert places_of(stack, MISPLACED) == []
