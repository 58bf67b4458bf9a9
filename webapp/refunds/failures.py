"""Why refunds fail, in words: for the merchant, and for the shopper who waits for the money."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailureAdvice:
    """One reason: `label` for rows, what it says to the merchant, and what to do next."""

    label: str
    says: str
    do: str


_ANOTHER_WAY = "Refund into the shopper’s wallet, or agree on another way with them."
_ASK = "Ask the provider, with its number of the refund."

#: By the provider's failure reason or refusal code. Source: Stripe, "Refund object".
FAILURES: dict[str, FailureAdvice] = {
    "lost_or_stolen_card": FailureAdvice(
        "card closed", "The card was reported lost or stolen, so it takes no refunds.", _ANOTHER_WAY
    ),
    "expired_or_canceled_card": FailureAdvice(
        "card closed", "The card has expired or was closed.", _ANOTHER_WAY
    ),
    "declined": FailureAdvice(
        "bank declined", "The shopper’s bank did not accept the refund.", _ANOTHER_WAY
    ),
    "insufficient_funds": FailureAdvice(
        "balance too low",
        "The balance at the provider was too low to send it.",
        "Refund again when the balance allows.",
    ),
    "balance_insufficient": FailureAdvice(
        "balance too low",
        "The balance at the provider was too low to send it.",
        "Refund again when the balance allows.",
    ),
    "charge_for_pending_refund_disputed": FailureAdvice(
        "payment disputed",
        "The shopper disputed the payment before the refund arrived.",
        "Answer the dispute; do not refund as well.",
    ),
    "charge_disputed": FailureAdvice(
        "payment disputed",
        "The shopper has disputed the payment.",
        "Answer the dispute; do not refund as well.",
    ),
    "charge_already_refunded": FailureAdvice(
        "already refunded", "At the provider nothing of this payment is left to refund.", _ASK
    ),
    "merchant_request": FailureAdvice(
        "stopped at the provider", "Somebody stopped it at the provider.", "Refund again if needed."
    ),
    "canceled": FailureAdvice(
        "stopped at the provider", "Somebody stopped it at the provider.", "Refund again if needed."
    ),
    "not_found": FailureAdvice("unknown there", "The provider does not know the payment.", _ASK),
    "target_order_closed": FailureAdvice(
        "order closed",
        "The order that it was to pay was paid or cancelled meanwhile.",
        "Refund it in another way.",
    ),
    "target_order_busy": FailureAdvice(
        "order being paid",
        "The order that it was to pay was being paid in another way for too long.",
        "Refund it in another way.",
    ),
    "decided_not_done": FailureAdvice(
        "not sent", "A person found that it was never sent.", "Refund again."
    ),
}
UNKNOWN = FailureAdvice("refused", "The provider did not send it and gave no reason.", _ASK)


def advice_on(code: str | None) -> FailureAdvice:
    """Return the words for a failure code; there are some for every code."""
    return FAILURES.get(code or "", UNKNOWN)
