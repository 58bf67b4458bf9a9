"""Orders are created with a number of their own, found again, cancelled once, paid once."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.builders import Someone, a_link, a_merchant, a_person, an_order, inr, succeeded
from tests.builders import answered as provider_says
from tests.builders import card_tried as tried
from tests.stories import scalar, story_is_whole
from webapp import orders
from webapp.kernel import db, ids
from webapp.kernel.errors import Invalid
from webapp.kernel.money import MAX_MINOR, Money
from webapp.kernel.paging import PageRequest, page_request
from webapp.orders import NewOrder, OrderFilter
from webapp.outbox import Actor

BY = Actor("merchant_user", "usr_x")
TEST = False


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


def scope(merchant_id: str) -> db.Scope:
    """Return the scope of a merchant's door."""
    return db.Scope(merchant_id=merchant_id, livemode=TEST)


def listed(shop: str, *, page: PageRequest | None = None, **asked: Any) -> list[str]:
    """Return the numbers of the orders that a filter selects."""
    with db.scoped(scope(shop)):
        found = orders.orders_of(
            shop, livemode=TEST, asked=OrderFilter(**asked), page=page or PageRequest()
        )
    return [order.number for order in found.rows]


@pytest.mark.requirement("S3-04")
def test_a_new_order_is_pending_and_has_the_next_number_of_its_merchant(shop: str) -> None:
    first, second, elsewhere = an_order(shop), an_order(shop), an_order(a_merchant())
    assert (first.status, first.FLOW.outside[first.status]) == ("pending", "PENDING")
    assert int(second.number) == int(first.number) + 1
    assert elsewhere.number == first.number
    story_is_whole("order", "shop_order", first.id)


@pytest.mark.requirement("S3-05")
def test_a_paid_order_is_completed_with_the_moment_of_it(shop: str) -> None:
    order = an_order(shop)
    payment_id = tried(a_link(order))
    provider_says(payment_id, succeeded(order.amount), succeeded(order.amount))
    with db.scoped(scope(shop)):
        found = orders.order_of(shop, order.id)
    assert found.FLOW.outside[found.status] == "COMPLETED"
    assert found.completed_at is not None
    assert found.version == 2
    story_is_whole("order", "shop_order", order.id)


@pytest.mark.requirement("S2-84")
@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"amount": Money(0, "INR")}, "amount"),
        ({"amount": Money(-1, "INR")}, "amount"),
        ({"amount": Money(MAX_MINOR + 1, "INR")}, "amount"),
        ({"amount": Money(1_234, "KWD")}, "amount"),
        ({"description": "x" * 201}, "description"),
        ({"description": "a\x00b"}, "description"),
        ({"description": "card 4242 4242 4242 4242"}, "description"),
        ({"details": {str(n): n for n in range(51)}}, "metadata"),
    ],
)
def test_a_wrong_order_is_refused_by_the_name_of_its_field(
    shop: str, changed: dict[str, object], param: str
) -> None:
    fields: dict[str, object] = {"amount": inr(1_00), **changed}
    with db.scoped(scope(shop)), pytest.raises(Invalid) as refused:
        orders.create(NewOrder(shop, TEST, **fields))  # type: ignore[arg-type]
    assert refused.value.param == param
    assert scalar("SELECT count(*) FROM shop_order WHERE merchant_id = :id", id=shop) == 0


@pytest.mark.parametrize("amount", [1.5, "100", True, None])
def test_an_amount_that_is_no_whole_number_is_no_amount(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "INR")  # type: ignore[arg-type]


def test_a_merchant_sees_just_its_own_orders(shop: str) -> None:
    order, rival = an_order(shop), a_merchant()
    for wanted in (order.id, ids.new("order")):
        with db.scoped(scope(rival)), pytest.raises(orders.OrderNotFound):
            orders.order_of(rival, wanted)
        with db.scoped(scope(rival)), pytest.raises(orders.OrderNotFound):
            orders.order_of(shop, wanted)
        with db.scoped(scope(rival)), pytest.raises(orders.OrderNotFound):
            orders.open_checkout(wanted)
        with db.scoped(scope(rival)), pytest.raises(orders.OrderNotFound):
            orders.cancel(wanted, by=BY)
    assert listed(rival) == []


def test_orders_are_found_by_number_id_address_and_status(shop: str) -> None:
    asked = NewOrder(shop, TEST, inr(5_00), customer_email="Meera.Pillai@people.example")
    with db.scoped(scope(shop)):
        hers = orders.create(asked)
        again = orders.create(asked)
    other = an_order(shop)
    with db.scoped(scope(shop)):
        orders.cancel(other.id, by=BY)
    assert hers.customer_id == again.customer_id
    assert listed(shop, text="meera.pillai@people.example") == [again.number, hers.number]
    assert listed(shop, text=f" #{hers.number} ") == [hers.number]
    assert listed(shop, text=other.id) == [other.number]
    assert listed(shop, status="cancelled") == [other.number]
    assert listed(shop, text="' OR true --") == []
    with db.scoped(scope(shop)):
        assert orders.order_counts(shop, livemode=TEST) == {"pending": 2, "cancelled": 1}
        customer = orders.customer_of(shop, hers.customer_id)
    assert customer is not None
    assert customer.email == "Meera.Pillai@people.example"
    stored = scalar("SELECT row_to_json(c)::text FROM customer c WHERE id = :i", i=customer.id)
    assert "illai" not in stored, "addresses are sealed"


def test_orders_come_in_pages_there_and_back(shop: str) -> None:
    numbers = [an_order(shop).number for _ in range(5)][::-1]
    with db.scoped(scope(shop)):
        first = orders.orders_of(
            shop, livemode=TEST, asked=OrderFilter(), page=PageRequest(limit=2)
        )
    assert [order.number for order in first.rows] == numbers[:2]
    assert first.newer is None
    older = page_request(older=first.older, newer=None, limit=2)
    assert listed(shop, page=older) == numbers[2:4]


def test_cancelling_twice_changes_nothing_and_a_paid_order_stays(shop: str) -> None:
    order, paid = an_order(shop), an_order(shop)
    link = a_link(order)
    provider_says(tried(a_link(paid)), succeeded(paid.amount))
    with db.scoped(scope(shop)):
        assert orders.cancel(order.id, by=BY).version == 2
        assert orders.cancel(order.id, by=BY).version == 2
        with pytest.raises(orders.OrderNotPayable):
            orders.cancel(paid.id, by=BY)
        with pytest.raises(orders.OrderNotPayable):
            orders.open_checkout(order.id)
        assert orders.checkout_of(link.ref.session_id).status == "expired"
    story_is_whole("checkout_session", "checkout_session", link.ref.session_id)


def test_a_links_token_is_kept_as_a_hash_and_opens_one_checkout(shop: str) -> None:
    link, other = a_link(an_order(shop)), a_link(an_order(shop))
    assert len(link.token) >= 43
    stored = scalar("SELECT string_agg(row_to_json(c)::text, '') FROM checkout_session c")
    assert link.token not in stored
    with db.scoped(db.NOBODY):
        assert orders.checkout_for(link.token) == link.ref
        for token in ("", "x" * 43, link.token[:-1], link.token + "a", other.token.swapcase()):
            with pytest.raises(orders.CheckoutNotFound):
                orders.checkout_for(token)


@pytest.mark.parametrize("text", ["₹ naïve 𝒯ea 茶", "<script>alert(1)</script>", "=1+1", " x "])
def test_what_a_merchant_writes_is_kept_as_it_is(shop: str, text: str) -> None:
    with db.scoped(scope(shop)):
        order = orders.create(NewOrder(shop, TEST, inr(1_00), description=text))
        assert orders.order_of(shop, order.id).description == text.strip()


def test_a_shopper_sees_the_orders_that_are_theirs(shop: str) -> None:
    person: Someone = a_person()
    mine, other = an_order(shop, user_id=person.id), an_order(shop)
    with db.scoped(db.Scope(user_id=person.id, livemode=TEST)):
        page = orders.orders_of_user(person.id, page=PageRequest())
        assert [order.id for order in page.rows] == [mine.id]
        assert set(orders.orders_with_ids([mine.id, other.id])) == {mine.id}
