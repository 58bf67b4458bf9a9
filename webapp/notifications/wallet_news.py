"""What people are told of money that they send each other: both of them, each in their words."""

from __future__ import annotations

from collections.abc import Sequence

from webapp import accounts, wallets
from webapp.kernel.money import Money
from webapp.notifications import sentences, writing
from webapp.notifications.writing import Told
from webapp.outbox import Fact

SENT = "wallet.transferred"


def tell(facts: Sequence[Fact]) -> list[Told]:
    """Write to both people about each sending (a step); returns the new messages."""
    told: list[Told] = []
    for fact in facts:
        sent = wallets.transfer_of(fact.snapshot["sender"], fact.subject_id)
        told += _tell_both(fact, sent.user_id, sent.recipient_id, sent.amount, sent.note)
    return told


def _tell_both(
    fact: Fact, sender_id: str, recipient_id: str, amount: Money, note: str
) -> list[Told]:
    sender, recipient = accounts.user_of(sender_id).name, accounts.user_of(recipient_id).name
    return [
        *writing.to_inbox(fact, sender_id, sentences.money_sent(amount, recipient)),
        *writing.to_inbox(fact, recipient_id, sentences.money_received(amount, sender, note)),
    ]
