"""Taking held money, letting it go and late news of it at the same moment: one end, one posting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from tests.builders import (
    GUEST,
    a_link,
    a_payment,
    an_order,
    answered,
    card_tried,
    declined,
    inr,
    now_at,
    succeeded,
)
from tests.races.racing import Race, by_web, by_worker
from tests.stories import operations, order_now, payment_is_whole, postings, scalar
from webapp import payments
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.payments import Status

pytestmark = pytest.mark.races
PRICE = inr(1_000_00)
BY = Actor("merchant_user", "usr_x")
ROUNDS = 8


def taken(shop: str, payment_id: str, amount: Money | None = None) -> str:
    """Ask for held money, as its merchant does."""
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        payments.capture(payment_id, amount=amount, by=BY)
        return "taken"


def let_go(shop: str, payment_id: str) -> str:
    """Let held money go, as its merchant does."""
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        payments.void(payment_id, because="It is sold out.", by=BY)
        return "let go"


def asked(payment_id: str) -> tuple[int, int]:
    """Return how often the provider was asked to take the money, and to let it go."""
    kinds = Counter(operations(payment_id))
    return kinds["capture"], kinds["cancel"]


@pytest.mark.requirement("S1-04")
def test_sixteen_threads_take_held_money_and_the_provider_is_asked_once(race: Race) -> None:
    payment_id = a_payment(Status.AUTHORISED, race.shop)
    take = by_web(partial(taken, race.shop, payment_id))
    assert race.run(*[take] * 16) == ["taken"] * 16
    assert asked(payment_id) == (1, 0)


def test_two_different_parts_at_once_are_one_of_them(race: Race) -> None:
    for _round in range(ROUNDS):
        payment_id = a_payment(Status.AUTHORISED, race.shop)
        works = [by_web(partial(taken, race.shop, payment_id, inr(part))) for part in (1_00, 2_00)]
        assert sorted(map(str, race.run(*works))) == ["capture_under_way", "taken"]
        assert asked(payment_id) == (1, 0)


def test_taking_and_letting_go_at_once_is_one_of_them(race: Race) -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    for _round in range(ROUNDS):
        payment_id = a_payment(Status.AUTHORISED, race.shop)
        works = (partial(taken, race.shop, payment_id), partial(let_go, race.shop, payment_id))
        answers = tuple(str(one) for one in race.run(*(by_web(work) for work in works)))
        assert answers in {("taken", "capture_under_way"), ("void_under_way", "let go")}
        assert asked(payment_id) == ((1, 0) if answers[0] == "taken" else (0, 1))
        seen[answers] += 1
    assert sum(seen.values()) == ROUNDS


@pytest.mark.requirement("S2-106")
@pytest.mark.parametrize("part", [PRICE, inr(250_00)])
def test_news_of_a_capture_and_a_void_at_once_end_the_payment_once(race: Race, part: Money) -> None:
    for _round in range(ROUNDS):
        payment_id = a_payment(Status.AUTHORISED, race.shop)
        race.run(
            by_worker(partial(answered, payment_id, succeeded(part))),
            by_web(partial(let_go, race.shop, payment_id)),
            by_worker(partial(answered, payment_id, succeeded(part))),
        )
        assert now_at(payment_id).captured == part
        assert postings(payment_id) == 1
        assert order_now(now_at(payment_id).order_id) == ("completed", 2)
        payment_is_whole(payment_id)


def test_late_money_and_the_end_of_a_hold_lose_nothing_and_pay_once(race: Race) -> None:
    """A capture made in the provider's own pages while we ask for the hold to be let go."""
    for _round in range(ROUNDS):
        payment_id = a_payment(Status.AUTHORISED, race.shop)
        let_go(race.shop, payment_id)
        race.run(
            by_worker(partial(answered, payment_id, Outcome(Result.CANCELLED))),
            by_worker(partial(answered, payment_id, succeeded(PRICE))),
        )
        assert now_at(payment_id).status == Status.CAPTURED
        assert postings(payment_id) + postings(payment_id, "suspense") == 1
        payment_is_whole(payment_id)


def set_aside(shop: str) -> str:
    """Have money come for an order that was cancelled; returns the anomaly's id."""
    link = a_link(an_order(shop, PRICE, email=GUEST))
    payment_id = card_tried(link)
    answered(payment_id, declined())
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=BY)
    answered(payment_id, succeeded(PRICE))
    return str(scalar("SELECT id FROM anomaly WHERE payment_id = :i", i=payment_id))


def decided(shop: str, anomaly_id: str, order_id: str) -> str:
    """Decide which order money set aside pays, as its merchant does."""
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        payments.apply_to_order(anomaly_id, order_id, by=BY)
        return order_id


def returned(anomaly_id: str) -> str:
    """Send money set aside back, as a worker begins to."""
    with db.transaction(db.WORKER):
        payments.begin_return(payments.locked_anomaly(anomaly_id), by=BY)
        return "returned"


def settled(anomaly_id: str) -> str:
    """Book what was decided."""
    return str(payments.settle_decision(anomaly_id).status)


def test_money_set_aside_goes_to_one_order_or_back_and_never_to_two(race: Race) -> None:
    for _round in range(ROUNDS):
        anomaly_id = set_aside(race.shop)
        targets = [an_order(race.shop, PRICE, email=GUEST).id for _ in range(2)]
        works: list[Callable[[], object]] = [
            partial(decided, race.shop, anomaly_id, order_id) for order_id in targets
        ]
        answers = race.run(
            *(by_web(work) for work in works), by_worker(partial(returned, anomaly_id))
        )
        assert Counter(answers)["anomaly_decided"] == 2
        race.run(*[by_worker(partial(settled, anomaly_id))] * 4)
        paid = [order_id for order_id in targets if order_now(order_id)[0] == "completed"]
        assert paid == [one for one in answers if one in targets]
