"""What the guide tells developers: snippets that run as they stand, and the provider's test cards.

The cards are those of the sandbox; a test compares the two lists.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

ORDER: dict[str, object] = {
    "amount": 50_000,
    "currency": "INR",
    "description": "Two tins of first flush",
}
#: As long as a checkout link lasts.
QUARTER: dict[str, object] = {"seconds": 900}
SUCCEEDS, DECLINES, ASKS, ASKS_DECLINES = (
    "It is paid.",
    "The bank declines it",
    "The bank asks the shopper to confirm (3-D Secure), then it is paid.",
    "The bank asks the shopper to confirm, then declines it.",
)
#: The demo shop's key, known to everybody; it works in a demo alone.
DEMO_KEY = "sk_test_demo_only_lotus_tea_house_secret_0000000000"


@dataclass(frozen=True, slots=True)
class TestCard:
    """One card that the sandbox takes: its number as it is typed, its token, what happens."""

    number: str
    token: str
    brand: str
    does: str


def _visa(number: str, name: str, does: str) -> TestCard:
    return TestCard(number, f"pm_card_{name}" if name else "", "Visa", does)


TEST_CARDS: tuple[TestCard, ...] = (
    _visa("4242 4242 4242 4242", "visa", SUCCEEDS),
    TestCard("5555 5555 5555 4444", "pm_card_mastercard", "Mastercard", SUCCEEDS),
    TestCard("3782 822463 10005", "pm_card_amex", "American Express", SUCCEEDS),
    TestCard("6200 0000 0000 0005", "pm_card_unionpay", "UnionPay", SUCCEEDS),
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
    _visa("4000 0027 6000 3184", "authenticationRequired", ASKS),
    _visa("4000 0000 0000 3220", "threeDSecure2Required", ASKS),
    _visa("4000 0084 0000 1629", "threeDSecureRequiredChargeDeclined", ASKS_DECLINES),
    _visa("4000 0000 0000 7726", "pendingRefund", "It is paid; its refund takes a while."),
    _visa("4000 0000 0000 5126", "refundFail", "It is paid; its refund fails later."),
)


#: A key of its own for each run, by what every shell has.
A_KEY = "order-$(date +%s)"


def curl_snippet(portal: str, key: str) -> str:
    """Return a shell command that makes an order."""
    return _posted(f"{portal}/api/v1/orders", key, ORDER)


def clock_snippet(portal: str, key: str) -> str:
    """Return a shell command that brings what waits in test mode nearer."""
    return _posted(f"{portal}/api/v1/test-clock/advance", key, QUARTER)


def _posted(address: str, key: str, body: dict[str, object]) -> str:
    return (
        f"curl {address} \\\n"
        f'  -H "Authorization: Bearer {key}" \\\n'
        f'  -H "Idempotency-Key: {A_KEY}" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(body)}'"
    )


def python_snippet(portal: str, key: str) -> str:
    """Return a Python program, of the standard library alone, that makes an order."""
    return f"""import json, urllib.request, uuid

asked = urllib.request.Request(
    "{portal}/api/v1/orders",
    data=json.dumps({ORDER!r}).encode(),
    headers={{
        "Authorization": "Bearer {key}",
        "Idempotency-Key": str(uuid.uuid4()),
        "Content-Type": "application/json",
    }},
)
order = json.load(urllib.request.urlopen(asked))
print(order["id"], order["status"])
"""


VERIFY_SNIPPET = '''import base64, hashlib, hmac, time

def is_ours(secret: str, headers: dict, body: bytes) -> bool:
    """Whether Paydeck sent this body; give the body as it came, before it is parsed."""
    sent_at = headers["webhook-timestamp"]
    if abs(time.time() - int(sent_at)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{sent_at}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [one.partition(",")[2] for one in headers["webhook-signature"].split()]
    return any(hmac.compare_digest(right, one) for one in given)
'''
