"""The provider's test cards as the guide lists them; a test compares them with the sandbox's."""

from __future__ import annotations

from dataclasses import dataclass

SUCCEEDS, DECLINES, ASKS, ASKS_DECLINES = (
    "It is paid.",
    "The bank declines it",
    "The bank asks the shopper to confirm (3-D Secure), then it is paid.",
    "The bank asks the shopper to confirm, then declines it.",
)


@dataclass(frozen=True, slots=True)
class ListedCard:
    """One card that the sandbox takes: its number as it is typed, its token, what happens."""

    number: str
    token: str
    brand: str
    does: str


def _visa(number: str, name: str, does: str) -> ListedCard:
    return ListedCard(number, f"pm_card_{name}" if name else "", "Visa", does)


TEST_CARDS: tuple[ListedCard, ...] = (
    _visa("4242 4242 4242 4242", "visa", SUCCEEDS),
    ListedCard("5555 5555 5555 4444", "pm_card_mastercard", "Mastercard", SUCCEEDS),
    ListedCard("3782 822463 10005", "pm_card_amex", "American Express", SUCCEEDS),
    ListedCard("6011 1111 1111 1117", "pm_card_discover", "Discover", SUCCEEDS),
    ListedCard("3056 9300 0902 0004", "pm_card_diners", "Diners Club", SUCCEEDS),
    ListedCard("3566 0020 2036 0505", "pm_card_jcb", "JCB", SUCCEEDS),
    ListedCard("6200 0000 0000 0005", "pm_card_unionpay", "UnionPay", SUCCEEDS),
    _visa("4000 0566 5566 5556", "visa_debit", f"{SUCCEEDS} A debit card."),
    _visa("4000 0035 6000 0008", "in", f"{SUCCEEDS} A card from India."),
    _visa("4000 0000 0000 0002", "visa_chargeDeclined", f"{DECLINES}: no reason given."),
    _visa(
        "4000 0000 0000 9995",
        "visa_chargeDeclinedInsufficientFunds",
        f"{DECLINES}: not enough money.",
    ),
    _visa("4000 0000 0000 9987", "visa_chargeDeclinedLostCard", f"{DECLINES}: lost card."),
    _visa("4000 0000 0000 9979", "visa_chargeDeclinedStolenCard", f"{DECLINES}: stolen card."),
    _visa("4000 0000 0000 0069", "chargeDeclinedExpiredCard", f"{DECLINES}: expired card."),
    _visa("4000 0000 0000 0127", "chargeDeclinedIncorrectCvc", f"{DECLINES}: wrong security code."),
    _visa(
        "4000 0000 0000 0119",
        "chargeDeclinedProcessingError",
        f"{DECLINES}: an error; try again.",
    ),
    _visa(
        "4000 0000 0000 6975",
        "visa_chargeDeclinedVelocityLimitExceeded",
        f"{DECLINES}: too often, or over its limit.",
    ),
    _visa(
        "4000 0000 0000 0341",
        "chargeCustomerFail",
        f"{DECLINES}: no reason given, though the card can be saved.",
    ),
    _visa("4100 0000 0000 0019", "radarBlock", "The provider blocks it as too risky."),
    _visa("4242 4242 4242 4241", "", "It is refused as it is typed: the number is wrong."),
    _visa("4000 0025 0000 3155", "authenticationRequiredOnSetup", ASKS),
    _visa("4000 0027 6000 3184", "authenticationRequired", ASKS),
    _visa("4000 0000 0000 3063", "threeDSecureRequired", ASKS),
    _visa("4000 0000 0000 3220", "threeDSecure2Required", ASKS),
    _visa("4000 0084 0000 1629", "threeDSecureRequiredChargeDeclined", ASKS_DECLINES),
    _visa("4000 0000 0000 7726", "pendingRefund", "It is paid; its refund takes a while."),
    _visa("4000 0000 0000 5126", "refundFail", "It is paid; its refund fails later."),
)
