"""What people are told of refunds: on the way, arrived, or not; with what to quote to the bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from webapp import accounts, orders, payments, refunds
from webapp.kernel import db
from webapp.notifications import letters, sentences, writing
from webapp.notifications.writing import Told
from webapp.orders import Order
from webapp.outbox import Fact
from webapp.payments import Payment
from webapp.refunds import Refund

SENT, SUCCEEDED, FAILED = "refund.sent", "refund.succeeded", "refund.failed"
TOLD_OF = frozenset({SENT, SUCCEEDED, FAILED})
LETTER = "refund"


@dataclass(frozen=True, slots=True)
class _About:
    """A refund with what its words need; `target` is the order that a credit pays."""

    refund: Refund
    payment: Payment
    order: Order
    target: Order | None
    merchant: accounts.MerchantCard | None

    @property
    def facts(self) -> sentences.RefundWords:
        """Return what the sentences are made of, as it stands now."""
        return sentences.RefundWords(
            amount=self.refund.amount,
            order_number=self.order.number,
            destination=self.refund.destination,
            target_number=self.target.number if self.target else "",
            expected_by=self.refund.expected_by,
            bank_reference=self.refund.bank_reference or "",
        )


def tell(facts: Sequence[Fact], *, portal: str) -> list[Told]:
    """Write the messages and mails about these facts of refunds (a step); `portal` for links.

    The shopper hears of money that is on its way, and of its failing only after that; whoever
    asked for a refund hears of its failing always. Returns the new messages.
    """
    told: list[Told] = []
    found = _abouts(facts) if facts else {}
    for fact in facts:
        about = found[fact.subject_id]
        if fact.name == FAILED:
            told += _tell_clerk(fact, about)
        if fact.name != FAILED or about.refund.sent_at is not None:
            told += _tell_shopper(fact, about, portal)
    return told


def _tell_clerk(fact: Fact, about: _About) -> list[Told]:
    if about.refund.requested_by_kind != "merchant_user":
        return []
    advice = refunds.advice_on(about.refund.failure_code)
    text = sentences.refund_failed_for_clerk(about.facts, advice.says, advice.do)
    return writing.to_inbox(fact, about.refund.requested_by_id, text)


def _tell_shopper(fact: Fact, about: _About, portal: str) -> list[Told]:
    said = _sentence(fact, about)
    address = writing.address_of(about.payment)
    if address:
        letter = letters.render(
            LETTER,
            said=said,
            title=_title(fact, about),
            amount=about.refund.amount,
            order_number=about.order.number,
            merchant_name=about.merchant.name if about.merchant else "",
            expected_by=_expected(fact, about),
            bank_reference=about.refund.bank_reference or "",
            refund_id=about.refund.id,
            mode="live" if about.refund.livemode else "test",
            link=f"{portal}/home/payments/{about.payment.id}" if _can_look(about, portal) else "",
        )
        writing.by_mail(fact, address, letter, LETTER)
    return writing.to_inbox(fact, about.refund.user_id, said)


def _sentence(fact: Fact, about: _About) -> str:
    if fact.name == SENT:
        return sentences.refund_sent(about.facts)
    if fact.name == SUCCEEDED:
        return sentences.refund_succeeded(about.facts)
    return sentences.refund_failed(about.facts, is_set_aside=about.refund.anomaly_id is not None)


def _title(fact: Fact, about: _About) -> str:
    if fact.name == FAILED:
        return sentences.refund_title(about.facts, "did not arrive")
    return sentences.refund_title(
        about.facts, "is on its way" if fact.name == SENT else sentences.arrived(about.facts)
    )


def _expected(fact: Fact, about: _About) -> str:
    is_bank = about.refund.destination == refunds.Destination.ORIGINAL
    due = about.refund.expected_by if is_bank and fact.name != FAILED else None
    return sentences.day(due) if due else ""


def _can_look(about: _About, portal: str) -> bool:
    """Whether there is a page for whoever gets the mail: a payment of their own."""
    return bool(portal) and about.refund.user_id is not None


def _abouts(facts: Sequence[Fact]) -> dict[str, _About]:
    wanted = select(Refund).where(Refund.id.in_({fact.subject_id for fact in facts}))
    found = db.session.scalars(wanted.execution_options(populate_existing=True)).all()
    paid = _payments([refund.payment_id for refund in found])
    targets = [refund.target_order_id for refund in found if refund.target_order_id]
    about = orders.orders_with_ids([*targets, *(one.order_id for one in paid.values())])
    cards = accounts.merchant_cards(one.merchant_id or "" for one in paid.values())
    return {
        refund.id: _About(
            refund=refund,
            payment=paid[refund.payment_id],
            order=about[paid[refund.payment_id].order_id],
            target=about.get(refund.target_order_id or ""),
            merchant=cards.get(refund.merchant_id or ""),
        )
        for refund in found
    }


def _payments(payment_ids: Sequence[str]) -> dict[str, Payment]:
    wanted = select(payments.Payment).where(payments.Payment.id.in_(payment_ids))
    return {payment.id: payment for payment in db.session.scalars(wanted)}
