"""A migrated database with real fsync, one merchant, one shopper with a full wallet, and orders."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flask import Flask
from flask_migrate import upgrade

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from webapp import accounts, config, ledger, orders, wallets
from webapp.app import create_app
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.ledger import Line
from webapp.orders import CheckoutRef
from webapp.payments import Payer

PRICE = Money(1_000_00, "INR")
PASSWORD = "Saffron-Kettle-77-Harbour"


@dataclass(frozen=True, slots=True)
class World:
    """The stores, the portal as its web role and as its worker role, and who pays whom."""

    stores: Stores
    web: Flask
    worker: Flask
    merchant_id: str
    user_id: str

    @property
    def scope(self) -> db.Scope:
        return db.Scope(merchant_id=self.merchant_id, livemode=False, user_id=self.user_id)

    @property
    def payer(self) -> Payer:
        return Payer(user_id=self.user_id, email="bench@shoppers.example")

    def checkouts(self, count: int) -> list[CheckoutRef]:
        """Make that many orders with open checkouts (not part of what is measured)."""
        made = []
        with self.web.app_context():
            db.use_scope(self.scope)
            for _ in range(count):
                with db.transaction():
                    order = orders.create(
                        orders.NewOrder(self.merchant_id, False, PRICE, description="Tea")
                    )
                    opened = orders.open_checkout(order.id)
                made.append(CheckoutRef(opened.session_id, order.id, self.merchant_id, False))
        return made


@contextmanager
def world() -> Iterator[World]:
    """Give a fresh world and take it away again."""
    with Stores(fsync=True) as stores:
        settings = config.read(_environment(stores))
        web = create_app(settings, ROUTES)
        worker = create_app(replace(settings, database_url=stores.worker_url), ROUTES)
        with web.app_context():
            upgrade()
            merchant_id, user_id = _people()
        yield World(stores, web, worker, merchant_id, user_id)
        for app in (web, worker):
            with app.app_context():
                for engine in db.db.engines.values():
                    engine.dispose()


def _environment(stores: Stores) -> dict[str, str]:
    key = base64.b64encode(os.urandom(32)).decode()
    return {
        "DATABASE_URL": stores.web_url,
        "DATABASE_ADMIN_URL": stores.admin_url,
        "DATABASE_OWNER_URL": stores.owner_url,
        "REDIS_URL": stores.redis_url,
        "SECRET_KEY": "bench-secret-key-of-some-length",
        "JWT_SECRET": "a-bench-secret-for-tokens-of-32-letters",
        "ENCRYPTION_KEY": key,
        "BLIND_INDEX_KEY": key,
        "STRIPE_WEBHOOK_SECRET": "whsec_bench",
        "LOG_LEVEL": "ERROR",
    }


def _people() -> tuple[str, str]:
    registered = accounts.register("bench@shoppers.example", "Mina Rao", PASSWORD)
    accounts.verify(registered.verification_token)
    user_id = registered.user_id
    merchant_id = accounts.create_merchant("Bench Tea House", user_id)
    db.use_scope(db.Scope(user_id=user_id, livemode=False))
    wallets.open(user_id, "INR", False)
    plenty = Line(
        source=ledger.clearing(False, "INR"),
        target=ledger.wallet(user_id, False, "INR"),
        amount=Money(9_000_000_00, "INR"),
    )
    with db.transaction(db.OWNER):
        ledger.post(
            "bench.opening",
            [plenty],
            kind="wallet.deposit",
            merchant_id=accounts.PLATFORM_ID,
            livemode=False,
            because="The bench's opening balance.",
        )
    return merchant_id, user_id
