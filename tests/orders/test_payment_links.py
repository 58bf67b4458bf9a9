"""Payment links: each opening an order of its own, ended by hand, by time and by the last one."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import text

from tests.builders import (
    SHOPPER,
    a_merchant,
    a_new_payment_link,
    a_payment_link,
    an_admin,
    answered,
    card_tried,
    inr,
    opened_by,
    succeeded,
)
from tests.stories import story_is_whole
from webapp import accounts, orders, payments
from webapp.kernel import clock, db
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.outbox import Actor

OWNER = Actor("merchant_user", "usr_owner")


@pytest.fixture
def shop(app: Flask) -> str:
    return a_merchant()


def now_of(link: orders.PaymentLink) -> orders.PaymentLink:
    with db.scoped(db.Scope(merchant_id=link.merchant_id, livemode=False)):
        return orders.payment_link_of(link.merchant_id or "", link.id)


def orders_of(link: orders.PaymentLink) -> list[orders.Order]:
    with db.scoped(db.Scope(merchant_id=link.merchant_id, livemode=False)):
        asked = orders.OrderFilter(payment_link_id=link.id)
        page = PageRequest(limit=100)
        return list(
            orders.orders_of(link.merchant_id or "", livemode=False, asked=asked, page=page).rows
        )


def times(link: orders.PaymentLink) -> int:
    with db.scoped(db.Scope(merchant_id=link.merchant_id, livemode=False)):
        return orders.times_paid([link.id])[link.id]


def paid_by(link: orders.PaymentLink) -> None:
    answered(card_tried(opened_by(link)), succeeded(inr(500_00)))


def test_each_opening_makes_an_order_of_the_links_price(shop: str) -> None:
    link = a_payment_link(shop)
    assert orders_of(link) == [], "making a link makes no order"
    first, second = opened_by(link), opened_by(link)
    found = {order.id: order for order in orders_of(link)}
    assert set(found) == {first.ref.order_id, second.ref.order_id}
    for order in found.values():
        assert (order.amount, order.description) == (inr(500_00), "A seat at the tasting")
        assert order.payment_link_id == link.id
        assert order.snapshot()["payment_link"] == link.id
    story_is_whole("payment_link", "payment_link", link.id)


def test_its_token_is_read_again_and_stored_nowhere_in_the_clear(shop: str) -> None:
    link = a_payment_link(shop)
    token = link.token
    assert len(token) >= 43
    assert now_of(link).token == token
    with db.transaction(db.OWNER) as session:
        stored = session.scalar(
            text("SELECT string_agg(row_to_json(l)::text, '') FROM payment_link l")
        )
        told = session.scalar(text("SELECT string_agg(snapshot::text, '') FROM fact"))
    assert token not in stored + told


def test_what_pays_it_is_counted_and_the_last_one_ends_it(shop: str) -> None:
    link = a_payment_link(shop, max_payments=2)
    opened_by(link)
    assert times(link) == 0, "an order that is not paid does not count"
    paid_by(link)
    assert (times(link), now_of(link).status) == (1, "active")
    paid_by(link)
    ended = now_of(link)
    assert (times(link), ended.status) == (2, "ended")
    assert ended.ended_at is not None
    with pytest.raises(orders.PaymentLinkEnded):
        opened_by(link)
    assert len(orders_of(link)) == 3, "no order was made"
    story_is_whole("payment_link", "payment_link", link.id)


def test_without_a_limit_it_goes_on(shop: str) -> None:
    link = a_payment_link(shop)
    for _ in range(3):
        paid_by(link)
    assert (times(link), now_of(link).status) == (3, "active")


def test_who_has_only_opened_it_cannot_begin_to_pay_once_it_is_used_up(shop: str) -> None:
    link = a_payment_link(shop, max_payments=1)
    late = opened_by(link)
    paid_by(link)
    with pytest.raises(orders.PaymentLinkEnded):
        card_tried(late)
    with db.scoped(late.scope()):
        assert payments.current_payment(late.ref.order_id) is None
        with pytest.raises(orders.PaymentLinkEnded):
            payments.fresh_link(late.ref.order_id)


def test_two_who_both_began_before_either_had_paid_are_both_counted(shop: str) -> None:
    link = a_payment_link(shop, max_payments=1)
    first, second = card_tried(opened_by(link)), card_tried(opened_by(link))
    for payment_id in (first, second):
        answered(payment_id, succeeded(inr(500_00)))
    assert (times(link), now_of(link).status, now_of(link).version) == (2, "ended", 2)


def test_it_is_ended_by_hand_once(shop: str) -> None:
    link = a_payment_link(shop)
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        for _ in range(2):
            assert orders.end_payment_link(shop, link.id, by=OWNER).version == 2
    with pytest.raises(orders.PaymentLinkEnded):
        opened_by(link)


def test_from_its_end_on_nothing_is_made_and_the_sweeper_writes_that_down(shop: str) -> None:
    ends = clock.now() + dt.timedelta(hours=1)
    link = a_payment_link(shop, ends_at=ends)
    other = a_payment_link(shop)
    opened_by(link)
    with clock.standing_at(ends):
        with pytest.raises(orders.PaymentLinkEnded):
            opened_by(link)
        assert now_of(link).status == "active"
        with db.scoped(db.WORKER):
            assert orders.end_due_payment_links() == 1
            assert orders.end_due_payment_links() == 0
    assert (now_of(link).status, now_of(other).status) == ("ended", "active")


def test_no_order_is_made_for_a_merchant_that_may_not_sell(shop: str) -> None:
    link = a_payment_link(shop)
    admin = Actor("admin", an_admin().id)
    with db.scoped(db.ADMIN):
        accounts.suspend_merchant(shop, because="fraud", by=admin)
    with pytest.raises(orders.PaymentLinkClosed):
        opened_by(link)
    assert orders_of(link) == []


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"description": "  "}, "description"),
        ({"description": "x" * 201}, "description"),
        ({"description": "4242 4242 4242 4242"}, "description"),
        ({"max_payments": 0}, "max_payments"),
        ({"max_payments": 10_001}, "max_payments"),
        ({"ends_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "ends_at"),
        ({"amount": Money(0, "INR")}, "amount"),
        ({"details": {f"n{i}": "x" for i in range(51)}}, "metadata"),
    ],
)
def test_what_is_wrong_is_named(shop: str, wrong: dict[str, object], param: str) -> None:
    right = a_new_payment_link(shop)
    asked = orders.NewPaymentLink(
        **{name: wrong.get(name, getattr(right, name)) for name in right.__slots__}  # type: ignore[arg-type]
    )
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)), pytest.raises(Invalid) as refused:
        orders.create_payment_link(asked, by=OWNER)
    assert refused.value.param == param


def test_another_merchant_finds_no_link_and_changes_none(shop: str) -> None:
    link, rival = a_payment_link(shop), a_merchant()
    with db.scoped(db.Scope(merchant_id=rival, livemode=False)):
        for refused in (
            lambda: orders.payment_link_of(rival, link.id),
            lambda: orders.payment_link_of(shop, link.id),
            lambda: orders.end_payment_link(shop, link.id, by=OWNER),
            lambda: orders.note_on_payment_link(shop, link.id, {}, by=OWNER),
            lambda: orders.open_payment_link(orders.payment_link_for(link.token), by=SHOPPER),
            lambda: orders.payment_link_for("x" * 43),
        ):
            with pytest.raises(orders.PaymentLinkNotFound):
                refused()
