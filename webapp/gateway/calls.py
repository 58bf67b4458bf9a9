"""What an operation asks of the provider: one frozen record per kind, kept as JSON for ever.

A key and its request go together: the same key must send the same bytes, today and in 23 hours.
So a field is never renamed or given another meaning; a change is a new, optional field.
Addresses to come back to hold a secret, so they are sealed at rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, TypeAlias

from webapp.kernel import crypto
from webapp.kernel.money import Money

#: Fields whose values are sealed in the stored request.
SEALED_FIELDS = frozenset({"return_url", "success_url", "cancel_url"})


class Kind(StrEnum):
    """The calls there are."""

    CREATE_INTENT = "create_intent"
    CONFIRM = "confirm"
    CAPTURE = "capture"
    CANCEL = "cancel"
    CREATE_SESSION = "create_session"
    EXPIRE_SESSION = "expire_session"
    LOOK_UP = "look_up"
    REFUND = "refund"
    LOOK_UP_REFUND = "look_up_refund"


@dataclass(frozen=True, slots=True)
class CreateIntent:
    """Make the PaymentIntent of a payment of `amount_minor` (minor units) for one order."""

    amount_minor: int
    currency: str
    order_number: str
    description: str = ""
    manual_capture: bool = False

    @property
    def amount(self) -> Money:
        """The amount to be paid."""
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Confirm:
    """Charge `method_id` (`pm_…`); the shopper comes back to `return_url` after a challenge."""

    intent_id: str
    method_id: str
    return_url: str


@dataclass(frozen=True, slots=True)
class Capture:
    """Take `amount_minor` (minor units) of what is held, or all of it when None."""

    intent_id: str
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Give the intent up; `because` is one of the provider's reasons."""

    intent_id: str
    because: str = "abandoned"


@dataclass(frozen=True, slots=True)
class CreateSession:
    """Open the provider's own payment page.

    `success_url` may hold `{CHECKOUT_SESSION_ID}`. `expires_at` (Unix seconds) lies 30 minutes to
    24 hours after the call, so leave room for a late one; None takes the provider's 24 hours.
    """

    amount_minor: int
    currency: str
    order_number: str
    description: str
    success_url: str
    cancel_url: str
    expires_at: int | None = None
    manual_capture: bool = False

    @property
    def amount(self) -> Money:
        """The amount to be paid."""
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class ExpireSession:
    """Close the provider's payment page, if it is still open."""

    session_id: str


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask where a payment stands: by the provider's id where known, else by our operation's id.

    With `opened_since` (Unix seconds) the payment pages that were opened since are looked through
    for that operation first.
    """

    intent_id: str | None = None
    session_id: str | None = None
    operation_id: str | None = None
    opened_since: int | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Give `amount_minor` (minor units) of what an intent took back to where it came from.

    `reason` is one of the provider's words, or None; `refund_id` is our refund.
    """

    intent_id: str
    amount_minor: int
    currency: str
    refund_id: str
    reason: str | None = None

    @property
    def amount(self) -> Money:
        """The amount to be given back."""
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class LookUpRefund:
    """Ask where a refund stands: by the provider's id, else among its intent's refunds.

    There it is the one that carries our refund's id, or with `operation_id` that operation's.
    """

    intent_id: str
    refund_id: str
    provider_refund_id: str | None = None
    operation_id: str | None = None


Call: TypeAlias = (
    CreateIntent
    | Confirm
    | Capture
    | Cancel
    | CreateSession
    | ExpireSession
    | LookUp
    | Refund
    | LookUpRefund
)
_RECORDS: dict[Kind, type[Call]] = {
    Kind.CREATE_INTENT: CreateIntent,
    Kind.CONFIRM: Confirm,
    Kind.CAPTURE: Capture,
    Kind.CANCEL: Cancel,
    Kind.CREATE_SESSION: CreateSession,
    Kind.EXPIRE_SESSION: ExpireSession,
    Kind.LOOK_UP: LookUp,
    Kind.REFUND: Refund,
    Kind.LOOK_UP_REFUND: LookUpRefund,
}


def call_of(kind: Kind, request: Mapping[str, Any] | Call) -> Call:
    """Return the record of `kind` for a mapping of its fields; raises TypeError for any other."""
    record = _RECORDS[kind]
    if not isinstance(request, Mapping):
        if not isinstance(request, record):
            raise TypeError(f"{kind} takes a {record.__name__}, not a {type(request).__name__}")
        return request
    return record(**request)


def kind_of(call: Call) -> Kind:
    """Return the kind of operation that makes this call."""
    return next(kind for kind, record in _RECORDS.items() if isinstance(call, record))


def as_stored(call: Call, operation_id: str) -> dict[str, Any]:
    """Return the JSON in which the request is kept, its addresses sealed for this operation."""
    return {
        name: crypto.seal(value, context=_place(operation_id, name))
        if name in SEALED_FIELDS
        else value
        for name, value in asdict(call).items()
    }


def from_stored(kind: Kind, operation_id: str, stored: Mapping[str, Any]) -> Call:
    """Return the record that was kept for this operation."""
    record = _RECORDS[kind]
    plain: dict[str, Any] = {}
    for name in {field.name for field in fields(record)} & stored.keys():
        value = stored[name]
        if name in SEALED_FIELDS:
            value = crypto.unseal(value, context=_place(operation_id, name))
        plain[name] = value
    return record(**plain)


def _place(operation_id: str, field: str) -> str:
    return f"provider_operation:request.{field}:{operation_id}"
