"""What stands in the way of refunding a payment: reasons that other rooms register here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from webapp.orders import Order
from webapp.payments import Payment
from webapp.refunds import policy

#: Returns why this payment must not be refunded now, as a sentence for the merchant, or None.
Blocker: TypeAlias = Callable[[Payment], str | None]

_blockers: dict[str, Blocker] = {}


def block_by(name: str, why_not: Blocker) -> None:
    """Have `why_not` asked before a refund is made, approved and sent; `name` is its room's.

    Registering under the same name again replaces it, so that every process does so at start.
    """
    _blockers[name] = why_not


def unblock_by(name: str) -> None:
    """Have that room no longer asked."""
    _blockers.pop(name, None)


def blocked_because(payment: Payment) -> list[str]:
    """Return what other rooms have against refunding this payment, in sentences."""
    reasons = (why_not(payment) for _name, why_not in sorted(_blockers.items()))
    return [reason for reason in reasons if reason]


def why_not_refund(payment: Payment, order: Order) -> list[str]:
    """Return every reason why this payment cannot be refunded now; empty when it can."""
    own = policy.why_not_payment(payment, is_top_up=order.kind == "top_up")
    return [reason for reason in (own, *blocked_because(payment)) if reason]
