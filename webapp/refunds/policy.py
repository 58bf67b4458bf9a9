"""How much, who and when: functions of what they are given, and the settings' two numbers.

Only whose a key is that asked for a refund is looked up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from webapp import accounts, payments
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.payments import Payment
from webapp.refunds.errors import SameApprover
from webapp.refunds.models import Refund
from webapp.refunds.states import ARRIVES_WITHIN, Destination

MAX_NOTE = 500
MAX_METADATA = 50
#: Where a refund leads by itself when it was paid so.
STORED_METHODS = frozenset({"wallet"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a refund can be undone, and above how many minor units two people are needed."""

    undo: dt.timedelta = dt.timedelta(seconds=30)
    approval: Mapping[str, int] = field(default_factory=lambda: payments.APPROVAL)

    def approval_minor(self, currency: str) -> int:
        """Return above how many minor units of a currency two people are needed."""
        return self.approval.get(currency, payments.one_person_limit(currency).minor)


def needs_approval(payment: Payment, amount: Money, limits: Limits) -> bool:
    """Whether a second person approves: counted with what is refunded of the payment already.

    So a large refund does not pass as several small ones.
    """
    return payment.refund_reserved_minor + amount.minor > limits.approval_minor(amount.currency)


def why_not_approve(refund: Refund, by: Actor) -> SameApprover | None:
    """Return the refusal where `by` may not approve: whoever asked, or nobody in particular.

    Where a key asked, whoever made the key asked too.
    """
    if by.id is None or by.id == refund.requested_by_id:
        return SameApprover()
    asked_by_key = refund.requested_by_kind == "api_key"
    if asked_by_key and by.id in accounts.makers_of_key(refund.requested_by_id):
        return SameApprover(SameApprover.by_own_key)
    return None


def why_not_payment(payment: Payment, *, is_top_up: bool) -> str | None:
    """Return why nothing of this payment can be refunded, whatever the amount, or None."""
    if is_top_up:
        return "Money added to a wallet stays there: it is its owner’s to spend."
    if payment.status != "captured":
        return "Only a payment that was taken can be refunded."
    if not payment.refundable:
        return "All of this payment is refunded, or about to be."
    return None


def why_not_destination(payment: Payment, destination: str) -> str | None:
    """Return why a payment cannot be refunded there, or None."""
    if destination == Destination.WALLET and payment.user_id is None:
        return "Whoever paid was not signed in, so there is no wallet to refund to."
    if destination == Destination.ORIGINAL and payment.provider_intent_id is None:
        return "The provider has no record of this payment, so it cannot go back to a card."
    return None


def resolved(payment: Payment, destination: str) -> str:
    """Return where the money goes: what was paid from stored value goes back into the wallet."""
    if destination == Destination.ORIGINAL and payment.method_kind in STORED_METHODS:
        return Destination.WALLET
    return destination


def expected_by(destination: str, today: dt.date) -> dt.date:
    """Return by which day the shopper should have it."""
    return today + ARRIVES_WITHIN if destination == Destination.ORIGINAL else today
