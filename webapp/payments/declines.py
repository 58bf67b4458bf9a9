"""Why a payment was declined: what to tell the shopper and the merchant, and whose step is next.

Codes are the card industry's as Stripe publishes them (docs: decline codes); the words are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Whose fault a decline is."""

    SHOPPER = "shopper"
    BANK = "bank"
    PROVIDER = "provider"
    US = "us"


@dataclass(frozen=True, slots=True)
class DeclineAdvice:
    """One kind of decline in plain words."""

    code: str
    shopper_says: str
    shopper_does: str
    merchant_says: str
    fault: Fault
    same_card_may_work: bool


OTHER_METHOD = "Use another card or method."
ASK_BANK = "Ask your bank, or use another card or method."


def _advice(
    code: str, shopper_says: str, shopper_does: str, merchant_says: str, fault: Fault = Fault.BANK
) -> DeclineAdvice:
    return DeclineAdvice(
        code, shopper_says, shopper_does, merchant_says, fault, code in _SAME_CARD_MAY_WORK
    )


_SAME_CARD_MAY_WORK = frozenset(
    {
        "incorrect_cvc",
        "incorrect_number",
        "invalid_cvc",
        "invalid_expiry_year",
        "insufficient_funds",
        "processing_error",
        "try_again_later",
        "provider_unavailable",
        "authentication_required",
        "payment_intent_authentication_failure",
    }
)

_ALL = [
    _advice(
        "generic_decline",
        "Your bank declined the card without giving a reason.",
        ASK_BANK,
        "The bank declined without a reason.",
    ),
    _advice(
        "insufficient_funds",
        "The card does not have enough money available.",
        "Use another card, or try again once there is money on it.",
        "Not enough money on the card.",
        Fault.SHOPPER,
    ),
    _advice(
        "lost_card",
        "Your bank declined the card.",
        ASK_BANK,
        "The card is reported lost. The shopper is told only that the bank declined.",
    ),
    _advice(
        "stolen_card",
        "Your bank declined the card.",
        ASK_BANK,
        "The card is reported stolen. The shopper is told only that the bank declined.",
    ),
    _advice(
        "expired_card",
        "The card has expired.",
        OTHER_METHOD,
        "The card has expired.",
        Fault.SHOPPER,
    ),
    _advice(
        "incorrect_cvc",
        "The security code does not match the card.",
        "Check the code on the card and try again.",
        "The security code was wrong.",
        Fault.SHOPPER,
    ),
    _advice(
        "invalid_cvc",
        "The security code is not complete.",
        "Check the code on the card and try again.",
        "The security code was not valid.",
        Fault.SHOPPER,
    ),
    _advice(
        "incorrect_number",
        "The card number is not right.",
        "Check the number and try again.",
        "The card number was wrong.",
        Fault.SHOPPER,
    ),
    _advice(
        "invalid_expiry_year",
        "The expiry date is not valid.",
        "Check the date on the card and try again.",
        "The expiry date was not valid.",
        Fault.SHOPPER,
    ),
    _advice(
        "processing_error",
        "Your bank could not process the card just now.",
        "Try again in a minute, or use another card.",
        "The bank had a fault while processing.",
        Fault.PROVIDER,
    ),
    _advice(
        "card_velocity_exceeded",
        "The card has been used too often, or for too much, in a short time.",
        ASK_BANK,
        "The card is over its limit of use.",
        Fault.SHOPPER,
    ),
    _advice(
        "fraudulent",
        "Your bank declined the card.",
        ASK_BANK,
        "The provider suspects fraud. The shopper is told only that the bank declined.",
    ),
    _advice(
        "do_not_honor",
        "Your bank declined the card without giving a reason.",
        ASK_BANK,
        "The bank declined without a reason.",
    ),
    _advice(
        "try_again_later",
        "Your bank could not answer just now.",
        "Try again in a minute.",
        "The bank asked to try again later.",
    ),
    _advice(
        "card_not_supported",
        "This card cannot be used for this kind of payment.",
        OTHER_METHOD,
        "The card does not support this payment.",
    ),
    _advice(
        "currency_not_supported",
        "This card cannot pay in this currency.",
        OTHER_METHOD,
        "The card does not support the currency.",
    ),
    _advice(
        "authentication_required",
        "Your bank wants to check that it is you, and that did not happen.",
        "Try again and finish your bank’s check.",
        "The bank asked for authentication, which did not happen.",
        Fault.SHOPPER,
    ),
    _advice(
        "payment_intent_authentication_failure",
        "Your bank could not confirm that it is you.",
        "Try again and finish your bank’s check, or use another card.",
        "The 3-D Secure check failed.",
        Fault.SHOPPER,
    ),
    _advice(
        "abandoned",
        "The payment on the provider’s page was not finished.",
        "Start again, or choose another method.",
        "The shopper left the provider’s page.",
        Fault.SHOPPER,
    ),
    _advice(
        "amount_too_small",
        "The payment provider does not take so small an amount.",
        "Write to the shop, or use another method.",
        "The amount is below the least that the provider takes in that currency.",
        Fault.US,
    ),
    _advice(
        "amount_too_large",
        "The payment provider does not take so large an amount.",
        "Write to the shop, or use another method.",
        "The amount is above the most that the provider takes in that currency.",
        Fault.US,
    ),
    _advice(
        "payment_method_unknown",
        "The payment provider does not know that card.",
        "Enter the card again, or use another method.",
        "The provider knows no payment method with the id that was sent: it is of another account"
        " or mode, or was never made.",
        Fault.US,
    ),
    _advice(
        "provider_unavailable",
        "The payment provider could not take the payment.",
        "Try again in a minute, or use another method.",
        "The provider refused the request.",
        Fault.PROVIDER,
    ),
]

CATALOGUE: dict[str, DeclineAdvice] = {advice.code: advice for advice in _ALL}


def advice_on(code: str | None) -> DeclineAdvice:
    """Return the advice on a decline's code; unknown codes get the advice on a bare decline."""
    return CATALOGUE.get(code or "", CATALOGUE["generic_decline"])
