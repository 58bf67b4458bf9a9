"""Merchants, their people, orders and payments for the tests of this door, by the rooms' verbs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from flask import Flask
from sqlalchemy import text

from tests.checked_client import CheckedClient
from webapp import accounts, analytics, orders, outbox, payments
from webapp.gateway import Card, Decline, Outcome, Result
from webapp.kernel import db, ids
from webapp.kernel.money import Money
from webapp.orders import CheckoutRef, NewOrder, Order

PASSWORD = "correct horse battery"
SHOPPER = "meera.pillai@example.com"
VISA = Card(brand="visa", last4="4242")
_numbers = count(1)


@dataclass(frozen=True)
class Shop:
    """A merchant with its owner's browser."""

    id: str
    app: Flask
    client: CheckedClient
    owner_id: str

    def scope(self) -> db.Scope:
        """The scope of this merchant's door."""
        return db.Scope(merchant_id=self.id, livemode=False)


def a_shop(app: Flask, name: str = "Blue Lantern Books") -> Shop:
    """Open a merchant and sign its owner in."""
    number = next(_numbers)
    email = f"owner{number}@shop.example"
    new = accounts.register(email, "Asha Raman", PASSWORD)
    accounts.verify(new.verification_token)
    merchant_id = accounts.create_merchant(f"{name} {number}", new.user_id)
    return Shop(merchant_id, app, browser_of(app, email), new.user_id)


def a_colleague(shop: Shop, role: str) -> CheckedClient:
    """Add a person with a role to a merchant and return their browser."""
    email = f"colleague{next(_numbers)}@shop.example"
    new = accounts.register(email, "Nikhil Rao", PASSWORD)
    accounts.verify(new.verification_token)
    with db.transaction(db.OWNER) as session:
        session.execute(
            text(
                "INSERT INTO membership (id, merchant_id, user_id, role, created_at)"
                " VALUES (:id, :merchant, :user, :role, now())"
            ),
            {"id": ids.new("membership"), "merchant": shop.id, "user": new.user_id, "role": role},
        )
    return browser_of(shop.app, email)


def browser_of(app: Flask, email: str) -> CheckedClient:
    """Return a browser in which the person of that address is signed in."""
    session = accounts.sign_in(email, PASSWORD, device="Firefox", address="203.0.113.7")
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    cookie = app.extensions["paydeck_settings"].session_cookie
    client.set_cookie(cookie, session.session_token)
    return client


def an_order(
    shop: Shop,
    minor: int = 1_000_00,
    currency: str = "INR",
    *,
    description: str = "",
    customer_email: str | None = None,
) -> Order:
    """Create an order."""
    asked = NewOrder(
        shop.id,
        livemode=False,
        amount=Money(minor, currency),
        description=description,
        customer_email=customer_email,
    )
    with db.scoped(shop.scope()):
        return orders.create(asked)


def begun(shop: Shop, order: Order, *, email: str | None = SHOPPER) -> str:
    """Begin to pay an order by card; returns the payment's id."""
    with db.scoped(shop.scope()):
        opened = orders.open_checkout(order.id)
        ref = CheckoutRef(opened.session_id, order.id, shop.id, livemode=False)
        return payments.start_card(
            ref,
            f"pm_{next(_numbers)}",
            return_url="http://localhost:8000/checkout/x/return",
            payer=payments.Payer(email=email),
        )


def answered(payment_id: str, outcome: Outcome) -> None:
    """Apply what the provider says, as the worker does."""
    with db.scoped(db.WORKER):
        payments.apply(payment_id, outcome)


def paid(shop: Shop, minor: int = 1_000_00, currency: str = "INR", *, description: str = "") -> str:
    """Create an order and have it paid by card; returns the payment's id."""
    order = an_order(shop, minor, currency, description=description)
    payment_id = begun(shop, order)
    answered(
        payment_id,
        Outcome(
            Result.SUCCEEDED,
            intent_id=f"pi_{next(_numbers)}",
            amount=Money(minor, currency),
            card=VISA,
            charge_id=f"ch_{next(_numbers)}",
        ),
    )
    return payment_id


def declined(shop: Shop, code: str = "insufficient_funds") -> str:
    """Create an order and have its first try declined; returns the payment's id."""
    payment_id = begun(shop, an_order(shop))
    said = Decline(code="card_declined", decline_code=code)
    answered(payment_id, Outcome(Result.DECLINED, decline=said, card=Card("visa", "0002")))
    return payment_id


def told() -> None:
    """Tell the figures what happened, as the relay does."""
    with db.transaction(db.WORKER):
        facts = outbox.take_due(analytics.CONSUMER)
        analytics.fold(facts)
        outbox.told(analytics.CONSUMER, facts)
