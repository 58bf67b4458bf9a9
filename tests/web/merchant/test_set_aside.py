"""Money that fits no order: the merchant sees it and decides what becomes of it, once."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.stories import scalar
from tests.web.merchant.test_orders import without_ids
from tests.web.merchant.world import (
    SHOPPER,
    VISA,
    Shop,
    a_colleague,
    a_shop,
    an_order,
    answered,
    begun,
    paid,
)
from webapp import audit, payments
from webapp.gateway import Decline, Outcome, Result
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import SYSTEM

QUEUE = "/merchant/attention"
PRICE = Money(1_000_00, "INR")


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def late_money(shop: Shop, amount: Money = PRICE, *, is_cancelled: bool = True) -> str:
    """Have money come that fits no order; returns the anomaly's id."""
    order = an_order(shop)
    payment_id = begun(shop, order)
    said = Decline(code="card_declined", decline_code="insufficient_funds")
    if is_cancelled:
        answered(payment_id, Outcome(Result.DECLINED, decline=said, card=VISA))
        with db.scoped(shop.scope()):
            payments.cancel_order(order.id, by=SYSTEM)
    intent = f"pi_{payment_id}"
    answered(payment_id, Outcome(Result.SUCCEEDED, intent_id=intent, amount=amount, card=VISA))
    return str(scalar("SELECT id FROM anomaly WHERE payment_id = :id", id=payment_id))


def status_of(anomaly_id: str) -> str:
    return str(scalar("SELECT status FROM anomaly WHERE id = :id", id=anomaly_id))


def test_the_queue_and_the_payment_lead_to_it(shop: Shop) -> None:
    assert "Nothing waits for you" in shop.client.page(QUEUE).text
    anomaly_id = late_money(shop)
    page = shop.client.page(QUEUE)
    assert "Paid after the order was cancelled" in page.text
    assert f"{QUEUE}/{anomaly_id}" in page.links
    assert "1 thing needs a decision" in shop.client.page("/merchant").text
    payment_id = scalar("SELECT payment_id FROM anomaly WHERE id = :id", id=anomaly_id)
    page = shop.client.page(f"/merchant/payments/{payment_id}")
    assert "₹1,000.00 of this payment is set aside" in page.text
    assert "No money moved" not in page.text
    assert "nothing of it is on your balance" in page.text
    assert f"{QUEUE}/{anomaly_id}" in page.links


def test_it_is_given_back_once_and_whole(shop: Shop) -> None:
    anomaly_id = late_money(shop)
    form = shop.client.page(f"{QUEUE}/{anomaly_id}").form("/give-back")
    for _ in range(2):
        assert shop.client.post(form.action, data=form.fields).status_code == 303
    assert scalar("SELECT count(*) FROM refund WHERE anomaly_id = :id", id=anomaly_id) == 1
    assert scalar("SELECT amount_minor FROM refund WHERE anomaly_id = :id", id=anomaly_id) == 1e5
    assert status_of(anomaly_id) == "refunding"
    page = shop.client.page(f"{QUEUE}/{anomaly_id}")
    assert "It was decided to give it back" in page.text
    assert not any(form.action.endswith("/give-back") for form in page.forms)
    with db.scoped(db.ADMIN):
        [entry] = audit.entries_about("anomaly", anomaly_id)
    assert (entry.action, entry.actor_id) == ("anomaly.given_back", shop.owner_id)


def test_it_pays_an_open_order_of_just_that_amount(shop: Shop) -> None:
    anomaly_id = late_money(shop)
    address = f"{QUEUE}/{anomaly_id}"
    assert "No open order of this shopper asks for exactly" in shop.client.page(address).text
    wrong, order = (an_order(shop, minor, customer_email=SHOPPER) for minor in (999_00, 1_000_00))
    assert shop.client.send(address, "/apply", order=wrong.id).status_code == 400
    assert shop.client.send(address, "/apply", order="").status_code == 400
    assert status_of(anomaly_id) == "open"
    assert shop.client.send(address, "/apply", order=order.id).status_code == 303
    assert status_of(anomaly_id) == "applying"
    with db.scoped(db.WORKER):
        payments.settle_decision(anomaly_id)
    assert "Completed" in shop.client.page(f"/merchant/orders/{order.id}").text
    assert "It paid another order" in shop.client.page(address).text


def test_only_what_was_too_small_is_accepted_as_it_is(shop: Shop) -> None:
    late = late_money(shop)
    assert shop.client.send(f"{QUEUE}/{late}", "/accept").status_code == 409
    short = late_money(shop, Money(900_00, "INR"), is_cancelled=False)
    assert shop.client.send(f"{QUEUE}/{short}", "/accept").status_code == 303
    assert (status_of(late), status_of(short)) == ("open", "applying")


@pytest.mark.parametrize("role", ["viewer", "analyst", "developer"])
def test_a_role_that_may_not_reads_why_and_is_refused(shop: Shop, role: str) -> None:
    anomaly_id = late_money(shop)
    theirs = a_colleague(shop, role)
    address = f"{QUEUE}/{anomaly_id}"
    assert f"Your role ({role}) cannot refund payments" in theirs.page(address).text
    for act in ("/give-back", "/apply", "/accept"):
        assert theirs.send(address, act).status_code == 403
    assert status_of(anomaly_id) == "open"


def test_another_merchants_money_is_as_if_it_were_not_there(shop: Shop) -> None:
    theirs = late_money(a_shop(shop.app))
    missing = theirs[:-4] + "0000"
    answers = [shop.client.get(f"{QUEUE}/{one}") for one in (theirs, missing)]
    assert [answer.status_code for answer in answers] == [404, 404]
    said = [
        without_ids(one.get_data(as_text=True)).replace(theirs, "").replace(missing, "")
        for one in answers
    ]
    assert said[0] == said[1]
    token = shop.client.page("/merchant").form("/sign-out").fields["csrf_token"]
    for act in ("give-back", "apply", "accept", "live"):
        address = f"{QUEUE}/{theirs}/{act}"
        answer = (
            shop.client.get(address)
            if act == "live"
            else shop.client.post(address, data={"csrf_token": token})
        )
        assert answer.status_code == 404
    assert status_of(theirs) == "open"


def test_a_decision_without_its_token_changes_nothing(shop: Shop) -> None:
    anomaly_id = late_money(shop)
    for act in ("give-back", "apply", "accept"):
        assert shop.client.post(f"{QUEUE}/{anomaly_id}/{act}", data={}).status_code == 400
    assert status_of(anomaly_id) == "open"


def test_a_payment_that_fits_has_nothing_set_aside(shop: Shop) -> None:
    assert "set aside" not in shop.client.page(f"/merchant/payments/{paid(shop)}").text


def test_much_money_is_booked_when_a_second_person_approves(shop: Shop) -> None:
    much = Money(60_000_00, "INR")
    anomaly_id = late_money(shop, much)
    order = an_order(shop, much.minor, customer_email=SHOPPER)
    address = f"/merchant/attention/{anomaly_id}"
    page = shop.client.page(address)
    assert "It is more than ₹50,000.00: whatever you decide, a second person" in page.text
    answer = shop.client.send(address, "/apply", order=order.id)
    said = shop.client.page(answer.location).text
    assert "It waits for a second person, who has to approve it." in said
    assert f"You propose that it pays order #{order.number}." in said
    assert "You proposed it, so another person has to approve it." in said
    status = "SELECT status FROM anomaly WHERE id = :id"
    assert scalar(status, id=anomaly_id) == "open"
    clerk, boss = a_colleague(shop, "support"), a_colleague(shop, "admin")
    given = clerk.page(address).form("/apply").fields | {"order": order.id}
    assert clerk.post(f"{address}/apply", data=given).status_code == 403
    assert scalar(status, id=anomaly_id) == "open"
    assert f"Approve for order #{order.number}" in boss.page(address).text
    assert boss.send(address, "/apply", order=order.id).status_code == 303
    assert scalar(status, id=anomaly_id) == "applying"
    acts = "SELECT array_agg(action ORDER BY id) FROM audit_entry WHERE subject_id = :id"
    assert scalar(acts, id=anomaly_id) == ["anomaly.proposed", "anomaly.applied"]
