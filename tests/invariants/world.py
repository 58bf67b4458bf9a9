"""A small world in which everything has happened once, and how to break it behind every guard."""

from __future__ import annotations

from sqlalchemy import text

from tests.builders import (
    Someone,
    a_checkout,
    a_merchant,
    a_payment,
    a_person,
    an_admin,
    answered,
    card_tried,
    inr,
    money_in_wallet,
    succeeded,
    wallet_tried,
)
from tests.refunds import builders as refunding
from tests.stories import scalar
from tests.webhooks import hooks
from webapp import audit, corrections, invariants, ledger, wallets
from webapp.gateway import Outcome, Result
from webapp.invariants import Reach
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.kernel.proof import Found
from webapp.outbox import Actor
from webapp.payments import Status

AS_ADMIN = db.Scope(role=db.Role.ADMIN, livemode=False)


def everything_once() -> str:
    """Make payments, refunds, money set aside and a correction; returns the merchant's id."""
    merchant_id = a_merchant()
    hooks.an_endpoint(merchant_id)
    paid = a_payment(Status.CAPTURED, merchant_id)
    for end in (Status.AWAITING_METHOD, Status.REQUIRES_ACTION, Status.CANCELLED):
        a_payment(end, merchant_id)
    person = a_person()
    money_in_wallet(person, inr(5_000_00))
    wallet_tried(a_checkout(merchant_id, inr(300_00)), person)
    money_sent(person, a_person(), inr(25_00))
    refunding.asked(paid, inr(100_00))
    refunding.asked(paid, inr(200_00))
    refunding.released()
    gone = a_payment(Status.CAPTURED, merchant_id)
    back = refunding.asked(gone, inr(400_00))
    refunding.released()
    refunding.told(back, refunding.paid_out("re_given", inr(400_00)))
    paid_twice(merchant_id)
    corrected(paid)
    hooks.tell()
    hooks.Server().drain(at_most=5)
    with db.scoped(db.WORKER):
        audit.seal_pending()
        ledger.fold_checkpoints()
    return merchant_id


def money_sent(sender: Someone, recipient: Someone, amount: Money) -> None:
    """Have one person send another money from wallet to wallet."""
    asked = wallets.NewTransfer(sender.id, recipient.email, amount, livemode=False)
    with db.scoped(db.Scope(user_id=sender.id, livemode=False)):
        wallets.transfer(asked, by=Actor("shopper", sender.id))


def paid_twice(merchant_id: str) -> None:
    """Let the provider take another amount than was asked: it waits in suspense."""
    payment_id = card_tried(a_checkout(merchant_id, inr(50_00)))
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"))
    answered(payment_id, succeeded(inr(60)))


def corrected(payment_id: str) -> None:
    """Give the merchant a part of a payment's fee back, with two signatures."""
    reference = f"payment.captured:{payment_id}"
    with db.scoped(AS_ADMIN):
        found = ledger.transfer_by_reference(reference)
        assert found is not None
        detail = ledger.transfer(found.id)
        merchant_id = detail.transfer.merchant_id
        lines = [
            (
                ledger.fees(False, "INR").name,
                ledger.payable(merchant_id, False, "INR").name,
                inr(5_00),
            )
        ]
        proposal = corrections.adjustment(detail, lines)
    asks, decides = (Actor("admin", an_admin().id) for _ in range(2))
    with db.scoped(AS_ADMIN):
        asked = corrections.request(proposal, because="The fee was too high.", by=asks)
        corrections.approve(asked.id, by=decides)


def damage(statement: str) -> None:
    """Do what no role can, inside the test's own transaction: change rows with every guard off."""
    with db.scoped(db.OWNER), db.transaction() as session:
        session.execute(text("SELECT set_config('role', 'postgres', true)"))
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for one in statement.split(";"):
            session.execute(text(one))
        session.execute(text("SET LOCAL session_replication_role = origin"))


def looked(name: str, reach: Reach = Reach.ALL) -> Found:
    """Make one check as a worker does."""
    with db.scoped(db.WORKER):
        return invariants.run(name, reach)


def rows_of(name: str) -> int:
    """Return how many things the last look at everything found."""
    return int(
        scalar("SELECT found FROM invariant_result WHERE name = :name AND reach = 'all'", name=name)
    )
