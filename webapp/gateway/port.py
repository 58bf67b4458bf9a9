"""What we ask of a payment provider, in our own types; an adapter translates one provider."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from webapp.gateway.calls import (
    Cancel,
    Capture,
    Confirm,
    CreateIntent,
    CreateSession,
    ExpireSession,
    LookUp,
    LookUpRefund,
    Refund,
)
from webapp.kernel.money import Money


class Result(StrEnum):
    """Where the provider's object stands."""

    CREATED = "created"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    SESSION_OPEN = "session_open"
    SESSION_EXPIRED = "session_expired"
    REFUND_PENDING = "refund_pending"
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_FAILED = "refund_failed"


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a bank or the provider said no; `code` is our key into the catalogue of declines.

    `code` is the provider's error code and `decline_code` the bank's finer reason, where given.
    """

    code: str
    decline_code: str | None = None
    provider_message: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What may be shown of a card; never its number."""

    brand: str
    last4: str
    exp_month: int | None = None
    exp_year: int | None = None
    funding: str | None = None
    country: str | None = None
    issuer: str | None = None
    wallet: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A definite answer: where things stand at the provider, by whichever way we learnt it.

    `amount` is what the provider has received (authorised: what it holds for us). `subject_id` is
    our payment and `operation_id` our operation, as the provider gave them back. `method_id` says
    which try a decline belongs to, so that late news of one try does not end another.
    With `session_open`, a `decline` is one that the shopper met on the provider's page, where
    another try is still possible. Of a refund, `amount` is what goes back, `refund_id` the
    provider's id, `bank_reference` what the shopper can quote to their bank. Of money that a bank
    granted, `approval_code` is its six digits and `network_reference` the network's name for it; of
    money that is held, `held_until` is when the bank lets it go.
    """

    result: Result
    intent_id: str | None = None
    session_id: str | None = None
    method_id: str | None = None
    amount: Money | None = None
    next_url: str | None = None
    decline: Decline | None = None
    card: Card | None = None
    charge_id: str | None = None
    three_d_secure: str | None = None
    provider_fee: Money | None = None
    approval_code: str | None = None
    network_reference: str | None = None
    held_until: dt.datetime | None = None
    refund_id: str | None = None
    bank_reference: str | None = None
    failure_code: str | None = None
    subject_id: str | None = None
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A definite no to an operation's request itself: it was not done and never will be."""

    code: str
    provider_message: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One message from the provider; `outcome` is None when it carries no news for us."""

    id: str
    kind: str
    object_id: str
    subject_id: str | None
    livemode: bool
    occurred_at: dt.datetime
    payload: Mapping[str, Any]
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class CallKey:
    """What identifies a call: the operation's id (the provider's key for ever) and its subject."""

    operation_id: str
    subject_id: str


class Provider(Protocol):
    """A payment provider.

    Every call is made outside any database transaction and either returns an Outcome or raises
    Unreachable, UnknownOutcome, Refused or NeedsPerson. Calling again with the same key and
    request has one effect.
    """

    name: str
    livemode: bool

    def create_intent(self, key: CallKey, call: CreateIntent) -> Outcome:
        """Make the one PaymentIntent of a payment: `created`."""

    def confirm(self, key: CallKey, call: Confirm) -> Outcome:
        """Charge a method: succeeded, authorised, requires_action, processing or declined."""

    def capture(self, key: CallKey, call: Capture) -> Outcome:
        """Take money that is held: `succeeded`."""

    def cancel(self, key: CallKey, call: Cancel) -> Outcome:
        """Give the intent up: `cancelled`, or where it stands if that is no longer possible."""

    def create_session(self, key: CallKey, call: CreateSession) -> Outcome:
        """Open the provider's own payment page: `session_open` with `next_url`."""

    def expire_session(self, key: CallKey, call: ExpireSession) -> Outcome:
        """Close that page: `session_expired`, or where it stands if it was paid meanwhile."""

    def look_up(self, key: CallKey, call: LookUp) -> Outcome:
        """Ask where things stand; raises Refused code `not_found` when there is nothing."""

    def refund(self, key: CallKey, call: Refund) -> Outcome:
        """Give money back: refund_pending, refund_succeeded or refund_failed."""

    def look_up_refund(self, key: CallKey, call: LookUpRefund) -> Outcome:
        """Ask where a refund stands; raises Refused code `not_found` when there is none."""

    def parse_event(self, body: bytes, signature: str) -> Event:
        """Read a signed message from its raw bytes; raises BadSignature or BadEvent."""

    def read_event(self, payload: Mapping[str, Any]) -> Event:
        """Read a message that was verified before and stored."""

    def ping(self) -> None:
        """Return when the provider answers us with our key; raises ProviderError otherwise."""
