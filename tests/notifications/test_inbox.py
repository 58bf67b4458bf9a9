"""What people find in their inbox after a payment: once, and nobody else finds it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.builders import a_checkout, answered, calls_answered, card_tried, held, succeeded
from tests.jobs.shop import Shop, a_person, open_shop
from webapp import notifications, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import db, ids
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.notifications import Mail, Told
from webapp.outbox import Actor, Fact
from webapp.payments import Payer

RETURN_URL = "http://localhost:8000/checkout/secret-token/return"


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A merchant and a shopper, in the test's own transaction."""
    return open_shop(None)  # type: ignore[arg-type]


def captured(shop: Shop, minor: int = 1_000_00, *, as_guest: bool = False) -> list[Fact]:
    """Pay an order by card, as its provider would tell it; returns the facts of the payment."""
    ref = shop.order(minor)
    payer = Payer(None if as_guest else shop.shopper_id, shop.shopper_email)
    with db.scoped(shop.scope):
        paid = payments.start_card(ref, "pm_card_visa", return_url=RETURN_URL, payer=payer)
    with db.scoped(db.WORKER):
        answer = Outcome(Result.SUCCEEDED, amount=Money(minor, "INR"), intent_id=ids.new("form"))
        payments.apply(paid, answer)
        return list(db.session.scalars(select(Fact).where(Fact.subject_id == paid)))


def tell(facts: Sequence[Fact]) -> list[Told]:
    with db.transaction(db.WORKER):
        return notifications.notify(facts)


def inbox(user_id: str) -> list[str]:
    with db.scoped(db.Scope(user_id=user_id)):
        return [one.text for one in notifications.inbox_of(user_id, page=PageRequest()).rows]


def mails_about(payment_id: str) -> int | None:
    with db.scoped(db.WORKER):
        return db.session.scalar(
            select(func.count()).select_from(Mail).where(Mail.about_id == payment_id)
        )


@pytest.mark.requirement("S3-10", "S2-61")
def test_a_paid_order_is_in_the_shoppers_inbox_word_for_word(shop: Shop) -> None:
    (told,) = tell(captured(shop))
    assert told.user_id == shop.shopper_id
    assert inbox(shop.shopper_id) == ["Your payment of ₹1,000 for Order #1001 is successful."]
    tell(captured(shop, 500_50))
    assert inbox(shop.shopper_id)[0] == "Your payment of ₹500.50 for Order #1002 is successful."


def test_of_a_part_that_was_taken_people_read_the_part(shop: Shop) -> None:
    """The order asks for ₹2,000; ₹1,500 of it was taken and the rest let go."""
    link = a_checkout(shop.merchant_id, Money(2_000_00, "INR"), capture_later=True)
    payer = Payer(shop.shopper_id, shop.shopper_email)
    payment_id, method = card_tried(link, "pm_card_visa", payer=payer), "pm_card_visa"
    made = Outcome(Result.CREATED, intent_id=ids.new("form"))
    answered(payment_id, made, held(Money(2_000_00, "INR"), method))
    calls_answered(payment_id)
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        part = Money(1_500_00, "INR")
        payments.capture(payment_id, amount=part, by=Actor("merchant_user", shop.shopper_id))
    answered(payment_id, succeeded(part, method))
    with db.scoped(db.WORKER):
        facts = list(db.session.scalars(select(Fact).where(Fact.subject_id == payment_id)))
    tell(facts)
    assert inbox(shop.shopper_id)[0].startswith("Your payment of ₹1,500 for Order ")
    with db.scoped(db.WORKER):
        notifications.drain_mail(None, is_demo=True)
        subjects = [mail.subject for mail in notifications.mailbox(page=PageRequest()).rows]
    assert [one for one in subjects if "Receipt: ₹1,500.00" in one], subjects


def test_told_again_people_find_one_message_and_one_receipt(shop: Shop) -> None:
    facts = captured(shop)
    assert len(tell(facts)) == 1
    assert tell(facts) == []
    assert tell(facts + facts) == []
    assert len(inbox(shop.shopper_id)) == 1
    assert mails_about(facts[0].subject_id) == 1


def test_only_a_captured_payment_is_announced(shop: Shop) -> None:
    facts = [fact for fact in captured(shop) if fact.name != "payment.captured"]
    assert {fact.name for fact in facts} >= {"payment.created", "payment.processing"}
    assert tell(facts) == []
    assert inbox(shop.shopper_id) == []
    assert mails_about(facts[0].subject_id) == 0


@pytest.mark.requirement("S4-14")
def test_a_guest_gets_a_receipt_and_no_message(shop: Shop) -> None:
    facts = captured(shop, as_guest=True)
    assert tell(facts) == []
    assert mails_about(facts[0].subject_id) == 1


def test_nobody_sees_another_persons_messages(shop: Shop) -> None:
    tell(captured(shop))
    stranger, _ = a_person()
    assert inbox(stranger) == []
    with db.scoped(db.Scope(user_id=stranger)):
        seen = notifications.inbox_of(shop.shopper_id, page=PageRequest()).rows
        assert list(seen) == [], "not even by asking for them"
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        assert list(notifications.inbox_of(shop.shopper_id, page=PageRequest()).rows) == []
    with db.scoped(db.NOBODY):
        assert list(notifications.inbox_of(shop.shopper_id, page=PageRequest()).rows) == []


def test_messages_are_counted_until_they_are_read_and_only_by_their_owner(shop: Shop) -> None:
    first, second = tell(captured(shop)), tell(captured(shop))
    stranger, _ = a_person()
    with db.scoped(db.Scope(user_id=stranger)):
        assert notifications.mark_read(shop.shopper_id) == 0
    with db.scoped(db.Scope(user_id=shop.shopper_id)):
        assert notifications.unread_count(shop.shopper_id) == 2
        assert notifications.mark_read(shop.shopper_id, [first[0].message_id]) == 1
        assert notifications.unread_count(shop.shopper_id) == 1
        assert notifications.mark_read(shop.shopper_id) == 1
        assert notifications.mark_read(shop.shopper_id) == 0
        assert notifications.unread_count(shop.shopper_id) == 0
    assert second[0].user_id == shop.shopper_id


def test_the_inbox_is_read_page_by_page(shop: Shop) -> None:
    for minor in range(1_00, 6_00, 1_00):
        tell(captured(shop, minor))
    with db.scoped(db.Scope(user_id=shop.shopper_id)):
        first = notifications.inbox_of(shop.shopper_id, page=PageRequest(limit=2))
        assert [one.text.split()[3] for one in first.rows] == ["₹5", "₹4"]
        assert first.newer is None
        before = PageRequest(limit=2, before=first.rows[-1].id)
        second = notifications.inbox_of(shop.shopper_id, page=before)
        assert [one.text.split()[3] for one in second.rows] == ["₹3", "₹2"]
        after = PageRequest(limit=2, after=second.rows[0].id)
        back = notifications.inbox_of(shop.shopper_id, page=after)
        assert [one.id for one in back.rows] == [one.id for one in first.rows]
