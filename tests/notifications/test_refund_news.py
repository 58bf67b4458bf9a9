"""What shoppers and shops are told of refunds: once, in words, with what to quote to the bank."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from tests.builders import (
    Someone,
    a_checkout,
    a_merchant,
    a_person,
    an_order,
    answered,
    card_tried,
    inr,
    succeeded,
)
from tests.refunds.builders import PRICE, asked, bounced, paid_out, refund_now, released, sent, told
from tests.stories import behind
from webapp import notifications
from webapp.gateway import Failure, Outcome, Result
from webapp.kernel import db, words
from webapp.kernel.paging import PageRequest
from webapp.notifications import Mail, sentences
from webapp.notifications.sentences import RefundWords
from webapp.outbox import Actor, Fact
from webapp.payments import Payer


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


@pytest.fixture
def shopper(app: Flask) -> Someone:
    """Somebody who buys."""
    return a_person()


def bought(shop: str, payer: Payer) -> str:
    """Have an order paid by card; returns the payment's id."""
    payment_id = card_tried(a_checkout(shop, PRICE), payer=payer)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"), succeeded(PRICE))
    return payment_id


def all_told(refund_id: str) -> None:
    """Tell people everything about a refund, twice."""
    with db.transaction(db.WORKER) as session:
        facts = list(session.scalars(select(Fact).where(Fact.subject_id == refund_id)))
        notifications.notify(facts)
        assert notifications.notify(facts) == []


def inbox(user_id: str) -> list[str]:
    """Return somebody's messages, the first first."""
    with db.scoped(db.Scope(user_id=user_id)):
        rows = notifications.inbox_of(user_id, page=PageRequest()).rows
        return [one.text for one in reversed(rows)]


def mails(refund_id: str) -> list[Mail]:
    """Return the mails about a refund, the first first."""
    with db.scoped(behind()):
        wanted = select(Mail).where(Mail.about_id == refund_id).order_by(Mail.id)
        return list(db.session.scalars(wanted))


def expected(refund_id: str) -> str:
    """Return the day by which a refund is expected, as it is written."""
    day = refund_now(refund_id).expected_by
    assert day is not None
    return words.day_text(day)


def test_the_shopper_follows_a_refund_from_its_leaving_to_its_end(
    shop: str, shopper: Someone
) -> None:
    refund_id = asked(bought(shop, shopper.payer), inr(500_00))
    released()
    told(refund_id, sent(amount=inr(500_00)), paid_out(amount=inr(500_00)))
    all_told(refund_id)
    what, day = "Your refund of ₹500 for Order #1001", expected(refund_id)
    arrives = f"It usually arrives by {day}."
    assert inbox(shopper.id) == [
        f"{what} is on its way. {arrives}",
        f"{what} has been sent to your bank. {arrives} Quote 7412034567 to your bank.",
    ]
    first, second = mails(refund_id)
    assert (first.to, first.subject) == (shopper.email, f"[Test] {what} is on its way")
    assert second.subject == f"[Test] {what} was sent to your bank"
    for body in (second.text_body, second.html_body):
        assert "7412034567" in body
        assert day in body
        assert "₹500.00" in body


def test_a_guest_is_told_by_mail_alone(shop: str) -> None:
    refund_id = asked(bought(shop, Payer(None, "guest@people.example")))
    released()
    told(refund_id, paid_out())
    all_told(refund_id)
    (mail,) = mails(refund_id)
    assert mail.to == "guest@people.example"
    assert "/home/payments/" not in mail.text_body


def test_a_refund_that_came_back_is_told_to_the_shopper_and_to_whoever_asked(
    shop: str, shopper: Someone
) -> None:
    clerk = a_person()
    payment_id = bought(shop, shopper.payer)
    refund_id = asked(payment_id, by=Actor("merchant_user", clerk.id))
    released()
    told(refund_id, paid_out(), bounced())
    all_told(refund_id)
    assert inbox(shopper.id)[-1] == (
        "Your refund of ₹1,000 for Order #1001 did not arrive."
        " The shop has the money and will find another way."
    )
    (line,) = inbox(clerk.id)
    assert line.startswith("The refund of ₹1,000 for Order #1001 failed. The card has expired")


def test_what_never_left_worries_no_shopper(shop: str, shopper: Someone) -> None:
    clerk = a_person()
    refund_id = asked(bought(shop, shopper.payer), by=Actor("merchant_user", clerk.id))
    released()
    told(refund_id, Failure("charge_disputed"), purpose="refund")
    all_told(refund_id)
    assert (inbox(shopper.id), mails(refund_id)) == ([], [])
    assert len(inbox(clerk.id)) == 1


def test_money_in_the_wallet_and_credit_are_told_as_what_they_are(
    shop: str, shopper: Someone
) -> None:
    payment_id = bought(shop, shopper.payer)
    wallet = asked(payment_id, inr(100_00), destination="wallet")
    target = an_order(shop, inr(200_00), user_id=shopper.id)
    number, target_id = target.number, target.id
    credit = asked(payment_id, inr(200_00), destination="order_credit", target_order_id=target_id)
    assert released() == 2
    for refund_id in (wallet, credit):
        all_told(refund_id)
    assert inbox(shopper.id) == [
        "Your refund of ₹100 for Order #1001 is in your wallet.",
        f"Your refund of ₹200 for Order #1001 has paid Order #{number}.",
    ]


def test_set_aside_money_is_ours_to_find_another_way_for() -> None:
    said = RefundWords(inr(1_000_00), "1001", expected_by=dt.date(2026, 12, 1))
    assert sentences.refund_failed(said, is_set_aside=True).endswith(
        "did not arrive. We have the money and will find another way."
    )
    assert sentences.refund_sent(said).endswith("It usually arrives by 1 Dec 2026.")
