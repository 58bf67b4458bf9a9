"""The live badge tells the truth, and a page that was away catches up without being reloaded."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.pages.checkout import GOOD, CheckoutPage
from e2e.pages.merchant import PaymentsPage, expect_live
from e2e.windows import Windows, assert_never_reloaded, mark
from supervisor.stack import Stack

BACK_MS = 60_000


@pytest.mark.requirement("S4-13")
def test_a_page_whose_socket_is_cut_says_so_and_catches_up(windows: Windows, stack: Stack) -> None:
    desk = PaymentsPage(windows.page("merchant")).open()
    badge = desk.page.locator("[data-live-badge]")
    mark(desk.page)
    old = stack.kill("socket")
    expect(badge).to_have_attribute("data-state", "offline")
    checkout = CheckoutPage(windows.page()).open_demo()
    number = checkout.order_number()
    checkout.pay_by_card(GOOD)
    checkout.expect_paid()
    stack.wait_until_back("socket", old)
    expect(badge).to_have_attribute("data-state", "live", timeout=BACK_MS)
    expect(desk.row(number)).to_contain_text("Paid")
    assert_never_reloaded(desk.page)


def test_a_page_without_network_says_so_and_catches_up(windows: Windows) -> None:
    opened = windows.context("merchant")
    desk = PaymentsPage(opened.page()).open()
    badge = desk.page.locator("[data-live-badge]")
    mark(desk.page)
    opened.context.set_offline(offline=True)
    expect(badge).to_have_attribute("data-state", "offline")
    expect(badge).to_have_text("Offline")
    checkout = CheckoutPage(windows.page()).open_demo()
    number = checkout.order_number()
    checkout.pay_by_card(GOOD)
    checkout.expect_paid()
    opened.context.set_offline(offline=False)
    expect(desk.row(number)).to_contain_text("Paid", timeout=BACK_MS)
    expect_live(desk.page)
    assert_never_reloaded(desk.page)


def test_a_checkout_whose_socket_never_comes_still_ends_by_asking(
    windows: Windows, stack: Stack
) -> None:
    opened = windows.context()
    opened.context.route(f"{stack.demo['socket']}/**", lambda route: route.abort())
    opened.context.route_web_socket("**/socket.io/**", lambda socket: socket.close())
    checkout = CheckoutPage(opened.page()).open_demo()
    checkout.pay_by_card(GOOD)
    checkout.expect_paid()
