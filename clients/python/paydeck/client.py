"""The client: one object with a resource for each part of the API."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self, TypedDict, Unpack

import httpx

from paydeck.books import Analytics, Ledger, Transactions, Wallets
from paydeck.integrating import (
    ApiKeys,
    Clock,
    Deliveries,
    Events,
    Requests,
    WebhookEndpoints,
)
from paydeck.selling import (
    CheckoutSessions,
    Customers,
    Orders,
    PaymentLinks,
    Payments,
    Refunds,
)
from paydeck.wire import Retries, Wire

DEFAULT_URL = "http://localhost:8000"


class Options(TypedDict, total=False):
    """Choices of a client.

    `version` is a date of the API’s; `merchant` the id for whom a person’s access token asks;
    `timeout` is in seconds; `http` is an httpx.Client of your own, which stays yours to close.
    """

    version: str
    merchant: str
    timeout: float
    retries: Retries
    http: httpx.Client


class Paydeck:
    """Paydeck’s API, with an API key or a person’s access token.

    Key and address are taken from PAYDECK_API_KEY and PAYDECK_BASE_URL where they are not given.
    Raises ValueError for no key, and for an address to which none may be sent.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        key = api_key or os.environ.get("PAYDECK_API_KEY", "")
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("Give an API key, or set PAYDECK_API_KEY.")
        headers = {"Authorization": f"Bearer {key}"}
        if version := options.get("version"):
            headers["Paydeck-Version"] = version
        if merchant := options.get("merchant"):
            headers["Paydeck-Merchant"] = merchant
        self._wire = Wire(
            base_url or os.environ.get("PAYDECK_BASE_URL") or DEFAULT_URL,
            headers,
            timeout=options.get("timeout", 30.0),
            retries=options.get("retries", Retries()),
            http=options.get("http"),
        )
        self.customers = Customers(self._wire)
        self.orders = Orders(self._wire)
        self.payment_links = PaymentLinks(self._wire)
        self.checkout_sessions = CheckoutSessions(self._wire)
        self.payments = Payments(self._wire)
        self.refunds = Refunds(self._wire)
        self.transactions = Transactions(self._wire)
        self.ledger = Ledger(self._wire)
        self.wallets = Wallets(self._wire)
        self.analytics = Analytics(self._wire)
        self.webhook_endpoints = WebhookEndpoints(self._wire)
        self.events = Events(self._wire)
        self.deliveries = Deliveries(self._wire)
        self.api_keys = ApiKeys(self._wire)
        self.requests = Requests(self._wire)
        self.test_clock = Clock(self._wire)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
