"""Held money through the door: taken whole or in part, let go, and never both."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import a_link, calls_answered, card_tried
from tests.checked_client import CheckedClient
from tests.stories import scalar
from tests.web.merchant.world import VISA, Shop, a_colleague, a_shop, answered, begun, paid
from webapp import orders
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.orders import NewOrder

LIST = "/merchant/payments"
OFFERED = "The bank holds ₹1,000.00 for you"


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def held(shop: Shop) -> str:
    """Have an order's money authorised and not taken; returns the payment's id."""
    asked = NewOrder(shop.id, livemode=False, amount=Money(1_000_00, "INR"), capture_later=True)
    with db.scoped(shop.scope()):
        order = orders.create(asked)
    payment_id = begun(shop, order)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_held_{payment_id[-6:]}"))
    answered(payment_id, Outcome(Result.AUTHORISED, amount=Money(1_000_00, "INR"), card=VISA))
    calls_answered(payment_id)
    return payment_id


def planned(payment_id: str, kind: str) -> int:
    """How many calls of a kind to the provider stand in the book for a payment."""
    counted = scalar(
        "SELECT count(*) FROM provider_operation WHERE subject_id = :id AND kind = :kind",
        id=payment_id,
        kind=kind,
    )
    return int(counted)


def asked_for(payment_id: str) -> int | None:
    found: int | None = scalar("SELECT capturing_minor FROM payment WHERE id = :id", id=payment_id)
    return found


def test_the_form_makes_an_order_whose_money_is_taken_later(shop: Shop) -> None:
    typed = {"amount": "1000", "currency": "INR", "capture_later": "1"}
    answer = shop.client.send("/merchant/orders/new", "/merchant/orders", **typed)
    assert answer.status_code == 303
    assert "Held first, taken later by you" in shop.client.page(answer.location).text
    plain = shop.client.send("/merchant/orders/new", "/merchant/orders", amount="5", currency="INR")
    assert "Held first" not in shop.client.page(plain.location).text


def test_held_money_says_until_when_and_what_it_costs(shop: Shop) -> None:
    page = shop.client.page(f"{LIST}/{held(shop)}")
    assert OFFERED in page.text
    assert "the bank holds the money, and nobody has taken it." in page.text
    assert "The fee of 2 % is on what you take." in page.text
    assert page.form("/capture").fields["amount"] == "1000.00"


@pytest.mark.parametrize(
    ("typed", "minor"), [("1000.00", 1_000_00), ("1,000", 1_000_00), ("250.5", 250_50)]
)
def test_all_or_a_part_is_taken_once(shop: Shop, typed: str, minor: int) -> None:
    payment_id = held(shop)
    address = f"{LIST}/{payment_id}"
    form = shop.client.page(address).form("/capture")
    for _ in range(2):
        assert (
            shop.client.post(form.action, data=form.fields | {"amount": typed}).status_code == 303
        )
    assert planned(payment_id, "capture") == 1
    assert asked_for(payment_id) == minor
    page = shop.client.page(address)
    assert "is being taken" in page.text
    assert not any(form.action.endswith(("/capture", "/void")) for form in page.forms)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Enter an amount."),
        ("0", "above zero"),
        ("-5", "above zero"),
        ("1000.01", "not above what the bank holds"),
        ("ten", "in digits"),
        ("1e3", "in digits"),
        ("9" * 400, "at most"),
    ],
)
def test_a_wrong_amount_is_refused_beside_its_field_and_takes_nothing(
    shop: Shop, typed: str, says: str
) -> None:
    payment_id = held(shop)
    answer = shop.client.send(f"{LIST}/{payment_id}", "/capture", amount=typed)
    assert answer.status_code == 400
    text = answer.get_data(as_text=True)
    assert says in text
    assert 'id="capture-amount-error"' in text
    assert planned(payment_id, "capture") == 0


def test_letting_go_needs_a_reason_and_is_shown(shop: Shop) -> None:
    payment_id = held(shop)
    address = f"{LIST}/{payment_id}"
    for because, says in (("  ", "Say why the money is let go"), ("x" * 201, "200 characters")):
        answer = shop.client.send(address, "/void", because=because)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 400
        assert 'id="void-because-error"' in text
        assert says in text
        assert f'value="{because.strip()}"' in text
    assert planned(payment_id, "cancel") == 0
    assert shop.client.send(address, "/void", because="Sold out.").status_code == 303
    assert planned(payment_id, "cancel") == 1
    assert "Reason: Sold out." in shop.client.page(address).text


def test_what_is_let_go_is_not_taken_and_the_other_way_round(shop: Shop) -> None:
    first, second = held(shop), held(shop)
    page = shop.client.page(f"{LIST}/{first}")
    taking, letting = page.form("/capture"), page.form("/void")
    assert (
        shop.client.post(letting.action, data=letting.fields | {"because": "x"}).status_code == 303
    )
    assert shop.client.post(taking.action, data=taking.fields).status_code == 409
    page = shop.client.page(f"{LIST}/{second}")
    taking, letting = page.form("/capture"), page.form("/void")
    assert shop.client.post(taking.action, data=taking.fields).status_code == 303
    assert (
        shop.client.post(letting.action, data=letting.fields | {"because": "x"}).status_code == 409
    )
    assert (planned(first, "capture"), planned(second, "cancel")) == (0, 0)


@pytest.mark.parametrize("role", ["viewer", "analyst", "developer"])
def test_a_role_that_may_not_reads_why_and_is_refused(shop: Shop, role: str) -> None:
    payment_id = held(shop)
    theirs = a_colleague(shop, role)
    page = theirs.page(f"{LIST}/{payment_id}")
    assert f"Your role ({role}) cannot take or let go of held money" in page.text
    for action, typed in (("/capture", {"amount": "5"}), ("/void", {"because": "x"})):
        assert theirs.send(f"{LIST}/{payment_id}", action, **typed).status_code == 403
    assert planned(payment_id, "capture") + planned(payment_id, "cancel") == 0


def test_only_who_may_take_it_reads_that_held_money_waits_for_them(shop: Shop) -> None:
    address = f"{LIST}/{held(shop)}"
    assert "We wait for You" in shop.client.page(address).text
    theirs = a_colleague(shop, "viewer").page(address).text
    assert "We wait for An owner, an admin or the support of this merchant" in theirs


@pytest.mark.parametrize("act", ["capture", "void"])
def test_another_merchants_held_money_is_as_if_it_were_not_there(shop: Shop, act: str) -> None:
    theirs = held(a_shop(shop.app))
    token = shop.client.page("/merchant").form("/sign-out").fields["csrf_token"]
    given = {"csrf_token": token, "amount": "5", "because": "x"}
    for one in (theirs, theirs[:-4] + "0000"):
        assert shop.client.post(f"{LIST}/{one}/{act}", data=given).status_code == 404
    assert planned(theirs, "capture") + planned(theirs, "cancel") == 0


def test_a_form_without_its_token_takes_nothing(shop: Shop) -> None:
    payment_id = held(shop)
    assert shop.client.post(f"{LIST}/{payment_id}/capture", data={"amount": "5"}).status_code == 400
    assert planned(payment_id, "capture") == 0


def test_a_payment_that_is_not_held_offers_nothing_and_takes_nothing(shop: Shop) -> None:
    payment_id = paid(shop)
    page = shop.client.page(f"{LIST}/{payment_id}")
    assert "The bank holds" not in page.text
    given = {"csrf_token": page.form("/sign-out").fields["csrf_token"], "amount": "5"}
    assert shop.client.post(f"{LIST}/{payment_id}/capture", data=given).status_code == 409


def test_the_shopper_reads_that_the_money_is_held_and_by_when_it_is_let_go(shop: Shop) -> None:
    asked = NewOrder(shop.id, livemode=False, amount=Money(1_000_00, "INR"), capture_later=True)
    with db.scoped(shop.scope()):
        link = a_link(orders.create(asked))
    browser = shop.app.test_client()
    assert isinstance(browser, CheckedClient)
    address = f"/checkout/{link.token}"
    assert "A card is not charged at once" in browser.page(address).text
    answered(card_tried(link), Outcome(Result.AUTHORISED, amount=asked.amount, card=VISA))
    said = browser.page(address).text
    assert "Your bank holds ₹1,000" in said
    assert "Nothing has been taken yet." in said
    assert "is let go by itself" in said
