"""Tabs, threads, sweeper and provider at one payment at once: one end, one posting, no deadlock."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial

import pytest

from tests.builders import (
    Link,
    Someone,
    a_checkout,
    a_method,
    a_person,
    answered,
    calls_answered,
    card_tried,
    declined,
    inr,
    money_in_wallet,
    now_at,
    succeeded,
    wallet_tried,
)
from tests.races.racing import Race, by_web, by_worker
from tests.stories import attempts, operations, payment_is_whole, postings, scalar
from webapp import ledger, orders, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import clock, db
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.payments import Status

pytestmark = pytest.mark.races
PRICE = inr(1_000_00)
TEST = False
ROUNDS = 50
#: How long a link of the expiry race lasts once the race has begun.
LEFT = dt.timedelta(milliseconds=40)
MOST = dt.timedelta(seconds=2)


def kinds(answers: Sequence[object]) -> Counter[str]:
    """Count answers: payments by the word `paid`, refusals by their codes."""
    return Counter("paid" if str(one).startswith("pay_") else str(one) for one in answers)


def balance_of(person: Someone) -> Money:
    """Return what is in a person's wallet."""
    with db.scoped(db.OWNER):
        return ledger.balance(ledger.wallet(person.id, TEST, "INR"))


def books_balance() -> None:
    """Assert that nothing is wrong with the books."""
    with db.scoped(db.OWNER):
        assert ledger.check_books().problems == []


def order_of(link: Link) -> tuple[str, int]:
    """Return where a link's order stands and at which version."""
    where = "FROM shop_order WHERE id = :id"
    status = scalar(f"SELECT status {where}", id=link.ref.order_id)
    return status, scalar(f"SELECT version {where}", id=link.ref.order_id)


@pytest.mark.requirement("S1-04", "S0-06")
def test_eight_threads_deliver_one_success(race: Race) -> None:
    for _round in range(5):
        link, method = a_checkout(race.shop, PRICE), a_method()
        payment_id = card_tried(link, method)
        news = succeeded(PRICE, method, intent=f"pi_{payment_id}")
        race.run(*[by_worker(lambda: answered(payment_id, news))] * 8)  # noqa: B023 - run at once
        assert now_at(payment_id).version == 3
        assert postings(payment_id) == 1
        assert order_of(link) == ("completed", 2)
        payment_is_whole(payment_id)


def test_good_and_stale_news_at_once_end_as_the_good_says(race: Race) -> None:
    for _round in range(8):
        link, first, second = a_checkout(race.shop, PRICE), a_method(), a_method()
        payment_id = card_tried(link, first)
        answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"))
        answered(payment_id, declined(first))
        calls_answered(payment_id)
        card_tried(link, second)
        news = [declined(first), succeeded(PRICE, second), declined(first), succeeded(PRICE)]
        race.run(*(by_worker(partial(answered, payment_id, one)) for one in news))
        assert now_at(payment_id).status == Status.CAPTURED
        assert attempts(payment_id) == ["declined", "succeeded"]
        assert postings(payment_id) == 1


def test_two_tabs_pay_one_order_by_card(race: Race) -> None:
    for _round in range(8):
        link = a_checkout(race.shop, PRICE)
        pay = by_web(lambda: card_tried(link))  # noqa: B023
        answers = race.run(pay, pay)
        assert kinds(answers) == {"paid": 1, "payment_under_way": 1}
        (payment_id,) = [str(one) for one in answers if str(one).startswith("pay_")]
        assert attempts(payment_id) == ["processing"]
        assert operations(payment_id) == ["create_intent"]


def test_one_card_entry_sent_twice_at_once_is_one_try(race: Race) -> None:
    for _round in range(8):
        link, method = a_checkout(race.shop, PRICE), a_method()
        pay = by_web(lambda: card_tried(link, method))  # noqa: B023
        one, other = race.run(pay, pay)
        assert one == other
        assert attempts(str(one)) == ["processing"]


@pytest.mark.requirement("S0-02")
def test_card_and_wallet_at_once_charge_one_of_them(race: Race) -> None:
    person = someone_with(inr(100_000_00))
    for _round in range(8):
        link = a_checkout(race.shop, PRICE)
        by_card = by_web(lambda: card_tried(link, payer=person.payer))  # noqa: B023
        by_wallet = by_web(lambda: wallet_tried(link, person))  # noqa: B023
        answers = [str(one) for one in race.run(by_card, by_wallet)]
        begun = [one for one in answers if one.startswith("pay_")]
        assert len(begun) == 1, answers
        assert set(answers) - set(begun) <= {"already_paid", "payment_under_way"}
        payment = now_at(begun[0])
        if payment.status == Status.CAPTURED:
            assert operations(payment.id) == []
        else:
            assert postings(payment.id) == 0


def someone_with(amount: Money) -> Someone:
    """Register a person with so much in the wallet."""
    person = a_person()
    money_in_wallet(person, amount)
    return person


@pytest.mark.requirement("S4-32f", "S3-07")
def test_sixteen_threads_pay_from_a_wallet_with_money_for_three(race: Race) -> None:
    person = someone_with(inr(3_500_00))
    links = [a_checkout(race.shop, PRICE) for _ in range(16)]
    answers = race.run(*(by_web(partial(wallet_tried, link, person)) for link in links))
    assert kinds(answers) == {"paid": 3, "insufficient_balance": 13}
    assert balance_of(person) == inr(500_00)
    states = Counter(order_of(link)[0] for link in links)
    assert states == {"completed": 3, "pending": 13}
    books_balance()


def test_sixteen_threads_pay_one_order_from_a_wallet(race: Race) -> None:
    person = someone_with(inr(9_000_00))
    link = a_checkout(race.shop, PRICE)
    pay = by_web(lambda: wallet_tried(link, person))
    assert kinds(race.run(*[pay] * 16)) == {"paid": 1, "already_paid": 15}
    assert balance_of(person) == inr(8_000_00)


@pytest.mark.requirement("S4-20")
def test_paying_while_the_link_expires_is_begun_or_expired_and_never_both(race: Race) -> None:
    """Each link's time is over about when Pay is pressed: earlier or later as the last one fell."""
    chance = random.Random(20)
    left = LEFT
    ends: Counter[str] = Counter()
    for _round in range(ROUNDS):
        with clock.standing_at(clock.now() - orders.CHECKOUT_LASTS + left):
            link = a_checkout(race.shop, PRICE)
        seconds = left.total_seconds()
        pause = chance.random() * seconds

        def pay(link: Link = link, pause: float = pause) -> str:
            time.sleep(pause)
            return card_tried(link)

        sweep = by_worker(partial(sweep_until, time.monotonic() + 2 * seconds))
        paid, *_swept = race.run(by_web(pay), sweep)
        left = min(left * 1.5, MOST) if paid == "checkout_expired" else left / 1.5
        ends[kinds([paid]).most_common(1)[0][0]] += 1
        state = scalar("SELECT status FROM checkout_session WHERE id = :i", i=link.ref.session_id)
        begun = scalar("SELECT count(*) FROM payment WHERE order_id = :i", i=link.ref.order_id)
        assert (state, begun, paid == "checkout_expired") in {
            ("expired", 0, True),
            ("open", 1, False),
        }
    assert ends["paid"] + ends["checkout_expired"] == ROUNDS
    assert len(ends) == 2, "both happened"


def sweep_until(until: float) -> int:
    """Sweep again and again until that moment, and once after it."""
    swept = 0
    while time.monotonic() < until:
        swept += payments.expire_due()
    return swept + payments.expire_due()


def test_a_sweep_and_a_success_at_once_lose_no_money(race: Race) -> None:
    for _round in range(10):
        with clock.standing_at(clock.now() - dt.timedelta(minutes=20)):
            link, method = a_checkout(race.shop, PRICE), a_method()
            payment_id = card_tried(link, method)
            answered(payment_id, declined(method))
        late = succeeded(PRICE, method)
        race.run(by_worker(partial(answered, payment_id, late)), by_worker(payments.expire_due))
        assert now_at(payment_id).status == Status.CAPTURED
        assert order_of(link) == ("completed", 2)
        assert postings(payment_id) == 1
        payment_is_whole(payment_id)


def fresh_link_of(link: Link) -> str:
    """Ask for a fresh link as its page does; returns the token."""
    with db.scoped(link.scope()):
        return payments.fresh_link(link.ref.order_id).token


def test_two_threads_ask_for_a_fresh_link_and_one_stays_open(race: Race) -> None:
    for _round in range(8):
        link = a_checkout(race.shop, PRICE)
        fresh = by_web(partial(fresh_link_of, link))
        one, other = race.run(fresh, fresh)
        assert one != other
        count = "SELECT count(*) FROM checkout_session WHERE order_id = :i AND status = 'open'"
        assert scalar(count, i=link.ref.order_id) == 1


def cancel_order_of(link: Link) -> None:
    """Cancel a link's order as its merchant does."""
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=Actor("user", "usr_x"))


def test_cancelling_and_paying_at_once_is_one_of_them(race: Race) -> None:
    for _round in range(10):
        link = a_checkout(race.shop, PRICE)
        cancel = by_web(partial(cancel_order_of, link))
        pay = by_web(lambda: card_tried(link))  # noqa: B023
        paid, cancelled = race.run(pay, cancel)
        if str(paid).startswith("pay_"):
            assert cancelled == "payment_under_way"
            assert order_of(link) == ("pending", 1)
        else:
            assert paid == "order_not_payable"
            assert order_of(link) == ("cancelled", 2)


def test_many_orders_of_one_merchant_get_numbers_without_a_gap(race: Race) -> None:
    make = by_web(lambda: a_checkout(race.shop, PRICE))
    race.run(*[make] * 12)
    numbers = scalar(
        "SELECT array_agg(number::int ORDER BY number::int) FROM shop_order"
        " WHERE merchant_id = :id",
        id=race.shop,
    )
    assert numbers == list(range(1001, 1013))


def test_late_money_of_two_payments_of_one_order_pays_it_once(race: Race) -> None:
    for _round in range(5):
        link = a_checkout(race.shop, PRICE)
        found = []
        for _try in range(3):
            payment_id = card_tried(link)
            answered(payment_id, Outcome(Result.CANCELLED))
            found.append(payment_id)
        race.run(*(by_worker(partial(answered, one, succeeded(PRICE))) for one in found))
        states = Counter(str(now_at(one).status) for one in found)
        assert states == {"captured": 1, "cancelled": 2}
        assert order_of(link) == ("completed", 2)
        assert sum(postings(one, "suspense") for one in found) == 2
    books_balance()
