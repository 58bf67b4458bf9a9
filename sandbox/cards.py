"""The provider's test cards, what each of them does, and the checks every card number passes."""

import hashlib
import hmac
from dataclasses import dataclass

from sandbox.wire import ApiError

SHORTEST, LONGEST = 12, 19
_TEST_RANGE = "424242"
_MONTHS = range(1, 13)
_DOUBLED_OVER = 9


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a bank says no: the provider's code, the bank's own code and the sentence."""

    code: str
    decline_code: str | None
    message: str


_DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", "generic_decline", _DECLINED)
_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
_LOST = Decline("card_declined", "lost_card", _DECLINED)
_STOLEN = Decline("card_declined", "stolen_card", _DECLINED)
_FRAUD = Decline("card_declined", "fraudulent", _DECLINED)
_EXPIRED = Decline("expired_card", None, "Your card has expired.")
_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
_PROCESSING = Decline(
    "processing_error",
    None,
    "An error occurred while processing your card. Try again in a little bit.",
)
_VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount "
    "limit.",
)
NOT_A_TEST_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card. For a list "
    "of valid test cards, visit: https://stripe.com/docs/testing.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCard:
    """One row of the provider's table of test cards."""

    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    behaviour: str = "succeeds"
    decline: Decline | None = None
    nickname: str = ""


def _visa(
    number: str, behaviour: str, nickname: str = "", decline: Decline | None = None
) -> TestCard:
    return TestCard(number=number, behaviour=behaviour, nickname=nickname, decline=decline)


def _other(number: str, brand: str, nickname: str = "", funding: str = "credit") -> TestCard:
    return TestCard(number=number, brand=brand, nickname=nickname, funding=funding)


def _table() -> tuple[TestCard, ...]:
    return (
        _visa("4242424242424242", "succeeds", "visa"),
        TestCard(number="4111111111111111"),
        _other("4000056655665556", "visa", "visa_debit", "debit"),
        TestCard(number="4000003560000008", country="IN", nickname="in"),
        _other("5555555555554444", "mastercard", "mastercard"),
        _other("2223003122003222", "mastercard"),
        _other("5200828282828210", "mastercard", "mastercard_debit", "debit"),
        _other("5105105105105100", "mastercard", "mastercard_prepaid", "prepaid"),
        _other("378282246310005", "amex", "amex"),
        _other("371449635398431", "amex"),
        _other("6011111111111117", "discover", "discover"),
        _other("6011000990139424", "discover"),
        _other("3056930009020004", "diners", "diners"),
        _other("36227206271667", "diners"),
        _other("3566002020360505", "jcb", "jcb"),
        _other("6200000000000005", "unionpay", "unionpay"),
        _visa("4000000000000002", "declines", "visa_chargeDeclined", GENERIC),
        _visa("4000000000009995", "declines", "visa_chargeDeclinedInsufficientFunds", _FUNDS),
        _visa("4000000000009987", "declines", "visa_chargeDeclinedLostCard", _LOST),
        _visa("4000000000009979", "declines", "visa_chargeDeclinedStolenCard", _STOLEN),
        _visa("4000000000000069", "declines", "chargeDeclinedExpiredCard", _EXPIRED),
        _visa("4000000000000127", "declines", "chargeDeclinedIncorrectCvc", _CVC),
        _visa("4000000000000119", "declines", "chargeDeclinedProcessingError", _PROCESSING),
        _visa(
            "4000000000006975",
            "declines",
            "visa_chargeDeclinedVelocityLimitExceeded",
            _VELOCITY,
        ),
        _visa("4100000000000019", "blocked", "radarBlock", _FRAUD),
        _visa("4000000000000341", "declines", "chargeCustomerFail", GENERIC),
        _visa("4000002500003155", "authenticates", "authenticationRequiredOnSetup"),
        _visa("4000002760003184", "authenticates", "authenticationRequired"),
        _visa("4000000000003220", "authenticates", "threeDSecure2Required"),
        _visa("4000000000003063", "authenticates", "threeDSecureRequired"),
        _visa(
            "4000008400001629",
            "authenticates",
            "threeDSecureRequiredChargeDeclined",
            GENERIC,
        ),
        _visa("4000000000003055", "succeeds", "threeDSecureOptional"),
        _visa("4000000000000259", "disputed_fraudulent", "createDispute"),
        _visa("4000000000002685", "disputed_not_received", "createDisputeProductNotReceived"),
        _visa("4000000000001976", "disputed_inquiry", "createDisputeInquiry"),
        _visa("4000000000007726", "refund_pending", "pendingRefund"),
        _visa("4000000000005126", "refund_fails", "refundFail"),
    )


TEST_CARDS = _table()
_BY_NUMBER = {card.number: card for card in TEST_CARDS}
_BY_TOKEN = {f"pm_card_{card.nickname}": card for card in TEST_CARDS if card.nickname}
_BY_TOKEN |= {
    "pm_card_chargeDeclined": _BY_NUMBER["4000000000000002"],
    "pm_card_chargeDeclinedInsufficientFunds": _BY_NUMBER["4000000000009995"],
    "pm_card_chargeDeclinedProcessingError": _BY_NUMBER["4000000000000119"],
}
BRANDS = ("visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay")


def card_of_token(token: str) -> TestCard | None:
    """The test card behind a well-known token such as `pm_card_visa`."""
    return _BY_TOKEN.get(token)


def passes_luhn(number: str) -> bool:
    """Whether the last digit of the number agrees with the others."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - _DOUBLED_OVER if value > _DOUBLED_OVER else value
    return total % 10 == 0


def fingerprint(number: str, key: str) -> str:
    """The same sixteen letters for the same number, from which nobody gets the number back."""
    return hmac.new(key.encode(), number.encode(), hashlib.sha256).hexdigest()[:16]


def card_error(message: str, code: str, param: str, decline_code: str | None = None) -> ApiError:
    """The provider's refusal of a card as it is typed."""
    return ApiError(
        402, message, type="card_error", code=code, param=param, decline_code=decline_code
    )


def check_number(typed: str) -> TestCard:
    """The test card of that number; spaces and hyphens are ignored. Refuses every other card."""
    number = typed.replace(" ", "").replace("-", "")
    if not (number.isascii() and number.isdigit() and SHORTEST <= len(number) <= LONGEST):
        raise card_error(
            "The card number is not a valid credit card number.", "invalid_number", "number"
        )
    if not passes_luhn(number):
        raise card_error("Your card number is incorrect.", "incorrect_number", "number")
    if number in _BY_NUMBER:
        return _BY_NUMBER[number]
    if number.startswith(_TEST_RANGE):
        return TestCard(number=number)
    refusal = NOT_A_TEST_CARD
    raise card_error(refusal.message, refusal.code, "number", refusal.decline_code)


def check_expiry(month: int, year: int, *, today: tuple[int, int]) -> tuple[int, int]:
    """Month and four-digit year of a card that is still good in `today` = (year, month)."""
    full_year = year + 2000 if year < 100 else year  # noqa: PLR2004 two-digit years
    if month not in _MONTHS:
        raise card_error(
            "Your card's expiration month is invalid.", "invalid_expiry_month", "exp_month"
        )
    if full_year < today[0] or full_year > today[0] + 50:
        raise card_error(
            "Your card's expiration year is invalid.", "invalid_expiry_year", "exp_year"
        )
    if (full_year, month) < today:
        raise card_error(
            "Your card's expiration month is invalid.", "invalid_expiry_month", "exp_month"
        )
    return month, full_year


def check_cvc(cvc: str | None, brand: str) -> str:
    """What the bank says of the security code: `pass`, or `unchecked` when none was sent."""
    if cvc is None:
        return "unchecked"
    wanted = 4 if brand == "amex" else 3
    if not (cvc.isascii() and cvc.isdigit() and len(cvc) == wanted):
        raise card_error("Your card's security code is invalid.", "invalid_cvc", "cvc")
    return "pass"
