"""What becomes of money set aside: it pays an order that asks for just it, or counts as it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.builders import (
    GUEST,
    a_link,
    a_merchant,
    a_method,
    a_person,
    a_top_up,
    an_order,
    answered,
    calls_answered,
    card_tried,
    declined,
    inr,
    needs_action,
    now_at,
    succeeded,
)
from tests.stories import (
    behind,
    operations,
    order_now,
    payment_is_whole,
    postings,
    scalar,
    story_is_whole,
)
from webapp import ledger, orders, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.orders import NewOrder, Order
from webapp.outbox import Actor
from webapp.payments import Anomaly, Status

PRICE = inr(1_000_00)
BY = Actor("merchant_user", "usr_somebody")


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


def anomaly_of(payment_id: str) -> Anomaly:
    """Return what was set aside of a payment as it stands, for good: no rollback touches it."""
    with db.scoped(behind()):
        (found,) = payments.anomalies_of_payment(payment_id)
        db.session.expunge(found)
        return found


def of_guest(shop: str) -> Order:
    """Create an order of a customer who has not signed in."""
    return an_order(shop, PRICE, email=GUEST)


def paid_too_late(shop: str) -> Anomaly:
    """Have money come for an order that was cancelled."""
    link, method = a_link(of_guest(shop)), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, declined(method))
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=BY)
    answered(payment_id, succeeded(PRICE, method))
    return anomaly_of(payment_id)


def paid_too_little(shop: str, amount: Money | None = None) -> Anomaly:
    """Have less money come than the order asks for."""
    payment_id = card_tried(a_link(of_guest(shop)))
    answered(payment_id, succeeded(amount or inr(600_00)))
    return anomaly_of(payment_id)


def as_shop(anomaly: Anomaly) -> db.Scope:
    """Return the scope of the merchant whose money it is."""
    return db.Scope(merchant_id=anomaly.merchant_id, livemode=False)


def applied(anomaly: Anomaly, order: Order) -> None:
    """Decide that money set aside pays an order, as its merchant does."""
    with db.scoped(as_shop(anomaly)):
        payments.apply_to_order(anomaly.id, order.id, by=BY)


def accepted(anomaly: Anomaly) -> None:
    """Decide that what came is enough."""
    with db.scoped(as_shop(anomaly)):
        payments.accept_anomaly(anomaly.id, by=BY)


def settled(anomaly: Anomaly) -> Anomaly:
    """Do what was decided, as a worker does; returns the anomaly as it then stands."""
    with db.scoped(behind()):
        for _ in range(2):
            payments.settle_decision(anomaly.id)
        return payments.anomaly(anomaly.id)


def balances(shop: str) -> tuple[Money, Money]:
    """Return what waits in suspense and what a merchant is owed."""
    with db.scoped(behind()):
        suspense = ledger.balance(ledger.suspense(livemode=False, currency="INR"))
        return suspense, ledger.balance(ledger.payable(shop, livemode=False, currency="INR"))


def test_late_money_pays_another_order_of_the_same_price_with_its_fee(shop: str) -> None:
    late, order = paid_too_late(shop), of_guest(shop)
    assert balances(shop) == (PRICE, inr(0))
    applied(late, order)
    applied(late, order)
    assert anomaly_of(late.payment_id).status == "applying"
    assert balances(shop) == (PRICE, inr(0)), "a worker books it"
    done = settled(late)
    assert (done.status, done.target_order_id) == ("applied", order.id)
    assert done.closed_at is not None
    assert order_now(order.id) == ("completed", 2)
    assert balances(shop) == (inr(0), inr(980_00))
    with db.scoped(behind()):
        (paid,) = payments.payments_of_order(order.id)
        assert (paid.status, paid.method_kind, paid.captured) == ("captured", "credit", PRICE)
        assert paid.details == {"anomaly": late.id, "payment": late.payment_id}
    assert paid.is_intact()
    assert now_at(late.payment_id).status == Status.CANCELLED
    story_is_whole("anomaly", "anomaly", late.id)
    for payment_id in (paid.id, late.payment_id):
        payment_is_whole(payment_id)


def test_an_order_that_waits_for_another_card_is_paid_all_the_same(shop: str) -> None:
    late, order = paid_too_late(shop), of_guest(shop)
    waiting = card_tried(a_link(order))
    answered(waiting, Outcome(Result.CREATED, intent_id=f"pi_{waiting}"), declined())
    calls_answered(waiting)
    applied(late, order)
    assert settled(late).status == "applied"
    assert now_at(waiting).status == Status.CANCELLED
    assert operations(waiting)[-1] == "cancel"
    assert order_now(order.id) == ("completed", 2)


def to_be_confirmed(order: Order) -> None:
    answered(card_tried(a_link(order)), needs_action())


def paid_meanwhile(order: Order) -> None:
    answered(card_tried(a_link(order)), succeeded(PRICE))


def cancelled_meanwhile(order: Order) -> None:
    with db.scoped(db.Scope(merchant_id=order.merchant_id, livemode=False)):
        orders.cancel(order.id, by=BY)


@pytest.mark.parametrize("meanwhile", [to_be_confirmed, paid_meanwhile, cancelled_meanwhile])
def test_a_decision_that_has_become_impossible_is_taken_back_and_can_be_made_anew(
    shop: str, meanwhile: Callable[[Order], None]
) -> None:
    late, order, another = paid_too_late(shop), of_guest(shop), of_guest(shop)
    applied(late, order)
    meanwhile(order)
    taken_back = settled(late)
    assert (taken_back.status, taken_back.target_order_id) == ("open", None)
    assert balances(shop)[0] == PRICE
    applied(late, another)
    assert settled(late).status == "applied"
    assert order_now(another.id) == ("completed", 2)
    story_is_whole("anomaly", "anomaly", late.id)


def another_price(shop: str) -> Order:
    return an_order(shop, inr(999_99), email=GUEST)


def another_currency(shop: str) -> Order:
    return an_order(shop, Money(1_000_00, "USD"), email=GUEST)


def a_paid_one(shop: str) -> Order:
    order = of_guest(shop)
    paid_meanwhile(order)
    return order


@pytest.mark.parametrize("wrong", [another_price, another_currency, a_paid_one])
def test_money_pays_only_an_open_order_that_asks_for_just_it(
    shop: str, wrong: Callable[[str], Order]
) -> None:
    late, order = paid_too_late(shop), wrong(shop)
    with pytest.raises(payments.DoesNotFit):
        applied(late, order)
    assert anomaly_of(late.payment_id).version == 1


def test_money_of_one_merchant_never_pays_anothers_order(shop: str) -> None:
    late, foreign = paid_too_late(shop), of_guest(a_merchant())
    foreign_id = foreign.id
    with pytest.raises(orders.OrderNotFound):
        applied(late, foreign)
    with db.scoped(behind()), pytest.raises(payments.DoesNotFit):
        payments.apply_to_order(late.id, foreign_id, by=BY)
    top_up = NewOrder(shop, livemode=False, amount=PRICE, kind="top_up")
    with db.scoped(as_shop(late)), pytest.raises(payments.DoesNotFit):
        payments.apply_to_order(late.id, orders.create(top_up).id, by=BY)
    with db.scoped(db.Scope(merchant_id=a_merchant(), livemode=False)):
        with pytest.raises(payments.AnomalyNotFound):
            payments.apply_to_order(late.id, foreign_id, by=BY)
        with pytest.raises(payments.AnomalyNotFound):
            payments.anomaly(late.id)
    assert anomaly_of(late.payment_id).status == "open"


def test_money_never_pays_the_order_of_somebody_else(shop: str) -> None:
    late = paid_too_late(shop)
    crony = a_person("Crony")
    strangers = [
        an_order(shop, PRICE, user_id=crony.id, email=GUEST),
        an_order(shop, PRICE, email="somebody.else@people.example"),
        an_order(shop, PRICE),
    ]
    for order_id in [order.id for order in strangers]:
        with db.scoped(as_shop(late)), pytest.raises(payments.DoesNotFit):
            payments.apply_to_order(late.id, order_id, by=BY)
    with db.scoped(as_shop(late)):
        assert payments.orders_that_fit(late) == []
    assert anomaly_of(late.payment_id).status == "open"


def test_an_order_that_a_stranger_makes_theirs_after_the_decision_is_not_paid(shop: str) -> None:
    late, order = paid_too_late(shop), of_guest(shop)
    link = a_link(order)
    applied(late, order)
    answered(card_tried(link, payer=a_person("Crony").payer), declined())
    assert settled(late).status == "open"
    assert balances(shop) == (PRICE, inr(0))


def test_what_is_paid_with_a_persons_money_is_theirs(shop: str) -> None:
    person = a_person()
    link, method = a_link(an_order(shop, PRICE, user_id=person.id)), a_method()
    payment_id = card_tried(link, method, payer=person.payer)
    answered(payment_id, declined(method))
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=BY)
    answered(payment_id, succeeded(PRICE, method))
    late, order = anomaly_of(payment_id), an_order(shop, PRICE, user_id=person.id)
    applied(late, order)
    assert settled(late).status == "applied"
    with db.scoped(behind()):
        assert [one.user_id for one in payments.payments_of_order(order.id)] == [person.id]


def test_too_little_money_is_accepted_as_the_payment_of_its_order(shop: str) -> None:
    little = paid_too_little(shop)
    order_id = now_at(little.payment_id).order_id
    accepted(little)
    accepted(little)
    done = settled(little)
    assert (done.status, done.target_order_id) == ("accepted", order_id)
    payment = now_at(little.payment_id)
    assert (payment.status, payment.captured, payment.fee) == ("captured", inr(600_00), inr(12_00))
    assert order_now(order_id) == ("completed", 2)
    assert balances(shop) == (inr(0), inr(588_00))
    answered(little.payment_id, succeeded(inr(600_00)))
    assert (postings(payment.id), postings(payment.id, "suspense")) == (1, 1)
    payment_is_whole(payment.id)


def test_too_little_money_is_not_accepted_once_the_order_was_paid_in_full(shop: str) -> None:
    little = paid_too_little(shop)
    link = a_link(order_of(little))
    accepted(little)
    answered(card_tried(link), succeeded(PRICE))
    assert settled(little).status == "open"
    with pytest.raises(payments.DoesNotFit):
        accepted(little)
    assert balances(shop) == (inr(600_00), inr(980_00))


def test_too_little_money_for_a_wallet_goes_there_from_where_it_waited(app: Flask) -> None:
    person = a_person()
    payment_id = card_tried(a_top_up(person, PRICE), payer=person.payer)
    answered(payment_id, succeeded(inr(600_00)))
    little = anomaly_of(payment_id)
    accepted(little)
    assert settled(little).status == "accepted"
    with db.scoped(behind()):
        of_platform = (ledger.clearing, ledger.suspense)
        clearing, suspense = (ledger.balance(one(False, "INR")) for one in of_platform)
        in_wallet = ledger.balance(ledger.wallet(person.id, livemode=False, currency="INR"))
    assert (clearing, suspense, in_wallet) == (inr(-600_00), inr(0), inr(600_00))
    payment_is_whole(payment_id)


def order_of(anomaly: Anomaly) -> Order:
    """Return the order of the payment that money was set aside of."""
    with db.scoped(behind()):
        return payments.any_payment(anomaly.payment_id).order


def test_only_what_was_too_little_can_be_accepted(shop: str) -> None:
    with pytest.raises(payments.DoesNotFit):
        accepted(paid_too_late(shop))


def test_what_goes_back_cannot_pay_an_order_and_the_other_way_round(shop: str) -> None:
    first, second = paid_too_late(shop), paid_too_late(shop)
    with db.transaction(behind()):
        going = payments.locked_anomaly(first.id)
        payments.begin_return(going, by=BY)
    with pytest.raises(payments.AnomalyDecided):
        applied(first, of_guest(shop))
    assert settled(first).status == "refunding"
    applied(second, of_guest(shop))
    with pytest.raises(payments.AnomalyDecided), db.transaction(behind()):
        payments.begin_return(payments.locked_anomaly(second.id), by=BY)


def test_money_on_its_way_back_ends_refunded_or_waits_again(shop: str) -> None:
    late = paid_too_late(shop)
    with db.transaction(behind()):
        going = payments.locked_anomaly(late.id)
        payments.begin_return(going, by=BY)
        payments.end_return(going, by=BY)
        payments.reopen_anomaly(going, because="The bank sent it back.", by=BY)
    waiting = anomaly_of(late.payment_id)
    assert (waiting.status, waiting.closed_at, waiting.version) == ("open", None, 4)
    story_is_whole("anomaly", "anomaly", late.id)


def test_what_waits_is_listed_to_its_merchant_and_with_the_orders_it_could_pay(shop: str) -> None:
    late, little = paid_too_late(shop), paid_too_little(shop)
    fits, rival = of_guest(shop), a_merchant()
    of_guest(rival), another_price(shop)
    page = PageRequest(limit=10)
    with db.scoped(as_shop(late)):
        listed = payments.anomalies_of(shop, livemode=False, page=page).rows
        assert [one.id for one in listed] == [little.id, late.id]
        assert payments.undecided_anomalies(shop, livemode=False) == 2
        assert payments.anomaly_of(shop, late.id).amount == PRICE
        open_orders = [order.id for order in payments.orders_that_fit(late)]
    assert open_orders == [fits.id, now_at(little.payment_id).order_id]
    with db.scoped(db.Scope(merchant_id=rival, livemode=False)):
        assert payments.anomalies_of(shop, livemode=False, page=page).rows == ()
        assert payments.undecided_anomalies(shop, livemode=False) == 0
        with pytest.raises(payments.AnomalyNotFound):
            payments.anomaly_of(rival, late.id)
    assert scalar("SELECT count(*) FROM anomaly WHERE merchant_id = :i", i=shop) == 2
