"""Words about refunds: reasons, ways, how one stands, what it will write into the books; pure."""

from __future__ import annotations

from dataclasses import dataclass

from webapp import refunds
from webapp.kernel import words
from webapp.kernel.money import Money
from webapp.payments import Anomaly
from webapp.refunds import Refund

REASONS: dict[str, str] = {
    "requested_by_customer": "The customer asked for it",
    "duplicate": "Paid twice",
    "fraudulent": "Fraudulent",
    "other": "Another reason",
}
DESTINATIONS: dict[str, str] = {
    "original": "Back the way it was paid",
    "wallet": "Into the shopper’s wallet",
    "order_credit": "As credit that pays another order",
}
BALANCE = "Your balance"
#: What is booked, by destination: when, from where, to where. The names are those of the ledger.
POSTINGS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "original": (
        ("When it leaves", "payable", "refunds_in_transit"),
        ("When the bank has it", "refunds_in_transit", "clearing_card"),
    ),
    "wallet": (("When it leaves", "payable", "wallet"),),
    "order_credit": (
        ("When it leaves", "payable", "store_credit"),
        ("At once after it", "store_credit", "payable"),
    ),
}
ACCOUNTS = {
    "payable": BALANCE,
    "refunds_in_transit": "Refunds on their way",
    "clearing_card": "With the provider, from cards",
    "wallet": "The shopper’s wallet",
    "store_credit": "Store credit",
}


@dataclass(frozen=True, slots=True)
class PostingLine:
    """One line that a refund will write into the books."""

    moment: str
    source: str
    target: str
    amount: Money


def postings(destination: str, amount: Money) -> list[PostingLine]:
    """Return exactly what a refund will book, in order."""
    return [
        PostingLine(moment, ACCOUNTS[source], ACCOUNTS[target], amount)
        for moment, source, target in POSTINGS[destination]
    ]


def standing(refund: Refund, *, is_frozen: bool, because: str = "") -> str:
    """Return how a refund stands, in a row's few words beside its status, which they do not repeat.

    `because` is why it moved the last time.
    """
    expected = words.day_text(refund.expected_by) if refund.expected_by else ""
    return {
        "requested": "Waits for a second person",
        "approved": "Waits: refunds are frozen" if is_frozen else "Can still be undone",
        "unsent": "The provider was asked and has not answered",
        "sent": f"Expected by {expected}" if expected else "The bank has it",
        "succeeded": _arrived(refund, expected),
        "failed": f"Failed: {refunds.advice_on(refund.failure_code).label}",
        "cancelled": because or "Nothing was sent",
    }[refund.status]


#: What stands instead of its state's sentence of a refund that only a freeze keeps here.
FROZEN = "Refunds are frozen by the platform: it leaves once they are let go again."


def approved_says(*, is_frozen: bool) -> str:
    """Return what to say to whoever has just approved a refund."""
    if is_frozen:
        return "The refund is approved. It waits until refunds are let go again."
    return "The refund is approved. It leaves in a moment; until then it can be undone."


#: What a shopper hears of: before it leaves, a refund may still be undone.
TOLD_TO_SHOPPERS = frozenset({"unsent", "sent", "succeeded", "failed"})


def shopper_says(refund: Refund, seller: str) -> tuple[str, str]:
    """Return what the shopper reads of a refund that has left: the fact, and what comes next."""
    amount = words.money_text(refund.amount)
    expected = words.day_text(refund.expected_by) if refund.expected_by else "its usual day"
    if refund.status == "succeeded":
        return _shopper_has_it(refund, amount, expected)
    if refund.status == "failed":
        label = refunds.advice_on(refund.failure_code).label
        where = f"The money is with {seller} again. Ask {seller} how you get it."
        if refund.anomaly_id is not None:
            where = f"The money is kept apart again until {seller} decides how you get it."
        return f"A refund of {amount} did not reach you: {label}.", where
    if refund.status == "sent":
        return (
            f"A refund of {amount} was sent to your bank.",
            f"It is on your account by {expected} at the latest.",
        )
    return f"A refund of {amount} is on its way.", "It has not been sent to your bank yet."


#: What the shopper reads of money that came and fits no order, by where the decision stands.
ASIDE_TO_SHOPPERS = {
    "open": "It is kept apart until {seller} decides: it goes back to you, or it pays your order.",
    "refunding": "It is on its way back to you.",
    "refunded": "It was given back to you.",
    "applying": "It is being used to pay an order of yours.",
    "applied": "It paid an order of yours.",
    "accepted": "It was accepted as the payment of the order.",
}
#: Why that money fits no order, to the shopper whose it is.
ASIDE_BECAUSE = {
    "late_success": "It came after the order could no longer be paid.",
    "double_payment": "The order was paid already, so it came twice.",
    "overpaid": "It is more than the order asks for.",
    "underpaid": "It is less than the order asks for.",
    "amount_mismatch": "It came in another currency than the order asks for.",
}


def aside_says(found: Anomaly, seller: str) -> str:
    """Return what the shopper reads of money of theirs that fits no order: why, and what next."""
    stands = ASIDE_TO_SHOPPERS[found.status].format(seller=seller)
    return f"{ASIDE_BECAUSE[found.kind]} {stands}"


def _arrived(refund: Refund, expected: str) -> str:
    if refund.destination == "wallet":
        return "In the shopper’s wallet"
    if refund.destination == "order_credit":
        return "Paid another order"
    return f"With the shopper by {expected}" if expected else "With the shopper"


def _shopper_has_it(refund: Refund, amount: str, expected: str) -> tuple[str, str]:
    if refund.destination == "wallet":
        return f"{amount} was refunded.", "It is in your wallet; you can pay with it at once."
    if refund.destination == "order_credit":
        return f"{amount} was credited.", "It paid another order of yours."
    return f"{amount} was refunded.", f"It is on your account by {expected} at the latest."
