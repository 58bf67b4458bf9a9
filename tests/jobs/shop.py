"""A merchant, a shopper and an order to be paid, in a database with real commits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from tests.accounts.people import PASSWORD, new_address
from tests.portal import Committed
from webapp import accounts, orders, payments
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.orders import CheckoutRef
from webapp.outbox import SYSTEM
from webapp.payments import Payer

RETURN_URL = "http://localhost:8000/checkout/secret-token/return"
_networks = count(1)


@dataclass(frozen=True)
class Shop:
    """One merchant and one signed-in shopper."""

    portal: Committed
    merchant_id: str
    shopper_id: str
    shopper_email: str

    def order(self, minor: int = 1_000_00, currency: str = "INR") -> CheckoutRef:
        """Open an order's checkout and return what its link proves."""
        asked = orders.NewOrder(
            merchant_id=self.merchant_id,
            livemode=False,
            amount=Money(minor, currency),
            description="Tea",
        )
        with db.transaction(self.scope):
            order = orders.create(asked, by=SYSTEM)
            opened = orders.open_checkout(order.id)
            return orders.checkout_for(opened.token)

    def pay(self, ref: CheckoutRef, method: str = "pm_card_visa") -> str:
        """Begin to pay by card as the shopper; returns the payment's id."""
        payer = Payer(self.shopper_id, self.shopper_email)
        with db.scoped(self.scope):
            return payments.start_card(ref, method, return_url=RETURN_URL, payer=payer)

    @property
    def scope(self) -> db.Scope:
        """The checkout's scope for this shopper."""
        return db.Scope(merchant_id=self.merchant_id, livemode=False, user_id=self.shopper_id)

    def one(self, statement: str, **values: object) -> object:
        """Ask the database as its superuser for one value, or None."""
        with self.portal.connect("postgres") as connection:
            row = connection.execute(statement, values).fetchone()
        return row[0] if row else None

    def status(self, payment_id: str) -> object:
        """Return where a payment stands."""
        return self.one("SELECT status FROM payment WHERE id = %(id)s", id=payment_id)


def a_person() -> tuple[str, str]:
    """Register somebody, verified; returns their id and address."""
    email, network = new_address(), f"10.1.{next(_networks)}.1"
    new = accounts.register(email, "Asha Raman", PASSWORD, address=network)
    accounts.verify(new.verification_token)
    return new.user_id, email


def open_shop(portal: Committed) -> Shop:
    """Make the merchant and the shopper with the portal's application in force."""
    owner_id, _ = a_person()
    merchant_id = accounts.create_merchant("Lotus Tea House", owner_id)
    shopper_id, email = a_person()
    return Shop(portal, merchant_id, shopper_id, email)
