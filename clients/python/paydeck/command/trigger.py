"""`paydeck trigger`: make an event happen with a real object in test mode, or send its example."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from paydeck.client import Paydeck
from paydeck.errors import PaydeckError
from paydeck.objects import Payment

VISA: Final = "pm_card_visa"
DECLINED: Final = "pm_card_chargeDeclined"
ASKED: Final = "pm_card_authenticationRequired"
REFUND_FAILS: Final = "pm_card_refundFail"
PRICE: Final = 50_000
CURRENCY: Final = "INR"
WORDS: Final = "Made by paydeck trigger"
_LOOKS, _LOOK_SECONDS = 60, 0.5


@dataclass(frozen=True)
class Maker:
    """Makes objects by which events happen."""

    client: Paydeck
    sleep: Callable[[float], None] = time.sleep

    def order(self) -> str:
        """Create an order."""
        made = self.client.orders.create(amount=PRICE, currency=CURRENCY, description=WORDS)
        return made["id"]

    def cancelled_order(self) -> str:
        """Create an order and cancel it."""
        return self.client.orders.cancel(self.order())["id"]

    def checkout(self) -> str:
        """Open a link to an order."""
        return self.client.checkout_sessions.create(order=self.order())["id"]

    def expired_checkout(self) -> str:
        """Open a link and end it."""
        return self.client.checkout_sessions.expire(self.checkout())["id"]

    def waiting_payment(self) -> str:
        """Begin a payment without a way to pay it."""
        return self.client.payments.create(order=self.order())["id"]

    def cancelled_payment(self) -> str:
        """Begin a payment and cancel it."""
        return self.client.payments.cancel(self.waiting_payment(), reason=WORDS)["id"]

    def payment(self, card: str, capture: Literal["automatic", "manual"] = "automatic") -> str:
        """Pay with a test card."""
        made = self.client.payments.create(
            amount=PRICE,
            currency=CURRENCY,
            payment_method=card,
            capture=capture,
            description=WORDS,
        )
        return made["id"]

    def refund(self, card: str = VISA) -> str:
        """Pay, and give back once the money was taken."""
        paid = self.taken(self.payment(card))
        made = self.client.refunds.create(payment=paid["id"], note=WORDS)
        return made["id"]

    def withdrawn_refund(self) -> str:
        """Ask for a refund and take it back."""
        return self.client.refunds.withdraw(self.refund())["id"]

    def taken(self, payment_id: str) -> Payment:
        """Return a payment once its money was taken; raises PaydeckError after half a minute."""
        for _ in range(_LOOKS):
            payment = self.client.payments.get(payment_id)
            if payment["status"] == "SUCCESS":
                return payment
            self.sleep(_LOOK_SECONDS)
        raise PaydeckError(f"{payment_id} is not paid after half a minute.")


RECIPES: Final[dict[str, Callable[[Maker], str]]] = {
    "order.created": Maker.order,
    "order.completed": lambda make: make.payment(VISA),
    "order.cancelled": Maker.cancelled_order,
    "checkout.opened": Maker.checkout,
    "checkout.expired": Maker.expired_checkout,
    "payment.created": Maker.waiting_payment,
    "payment.processing": lambda make: make.payment(VISA),
    "payment.success": lambda make: make.payment(VISA),
    "payment.declined": lambda make: make.payment(DECLINED),
    "payment.requires_action": lambda make: make.payment(ASKED),
    "payment.authorised": lambda make: make.payment(VISA, "manual"),
    "payment.cancelled": Maker.cancelled_payment,
    "refund.approved": Maker.refund,
    "refund.sent": Maker.refund,
    "refund.processed": Maker.refund,
    "refund.cancelled": Maker.withdrawn_refund,
    "refund.failed": lambda make: make.refund(REFUND_FAILS),
}


def run(
    client: Paydeck,
    event: str,
    *,
    to: str | None = None,
    say: Callable[[str], None] = print,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Make the event happen; with `to`, or where none can be made, its example is sent instead."""
    _only_in_test_mode(client)
    recipe = None if to else RECIPES.get(event)
    if recipe is not None:
        say(f"{event} comes from {recipe(Maker(client, sleep))}.")
        return 0
    endpoint = to or _first_endpoint(client)
    sent = client.webhook_endpoints.test(endpoint, type=event)
    say(f"An example of {event} is on its way to {endpoint} ({sent['delivery']}).")
    return 0


def _only_in_test_mode(client: Paydeck) -> None:
    key = os.environ.get("PAYDECK_API_KEY", "")
    if not key.startswith("sk_test_") and client.ledger.balance()["livemode"]:
        raise PaydeckError("This is for test mode: use a key that begins with sk_test_.")


def _first_endpoint(client: Paydeck) -> str:
    for endpoint in client.webhook_endpoints.list():
        if endpoint["status"] == "ENABLED":
            return endpoint["id"]
    raise PaydeckError("This can only be sent as an example, and there is no endpoint for it.")
