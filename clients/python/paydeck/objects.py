"""Objects as the API tells them: plain dicts with these fields; later versions may add more."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Metadata = dict[str, str]
#: An id, or the object itself where `expand` asked for it.
Expandable = str | dict[str, Any]


class Thing(TypedDict):
    """What every object has; `created` is Unix time in seconds."""

    id: str
    object: str
    created: int
    livemode: bool
    metadata: Metadata


class Customer(Thing):
    """Somebody who buys; one e-mail address is one customer."""

    email: str
    name: str | None


class Order(Thing):
    """What is owed, by whom and for what; `amount` in whole minor units."""

    status: Literal["PENDING", "COMPLETED", "CANCELLED"]
    amount: int
    currency: str
    number: str
    kind: str
    description: str
    customer: str | None
    capture: Literal["automatic", "manual"]
    payment_link: Expandable | None
    completed_at: int | None


class PaymentLink(Thing):
    """What is asked for again and again under one address; `payments` counts paid orders."""

    status: Literal["ACTIVE", "ENDED"]
    amount: int
    currency: str
    description: str
    max_payments: int | None
    ends_at: int | None
    ended_at: int | None
    payments: int
    url: str


class CheckoutSession(Thing):
    """A link by which one order can be paid; `url` is told once, when it is made."""

    status: Literal["OPEN", "COMPLETE", "EXPIRED"]
    order: Expandable
    expires_at: int
    closed_at: int | None
    url: NotRequired[str | None]


class Payment(Thing):
    """One intention to pay one order; `state` is finer than `status`."""

    status: Literal[
        "PENDING",
        "REQUIRES_ACTION",
        "PROCESSING",
        "SUCCESS",
        "FAILED",
        "EXPIRED",
        "CANCELLED",
        "PARTIALLY_REFUNDED",
        "REFUNDED",
    ]
    state: str
    amount: int
    currency: str
    amount_authorised: int
    amount_captured: int
    amount_refunded: int
    amount_refundable: int
    fee: int
    order: Expandable
    customer: Expandable | None
    checkout_session: Expandable | None
    payment_method: dict[str, Any] | None
    attempts: int
    decline_code: str | None
    failure_reason: str | None
    cancellation_reason: str | None
    capture_before: int | None
    captured_at: int | None
    next_action: dict[str, str] | None
    external_txn_id: str | None


class Refund(Thing):
    """Money of a payment that goes back; `leaves_at` is until when it can be withdrawn."""

    status: Literal["PENDING", "PROCESSING", "SUCCESS", "FAILED", "CANCELLED"]
    state: str
    amount: int
    currency: str
    payment: Expandable
    anomaly: str | None
    reason: str
    destination: Literal["original", "wallet", "order_credit"]
    target_order: Expandable | None
    bank_reference: str | None
    failure_code: str | None
    failure_reason: str | None
    expected_by: str | None
    sent_at: int | None
    note: str
    needs_approval: bool
    leaves_at: int | None


class Transaction(Thing):
    """One line of history; `amount` is below zero where money went out."""

    type: str
    amount: int
    fee: int
    net: int
    currency: str
    description: str
    source: str | None


class Sum(TypedDict):
    """An amount in one currency."""

    amount: int
    currency: str


class Balance(TypedDict):
    """What a merchant is owed, by currency."""

    object: Literal["balance"]
    livemode: bool
    available: list[Sum]
    held: list[Sum]
    leaving: list[Sum]
    booked: list[Sum]


class Wallet(Thing):
    """A person’s stored money in one currency."""

    status: Literal["ACTIVE", "INACTIVE"]
    user: str
    currency: str
    balance: int


class WalletBalance(TypedDict):
    """What is in a wallet now."""

    object: Literal["balance"]
    wallet: str
    available: int
    currency: str


class WalletDeposit(TypedDict):
    """An order to fill a wallet; the money is in it once `url` was paid."""

    object: Literal["wallet_deposit"]
    wallet: str
    order: str
    checkout_session: str
    url: str
    expires_at: int
    amount: int
    currency: str
    status: str


class WalletTransfer(Thing):
    """Money that one person sent another."""

    status: str
    amount: int
    currency: str
    direction: Literal["in", "out"]
    sender: str
    recipient: str
    counterpart_name: str
    note: str


class WebhookEndpoint(Thing):
    """An address that is sent events."""

    status: Literal["ENABLED", "PAUSED", "DISABLED", "DELETED"]
    url: str
    events: list[str]
    description: str
    api_version: str
    disabled_reason: str | None


class NewWebhookEndpoint(WebhookEndpoint):
    """An endpoint with its secret, which is told now and not again."""

    secret: str


class Deleted(TypedDict):
    """That an object is gone."""

    id: str
    object: str
    deleted: Literal[True]


class Sent(TypedDict):
    """What was put on its way."""

    object: Literal["resending"]
    count: int
    delivery: str | None


class EventData(TypedDict):
    """The object as it was then, and what its changed fields were before."""

    object: dict[str, Any]
    previous_attributes: dict[str, Any]


class Event(TypedDict):
    """One thing that happened; `sequence` says which change of its object it is."""

    id: str
    object: Literal["event"]
    type: str
    created: int
    livemode: bool
    api_version: str
    data: EventData
    sequence: int


class Delivery(TypedDict):
    """One event on its way to one endpoint."""

    id: str
    object: Literal["delivery"]
    created: int
    livemode: bool
    status: Literal["due", "delivered", "dead", "resent", "discarded"]
    event: str
    event_type: str
    endpoint: str
    api_version: str
    tries: int
    next_try_at: int | None
    finished_at: int | None
    answered: int | None
    last_error: str | None
    resend_of: str | None
    tampered: bool


class DeliveryDetail(Delivery):
    """A delivery with every try, oldest first."""

    attempts: list[dict[str, Any]]


class ApiKey(Thing):
    """A key, without its text."""

    status: Literal["works", "replaced", "expired", "revoked"]
    kind: Literal["secret", "publishable"]
    name: str
    shown: str
    scopes: list[str] | None
    api_version: str
    expires_at: int | None
    revoked_at: int | None
    replaced_by: str | None
    last_used_at: int | None


class NewApiKey(ApiKey):
    """A key with its text, which is told now and not again."""

    token: str


class LoggedRequest(TypedDict):
    """A request that was made of the API, and how it was answered."""

    id: str
    object: Literal["request"]
    created: int
    livemode: bool
    method: str
    path: str
    query: str
    status: int
    duration_ms: int
    error_code: str | None
    about: str | None
    api_key: str | None
    user: str | None
    idempotency_key: str | None
    is_replay: bool
    api_version: str


class RequestDetail(LoggedRequest):
    """A request with its masked bodies, JSON as text."""

    request_body: str
    response_body: str


class WhatWaits(TypedDict):
    """One kind of what waits in test mode, and what happens at its moment."""

    kind: str
    count: int
    next_at: int | None
    then: str


class TestClock(TypedDict):
    """What waits; `now` is the world’s time and is never moved."""

    object: Literal["test_clock"]
    livemode: Literal[False]
    now: int
    waiting: list[WhatWaits]


class AdvancedClock(TestClock):
    """What waits now, and how many of each kind came nearer."""

    seconds: int
    moved: dict[str, int]
