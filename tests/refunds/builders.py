"""Refunds in any state, made through the room's own verbs as the doors and workers call them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import text

from tests.builders import (
    GUEST,
    Someone,
    a_link,
    a_payment,
    a_person,
    an_order,
    answered,
    card_tried,
    inr,
    succeeded,
)
from tests.stories import behind
from webapp import payments, refunds
from webapp.gateway import Failure, Outcome, Result
from webapp.kernel import clock, db, ids
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.payments import Payer, Payment
from webapp.refunds import Refund

T = TypeVar("T")
CLERK = Actor("merchant_user", "usr_clerk")
OWNER = Actor("merchant_user", "usr_owner")
PRICE = inr(1_000_00)


def at_counter(payment_id: str, act: Callable[[], T]) -> T:
    """Do something as the merchant of a payment does: on the web's role, in its scope."""
    with db.scoped(behind()):
        payment = payments.any_payment(payment_id).payment
        scope = db.Scope(merchant_id=payment.merchant_id, livemode=payment.livemode)
    with db.scoped(scope):
        return act()


def a_member_of(merchant_id: str | None, role: str = "admin") -> str:
    """Return the id of somebody new who works for a merchant."""
    person = a_person("Member")
    with db.transaction(db.OWNER) as session:
        session.execute(
            text(
                "INSERT INTO membership (id, merchant_id, user_id, role, created_at)"
                " VALUES (:id, :merchant, :person, :role, now())"
            ),
            {
                "id": ids.new("membership"),
                "merchant": merchant_id,
                "person": person.id,
                "role": role,
            },
        )
    return person.id


def an_approver(merchant_id: str | None) -> Actor:
    """Return somebody who may approve a merchant's refunds."""
    return Actor("merchant_user", a_member_of(merchant_id))


def asked(payment_id: str, amount: Money | None = None, **more: Any) -> str:
    """Ask for a refund as a clerk; returns its id."""
    named: dict[str, Any] = {"reason": "requested_by_customer", "by": CLERK} | more
    return at_counter(
        payment_id,
        lambda: refunds.request(payment_id, amount=PRICE if amount is None else amount, **named).id,
    )


def released(*, after: dt.timedelta = dt.timedelta(minutes=1)) -> int:
    """Let the time of undoing pass, and what is due leave; returns how many left."""
    with db.scoped(behind()), clock.standing_at(clock.now() + after):
        return refunds.release_due()


def told(refund_id: str, *answers: Outcome | Failure, purpose: str | None = None) -> None:
    """Apply what the provider says, as a worker does."""
    with db.scoped(behind()):
        for answer in answers:
            refunds.apply(refund_id, answer, purpose=purpose)


def sent(refund_id: str = "re_provider1", amount: Money = PRICE) -> Outcome:
    """The provider has it and waits for the bank."""
    return Outcome(Result.REFUND_PENDING, refund_id=refund_id, amount=amount)


def paid_out(refund_id: str = "re_provider1", amount: Money = PRICE) -> Outcome:
    """The provider has paid it out."""
    return Outcome(
        Result.REFUND_SUCCEEDED, refund_id=refund_id, amount=amount, bank_reference="7412034567"
    )


def bounced(refund_id: str = "re_provider1", amount: Money = PRICE) -> Outcome:
    """The bank does not take it."""
    return Outcome(
        Result.REFUND_FAILED,
        refund_id=refund_id,
        amount=amount,
        failure_code="expired_or_canceled_card",
    )


def refund_now(refund_id: str) -> Refund:
    """Read a refund as it stands."""
    with db.scoped(behind()):
        return refunds.any_refund(refund_id).refund


def payment_now(payment_id: str) -> Payment:
    """Read a payment as it stands."""
    with db.scoped(behind()):
        return payments.any_payment(payment_id).payment


def a_paid_payment(merchant_id: str | None = None, amount: Money = PRICE) -> str:
    """Return the id of a payment that was taken by card."""
    return a_payment(payments.Status.CAPTURED, merchant_id, amount)


def a_payment_of(person: Someone, merchant_id: str, amount: Money = PRICE) -> str:
    """Return the id of a payment that somebody made by card, signed in."""
    payer = Payer(person.id, person.email)
    payment_id = card_tried(a_link(an_order(merchant_id, amount)), payer=payer)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"), succeeded(amount))
    return payment_id


def a_guests_payment(merchant_id: str, amount: Money = PRICE) -> str:
    """Return the id of a payment by card of the guest whose address `GUEST` is."""
    payment_id = card_tried(a_link(an_order(merchant_id, amount, email=GUEST)))
    intent = Outcome(Result.CREATED, intent_id=f"pi_{payment_id}")
    answered(payment_id, intent, succeeded(amount))
    return payment_id
