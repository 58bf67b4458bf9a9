"""The test clock: deadlines come nearer, what is due happens, and nobody else's moves at all."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.builders import a_checkout, a_merchant, a_payment, inr, now_at
from tests.refunds.builders import asked, refund_now
from tests.stories import behind, operations, payment_is_whole, scalar
from tests.test_clock.waiting import (
    BEGIN,
    DAY,
    HOUR,
    MINUTE,
    OWNER,
    a_busy_shop,
    in_live_mode,
    moments,
    moved,
)
from webapp import audit, orders, payments, refunds, test_clock, webhooks
from webapp.kernel import clock, db, waits
from webapp.kernel.errors import Invalid
from webapp.payments import Status


@pytest.fixture
def shop(app: Flask) -> str:
    return a_merchant()


def at_the_beginning(minutes: float = 0) -> dt.datetime:
    return BEGIN + dt.timedelta(minutes=minutes)


def test_a_checkout_link_that_came_nearer_is_ended_by_the_sweeper(shop: str) -> None:
    with clock.standing_at(BEGIN):
        link = a_checkout(shop)
    assert moved(shop, 14 * MINUTE) == {"checkout_session": 1}
    with clock.standing_at(BEGIN), db.scoped(db.WORKER):
        assert payments.expire_due() == 0
        assert orders.checkout_of(link.ref.session_id).expires_at == at_the_beginning(1)
    assert moved(shop, HOUR, after=6) == {"checkout_session": 1}
    with clock.standing_at(at_the_beginning(0.1)), db.scoped(db.WORKER):
        session = orders.checkout_of(link.ref.session_id)
        assert session.expires_at == at_the_beginning(0.1), "never before now"
        assert session.opened_at == BEGIN
        assert payments.expire_due() == 1
        assert orders.checkout_of(link.ref.session_id).status == "expired"
    assert scalar("SELECT status FROM shop_order WHERE id = :i", i=link.ref.order_id) == "pending"
    assert moved(shop, HOUR) == {}, "what has ended waits no more"


def test_a_link_that_was_opened_this_very_moment_ends_after_it(shop: str) -> None:
    with clock.standing_at(BEGIN):
        link = a_checkout(shop)
    assert moved(shop, HOUR) == {"checkout_session": 1}
    with db.scoped(behind()):
        session = orders.checkout_of(link.ref.session_id)
        assert session.expires_at - session.opened_at == waits.INSTANT


def test_a_payment_link_that_came_nearer_ends(app: Flask) -> None:
    shop = a_busy_shop()
    moved(shop, 7 * DAY, after=6)
    with clock.standing_at(at_the_beginning(0.1)), db.scoped(db.WORKER):
        assert orders.end_due_payment_links() == 1


def test_held_money_whose_deadline_came_nearer_is_let_go(shop: str) -> None:
    with clock.standing_at(BEGIN):
        payment_id = a_payment(Status.AUTHORISED, shop)
    assert moved(shop, 5 * DAY) == {"held_payment": 1}
    payment = now_at(payment_id)
    assert payment.deadline_at == payment.capture_before == BEGIN + dt.timedelta(days=1)
    assert payment.check_at == at_the_beginning(60), "it is looked at no later than before"
    moved(shop, DAY)
    with clock.standing_at(BEGIN), db.scoped(db.WORKER):
        assert payments.look_again() == 1
    assert "cancel" in operations(payment_id)
    assert now_at(payment_id).void_because is not None
    assert moved(shop, DAY) == {}, "what was let go waits for the provider"
    payment_is_whole(payment_id)


def test_a_payment_that_nobody_confirmed_is_cancelled(shop: str) -> None:
    with clock.standing_at(BEGIN):
        payment_id = a_payment(Status.REQUIRES_ACTION, shop)
    assert moved(shop, HOUR)["payment_confirmation"] == 1
    with clock.standing_at(BEGIN), db.scoped(db.WORKER):
        assert payments.look_again() == 1
    assert "cancel" in operations(payment_id)


def test_a_refund_leaves_and_one_that_nobody_approved_is_withdrawn(shop: str) -> None:
    with clock.standing_at(BEGIN):
        dear = a_payment(Status.CAPTURED, shop, inr(60_000_00))
        leaving, unapproved = asked(dear, inr(100_00)), asked(dear, inr(50_000_01))
    assert moved(shop, 6 * DAY) == {"refund": 1, "refund_approval": 1}
    with clock.standing_at(BEGIN), db.scoped(db.WORKER):
        assert refunds.look_again() == 0
        assert refunds.release_due() == 1
    assert refund_now(leaving).status == "unsent"
    assert moved(shop, DAY) == {"refund_approval": 1}
    with clock.standing_at(BEGIN), db.scoped(db.WORKER):
        assert refunds.look_again() == 1
    assert refund_now(unapproved).status == "cancelled"


def test_nothing_of_others_and_nothing_live_comes_nearer(app: Flask) -> None:
    shop, other = a_busy_shop(), a_busy_shop()
    in_live_mode(shop)
    before = moments()
    assert moved(shop, 10 * MINUTE) == {
        "checkout_session": 2,
        "payment_link": 1,
        "held_payment": 1,
        "payment_confirmation": 1,
        "refund": 1,
        "refund_approval": 1,
    }
    after = moments()
    theirs = {what for what, row in before.items() if row.merchant_id != shop or row.livemode}
    live = {what for what in theirs if before[what].livemode}
    assert len({what.split("_")[0] for what in live}) >= 4
    assert {before[what].merchant_id for what in theirs} == {shop, other}
    changed = {what for what in before if after[what] != before[what]}
    assert changed & theirs == set()
    kept = ("opened", "made", "call")
    assert [what for what in changed if what.endswith(kept)] == []
    assert len(changed) >= 7


def test_a_room_asked_in_the_scope_of_live_mode_moves_nothing(app: Flask) -> None:
    shop = a_busy_shop()
    in_live_mode(shop)
    before = moments()
    scope = db.Scope(merchant_id=shop, livemode=True)
    with clock.standing_at(BEGIN), db.transaction(scope):
        for room in (orders, payments, refunds, webhooks):
            assert set(room.bring_nearer(shop, dt.timedelta(days=7)).values()) == {0}
    assert moments() == before


def test_what_is_past_stays_where_it_is(shop: str) -> None:
    with clock.standing_at(BEGIN):
        link = a_checkout(shop)
    assert moved(shop, HOUR, after=20 * MINUTE) == {}
    with db.scoped(behind()):
        assert orders.checkout_of(link.ref.session_id).expires_at == at_the_beginning(15)


def test_live_mode_is_refused_and_so_is_a_step_that_is_none(shop: str) -> None:
    with db.scoped(db.Scope(merchant_id=shop, livemode=True)):
        with pytest.raises(test_clock.NoLiveClock):
            test_clock.advance(shop, HOUR, livemode=True, by=OWNER)
        with pytest.raises(test_clock.NoLiveClock):
            test_clock.waiting_of(shop, livemode=True)
    for seconds in (0, -HOUR, test_clock.MOST_SECONDS + 1):
        with pytest.raises(Invalid) as refused:
            moved(shop, seconds)
        assert refused.value.param == "seconds"
    with db.scoped(behind()):
        assert audit.entries_about("merchant", shop) == []


def test_who_moved_the_clock_how_far_and_what_came_nearer_is_on_the_trail(shop: str) -> None:
    with clock.standing_at(BEGIN):
        a_checkout(shop)
    moved(shop, HOUR)
    with db.scoped(behind()):
        (entry,) = audit.entries_about("merchant", shop)
    assert (entry.action, entry.actor_id) == ("test_clock.advanced", "usr_owner")
    assert entry.data["seconds"] == HOUR
    assert entry.data["moved"]["checkout_session"] == 1
    assert entry.livemode is False


def test_of_very_many_the_soonest_come_nearer_first(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "MOST", 1)
    with clock.standing_at(BEGIN):
        first = a_checkout(shop)
    with clock.standing_at(at_the_beginning(5)):
        second = a_checkout(shop)
    assert moved(shop, MINUTE, after=5 * MINUTE) == {"checkout_session": 1}
    with db.scoped(behind()):
        assert orders.checkout_of(first.ref.session_id).expires_at == at_the_beginning(14)
        assert orders.checkout_of(second.ref.session_id).expires_at == at_the_beginning(20)


def test_what_waits_is_told_by_kind_with_the_soonest_by_name(app: Flask) -> None:
    shop = a_busy_shop()
    scope = db.Scope(merchant_id=shop, livemode=False)
    with clock.standing_at(BEGIN):
        a_checkout(shop)
        with db.scoped(scope):
            found = test_clock.waiting_of(shop, livemode=False, limit=1)
    told = {one.kind.name: one for one in found}
    assert list(told) == [
        "checkout_session",
        "payment_link",
        "held_payment",
        "payment_confirmation",
        "refund",
        "refund_approval",
        "delivery",
    ]
    counts = {name: one.count for name, one in told.items()}
    assert counts == dict.fromkeys(told, 1) | {"checkout_session": 3, "delivery": 0}
    (checkout,) = told["checkout_session"].soonest
    assert checkout.at == told["checkout_session"].next_at == at_the_beginning(15)
    assert checkout.label.startswith("Order #")
    assert checkout.about.startswith("ord_")
    assert [one.label[:13] for one in told["refund"].soonest] == ["₹100 of Order"]
    assert [one.label[:16] for one in told["held_payment"].soonest] == ["₹1,000 for Order"]
    assert told["delivery"].next_at is None
    assert all(one.kind.then.endswith(".") for one in found)
