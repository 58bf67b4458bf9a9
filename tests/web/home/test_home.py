"""The shopper's own pages: what is theirs, nothing else, and the top-up form's refusals."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import (
    SHOPPER,
    Someone,
    a_checkout,
    a_merchant,
    a_person,
    answered,
    browser_of,
    card_tried,
    declined,
    inr,
    money_in_wallet,
    succeeded,
    wallet_tried,
)
from tests.checked_client import CheckedClient, Page
from tests.refunds.builders import asked, bounced, paid_out, released, sent, told
from tests.stories import scalar
from webapp import payments, wallets
from webapp.gateway import Outcome, Result
from webapp.kernel import db, ids
from webapp.kernel.money import MAX_MINOR, Money
from webapp.outbox import Actor

PAGES = ("/home", "/home/now", "/home/payments", "/wallet", "/inbox")


@pytest.fixture
def asha(app: Flask) -> Someone:
    """A shopper."""
    return a_person("Asha Raman")


@pytest.fixture
def phone(app: Flask, asha: Someone) -> CheckedClient:
    """The shopper's browser."""
    return browser_of(app, asha)


@pytest.mark.parametrize("path", [*PAGES, "/home/payments/pay_1"])
def test_who_is_not_signed_in_is_led_to_sign_in_and_back(client: CheckedClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 303
    assert response.location.startswith(("/sign-in?next=/", "/sign-in?next=%2F"))


@pytest.mark.parametrize("path", ["/wallet/top-up", "/inbox/read"])
def test_a_form_of_somebody_who_is_not_signed_in_changes_nothing(
    client: CheckedClient, path: str
) -> None:
    token = client.page("/sign-in").form("/sign-in").fields["csrf_token"]
    given = {"csrf_token": token, "amount": "100", "currency": "INR"}
    response = client.post(path, data=given)
    assert (response.status_code, response.location) == (303, "/sign-in")
    assert scalar("SELECT count(*) FROM shop_order") == 0


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_with_nothing_in_it_yet(phone: CheckedClient, path: str) -> None:
    headers = {"X-Fragment": "1"} if path.endswith("/now") else {}
    assert phone.get(path, headers=headers).status_code == 200


@pytest.mark.requirement("S3-11")
def test_payments_are_told_in_a_line_each(app: Flask, asha: Someone) -> None:
    shop = a_merchant()
    money_in_wallet(asha, inr(5_000_00))
    wallet_tried(a_checkout(shop, inr(1_000_00)), asha)
    answered(card_tried(a_checkout(shop, inr(500_50)), payer=asha.payer), succeeded(inr(500_50)))
    answered(card_tried(a_checkout(shop), "pm_1", payer=asha.payer), declined("pm_1"))
    phone = browser_of(app, asha)
    for path in ("/home", "/home/payments"):
        said = phone.page(path).text
        assert "₹1,000 paid for Order #1001" in said
        assert "₹500.50 paid for Order #1002" in said
        assert "Lotus Tea House" in said
        assert "Declined, try again" in said


def test_a_paid_payment_leads_to_its_receipt_and_another_is_explained(
    phone: CheckedClient, asha: Someone
) -> None:
    shop = a_merchant()
    paid = card_tried(a_checkout(shop), payer=asha.payer)
    answered(paid, succeeded(inr(1_000_00)))
    page = phone.page(f"/home/payments/{paid}")
    receipt = next(link for link in page.links if link.startswith("/receipt/"))
    assert "₹1,000 paid for Order #1001" in phone.page(receipt).text
    refused = card_tried(a_checkout(shop), "pm_1", payer=asha.payer)
    answered(refused, declined("pm_1"))
    said = phone.page(f"/home/payments/{refused}").text
    assert "The card does not have enough money available." in said


def test_somebody_elses_payment_is_as_one_that_is_not_there(
    app: Flask, phone: CheckedClient
) -> None:
    other = a_person()
    theirs = card_tried(a_checkout(a_merchant()), payer=other.payer)
    answered(theirs, succeeded(inr(1_000_00)))
    answers = [phone.get(f"/home/payments/{one}") for one in (theirs, ids.new("payment"))]
    assert [answer.status_code for answer in answers] == [404, 404]
    said = [Page(a.text.replace(a.headers["X-Request-Id"], "")).text for a in answers]
    assert said[0] == said[1]
    for path in ("/home", "/home/payments", "/wallet", "/inbox"):
        assert theirs not in phone.get(path).text


def test_a_top_up_order_leads_to_its_checkout(phone: CheckedClient, asha: Someone) -> None:
    response = phone.send("/wallet", "/wallet/top-up", amount="2,500.50", currency="INR")
    assert response.status_code == 303
    assert response.location.startswith("/checkout/")
    assert "Top up your wallet" in phone.page(response.location).text
    row = scalar(
        "SELECT kind || ' ' || amount_minor || ' ' || user_id FROM shop_order WHERE kind = 'top_up'"
    )
    assert row == f"top_up 250050 {asha.id}"


def test_the_same_top_up_sent_twice_is_one_order_with_one_open_link(phone: CheckedClient) -> None:
    form = phone.page("/wallet").form("/wallet/top-up")
    sent = form.fields | {"amount": "500", "currency": "INR"}
    first, second = (phone.post("/wallet/top-up", data=sent) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert scalar("SELECT count(*) FROM shop_order") == 1
    assert "Top up your wallet" in phone.page(second.location).text
    other = phone.post("/wallet/top-up", data=sent | {"amount": "600"})
    assert other.status_code == 400
    assert scalar("SELECT count(*) FROM shop_order") == 1


LIMIT = Money(MAX_MINOR, "INR").plain()


@pytest.mark.requirement("S2-84")
@pytest.mark.parametrize(
    ("amount", "currency", "says"),
    [
        ("", "INR", "Enter an amount."),
        ("   ", "INR", "Enter an amount"),
        ("ten", "INR", "in digits"),
        ("1e3", "INR", "in digits"),
        ("NaN", "INR", "in digits"),
        ("Infinity", "INR", "in digits"),
        ("0x10", "INR", "in digits"),
        ("1,00", "INR", "in digits"),
        ("1.2.3", "INR", "in digits"),
        ("٣", "INR", "in digits"),
        ("+5", "INR", "in digits"),
        ("-5", "INR", "above zero"),
        ("−5", "INR", "above zero"),
        ("0", "INR", "above zero"),
        ("0.00", "INR", "above zero"),
        ("10.005", "INR", "at most 2 after the point"),
        ("10.5", "JPY", "no decimals"),
        ("1.234", "KWD", "third decimal"),
        ("1000000000", "INR", "at most"),
        ("9" * 5000, "INR", "at most"),
        ("100", "XXX", "Choose one of the currencies"),
        ("100", "", "Choose one of the currencies"),
        ("100", "inr", "Choose one of the currencies"),
        ("100", "<script>", "Choose one of the currencies"),
        ("100", "BHD", "Choose one of the currencies"),
    ],
)
def test_a_wrong_top_up_is_refused_in_words_beside_its_field(
    phone: CheckedClient, amount: str, currency: str, says: str
) -> None:
    response = phone.send("/wallet", "/wallet/top-up", amount=amount, currency=currency)
    assert response.status_code == 400
    assert says in Page(response.text).text
    assert scalar("SELECT count(*) FROM shop_order") == 0
    assert scalar("SELECT count(*) FROM wallet") == 0
    field = "currency" if says.startswith("Choose") else "amount"
    assert f'id="{field}-error"' in response.text or f'href="#{field}"' in response.text


def test_a_wallet_that_is_switched_off_is_not_filled(phone: CheckedClient, asha: Someone) -> None:
    with db.scoped(db.Scope(user_id=asha.id, livemode=False)):
        wallet = wallets.open(asha.id, "INR", livemode=False)
    with db.scoped(db.ADMIN):
        wallets.deactivate(wallet.id, because="Asked for by its owner.", by=Actor("admin"))
    response = phone.send("/wallet", "/wallet/top-up", amount="100", currency="INR")
    assert response.status_code == 402
    assert "switched off" in Page(response.text).text
    assert scalar("SELECT count(*) FROM shop_order") == 0


def test_fields_that_are_missing_are_as_empty_ones(phone: CheckedClient) -> None:
    token = phone.page("/wallet").form("/wallet/top-up").fields["csrf_token"]
    response = phone.post("/wallet/top-up", data={"csrf_token": token})
    assert response.status_code == 400
    assert "Enter an amount." in Page(response.text).text


@pytest.mark.parametrize(
    "query", ["older=%00", "older=x'--", "newer=%F0%9F", "older=" + "Q" * 5000]
)
@pytest.mark.parametrize("path", ["/home/payments", "/inbox", "/wallet"])
def test_a_page_address_that_is_not_ours_is_refused(
    phone: CheckedClient, path: str, query: str
) -> None:
    response = phone.get(f"{path}?{query}")
    assert response.status_code in {200, 400}
    if response.status_code == 400:
        assert Page(response.text).headings


def test_payments_come_in_pages_there_and_back(app: Flask, asha: Someone) -> None:
    shop = a_merchant()
    money_in_wallet(asha, inr(100_00))
    paid = [wallet_tried(a_checkout(shop, inr(1_00)), asha) for _ in range(27)]
    phone = browser_of(app, asha)
    first = phone.page("/home/payments")
    older = next(link for link in first.links if "older=" in link)
    second = phone.page(older if older.startswith("/") else f"/home/payments{older}")
    shown = [sum(one in link for link in page.links) for page in (first, second) for one in paid]
    assert sum(1 for times in shown if times) == 27
    assert any("newer=" in link for link in second.links)


def test_reading_all_messages_leaves_none_unread(phone: CheckedClient) -> None:
    token = phone.page("/account").form("/sign-out").fields["csrf_token"]
    response = phone.post("/inbox/read", data={"csrf_token": token})
    assert (response.status_code, response.location) == (303, "/inbox")


def test_an_order_that_is_still_open_can_be_gone_on_with(
    phone: CheckedClient, asha: Someone
) -> None:
    refused = card_tried(a_checkout(a_merchant()), "pm_1", payer=asha.payer)
    answered(refused, declined("pm_1"))
    response = phone.send(f"/home/payments/{refused}", "/link")
    assert response.status_code == 303
    assert "Order #1001" in phone.page(response.location).text


def test_a_payment_that_is_being_confirmed_gets_no_second_link(
    phone: CheckedClient, asha: Someone
) -> None:
    under_way = card_tried(a_checkout(a_merchant()), "pm_1", payer=asha.payer)
    page = phone.page(f"/home/payments/{under_way}")
    assert not [form for form in page.forms if form.action.endswith("/link")]
    token = phone.page("/wallet").form("/top-up").fields["csrf_token"]
    refused = phone.post(f"/home/payments/{under_way}/link", data={"csrf_token": token})
    assert refused.status_code == 409
    assert scalar("SELECT count(*) FROM checkout_session") == 1


def test_nobody_opens_a_link_of_somebody_elses_payment(phone: CheckedClient) -> None:
    theirs = card_tried(a_checkout(a_merchant()), "pm_1", payer=a_person().payer)
    answered(theirs, declined("pm_1"))
    token = phone.page("/wallet").form("/top-up").fields["csrf_token"]
    assert (
        phone.post(f"/home/payments/{theirs}/link", data={"csrf_token": token}).status_code == 404
    )
    assert scalar("SELECT count(*) FROM checkout_session") == 1


def test_a_refund_is_told_in_words_once_it_has_left(phone: CheckedClient, asha: Someone) -> None:
    paid = card_tried(a_checkout(a_merchant()), payer=asha.payer)
    answered(paid, Outcome(Result.CREATED, intent_id="pi_home_refund"), succeeded(inr(1_000_00)))
    address = f"/home/payments/{paid}"
    amount = inr(250_00)
    refund_id = asked(paid, amount)
    assert "refund" not in phone.page(address).text.lower(), "it may still be undone"
    released()
    assert "It has not been sent to your bank yet." in phone.page(address).text
    told(refund_id, sent(amount=amount))
    assert "A refund of ₹250.00 was sent to your bank. It is on your account by" in (
        phone.page(address).text
    )
    told(refund_id, paid_out(amount=amount))
    page = phone.page(address)
    assert "Partly refunded" in page.text
    assert "7412034567" in page.text
    assert "Quote it if you ask your bank." in page.text
    assert "The money went back to you Refund of ₹250.00" in page.text
    assert "You paid" in page.text
    assert f"#row-{refund_id}" in page.links
    response = phone.get(f"/home/refunds/{refund_id}")
    assert (response.status_code, response.location) == (303, address)
    told(refund_id, bounced(amount=amount))
    assert "did not reach you: card closed." in phone.page(address).text


def test_somebody_elses_refund_is_as_one_that_is_not_there(phone: CheckedClient) -> None:
    other = a_person()
    theirs = card_tried(a_checkout(a_merchant()), payer=other.payer)
    answered(theirs, Outcome(Result.CREATED, intent_id="pi_home_other"), succeeded(inr(1_000_00)))
    refund_id = asked(theirs, inr(250_00))
    assert phone.get(f"/home/refunds/{refund_id}").status_code == 404
    assert phone.get("/merchant").status_code == 403
    assert phone.get(f"/home/payments/{theirs}/now").status_code == 404


def test_money_that_fits_no_order_is_never_told_as_no_money_moved(
    phone: CheckedClient, asha: Someone
) -> None:
    link = a_checkout(a_merchant())
    late = card_tried(link, payer=asha.payer)
    answered(late, Outcome(Result.CREATED, intent_id="pi_home_late"), declined())
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=SHOPPER)
    answered(late, succeeded(inr(1_000_00)))
    said = phone.page(f"/home/payments/{late}").text
    assert "₹1,000.00 came, and the order could not take it" in said
    assert "until Lotus Tea House decides" in said
    assert "No money moved" not in said


def test_a_message_about_a_refund_leads_whoever_asked_to_the_merchants_page(app: Flask) -> None:
    owner, other = a_person(), a_person()
    a_merchant(owner, "Another Shop")
    shop = a_merchant(owner)
    paid = card_tried(a_checkout(shop), payer=other.payer)
    answered(paid, Outcome(Result.CREATED, intent_id="pi_home_clerk"), succeeded(inr(1_000_00)))
    refund_id = asked(paid, inr(250_00))
    desk = browser_of(app, owner)
    response = desk.get(f"/home/refunds/{refund_id}")
    assert (response.status_code, response.location) == (303, f"/merchant/refunds/{refund_id}")
    assert "₹ 250 .00" in desk.page(response.location).text
