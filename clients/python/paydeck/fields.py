"""What can be sent: the fields of each call, and the filters of each list."""

from __future__ import annotations

from typing import Literal, Required, TypedDict

from paydeck.objects import Metadata


class Keyed(TypedDict, total=False):
    """What every call takes that changes something; a key is made where none is given."""

    idempotency_key: str


class Listed(TypedDict, total=False):
    """What every list takes: up to 100 objects, after or before one of them."""

    limit: int
    starting_after: str
    ending_before: str


class Dated(Listed, total=False):
    """A list that is bounded by when its objects were created, in Unix seconds."""

    created_gte: int
    created_lte: int


class NewCustomer(Keyed, total=False):
    """A new customer."""

    email: Required[str]
    name: str
    metadata: Metadata


class CustomerChange(Keyed, total=False):
    """What may change of a customer."""

    email: str
    name: str
    metadata: Metadata


class CustomerFilter(Dated, total=False):
    """Which customers."""

    email: str


class NewOrder(Keyed, total=False):
    """A new order: `amount` in whole minor units, by `customer` or `customer_email`."""

    amount: Required[int]
    currency: Required[str]
    description: str
    customer: str
    customer_email: str
    capture: Literal["automatic", "manual"]
    metadata: Metadata


class OrderChange(Keyed, total=False):
    """What may change in an order."""

    description: str
    metadata: Metadata


class OrderFilter(Dated, total=False):
    """Which orders."""

    status: str
    customer: str
    payment_link: str
    currency: str


class NewPaymentLink(Keyed, total=False):
    """A new payment link: `amount` in whole minor units, `ends_at` in Unix seconds."""

    amount: Required[int]
    currency: Required[str]
    description: Required[str]
    max_payments: int
    ends_at: int
    metadata: Metadata


class PaymentLinkChange(Keyed, total=False):
    """What may change of a payment link; `active` False ends it for good."""

    active: bool
    metadata: Metadata


class PaymentLinkFilter(Dated, total=False):
    """Which payment links."""

    status: str


class NewCheckoutSession(Keyed, total=False):
    """A new link to an order."""

    order: Required[str]


class CheckoutFilter(Dated, total=False):
    """Which checkout sessions."""

    order: str
    status: str
    expand: list[str]


class NewPayment(Keyed, total=False):
    """A new payment: of an `order`, or of `amount` and `currency`."""

    order: str
    amount: int
    currency: str
    payment_method: str
    confirm: bool
    capture: Literal["automatic", "manual"]
    customer: str
    customer_email: str
    description: str
    return_url: str
    metadata: Metadata


class Confirmation(Keyed, total=False):
    """With what a waiting payment is paid."""

    payment_method: Required[str]
    return_url: str


class Capture(Keyed, total=False):
    """How much of held money is taken; all of it, if left out."""

    amount: int


class Reasoned(Keyed, total=False):
    """Why."""

    reason: str


class PaymentFilter(Dated, total=False):
    """Which payments."""

    status: str
    order: str
    customer: str
    currency: str
    method: str
    expand: list[str]


class NewRefund(Keyed, total=False):
    """How much of a payment goes back, and why; all that is left, if no amount is given."""

    payment: Required[str]
    amount: int
    reason: Literal["duplicate", "fraudulent", "requested_by_customer", "other"]
    note: str
    destination: Literal["original", "wallet", "order_credit"]
    target_order: str
    seen_available: int
    metadata: Metadata


class Refusal(Keyed, total=False):
    """Why a refund is refused."""

    reason: Required[str]


class RefundFilter(Dated, total=False):
    """Which refunds."""

    status: str
    payment: str
    currency: str
    reason: str
    destination: str
    expand: list[str]


class NewWallet(Keyed, total=False):
    """Which wallet to open."""

    currency: Required[str]


class NewDeposit(Keyed, total=False):
    """How much to put in."""

    amount: Required[int]


class NewTransfer(Keyed, total=False):
    """Whom to send how much."""

    recipient: Required[str]
    amount: Required[int]
    note: str
    metadata: Metadata


class NewEndpoint(Keyed, total=False):
    """A new webhook endpoint; `events` may be ["*"]."""

    url: Required[str]
    events: Required[list[str]]
    description: str
    secret: str
    api_version: str


class EndpointChange(Keyed, total=False):
    """What may change in a webhook endpoint."""

    url: str
    events: list[str]
    description: str
    api_version: str


class SecretRoll(Keyed, total=False):
    """How long the old secret signs as well."""

    overlap_seconds: int
    secret: str


class TestEvent(Keyed, total=False):
    """Which event to send as an example."""

    type: Required[str]


class ResendRange(Keyed, total=False):
    """What happened between two moments in Unix seconds; `until` is not included."""

    since: Required[int]
    until: Required[int]
    only_failed: bool
    to: str


class EventFilter(Dated, total=False):
    """Which events."""

    type: str
    object_id: str


class ResendTo(Keyed, total=False):
    """To which endpoint."""

    to: str


class DeliveryFilter(Dated, total=False):
    """Which deliveries."""

    endpoint: str
    event: str
    status: str


class NewKey(Keyed, total=False):
    """A new API key."""

    name: Required[str]
    kind: Literal["secret", "publishable"]
    scopes: list[str]
    expires_at: int


class KeyRoll(Keyed, total=False):
    """How long the old key goes on working."""

    overlap_seconds: int


class RequestFilter(Dated, total=False):
    """Which requests of the log; `path` is how the address begins."""

    method: str
    path: str
    status: int
    api_key: str
    about: str
    idempotency_key: str


class ClockStep(Keyed, total=False):
    """How far the test clock goes: 1 second to 31 days."""

    seconds: Required[int]
