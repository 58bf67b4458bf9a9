"""Test cards turned into tokens by the sandbox; live cards never come this way.

Real numbers are typed into the provider's own fields. Only the stand-in provider is spoken to
here, which refuses every number but the published test ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import stripe

from webapp.config import Settings
from webapp.gateway import stripe_reading as reading
from webapp.gateway.port import Card
from webapp.gateway.stripe_errors import ask
from webapp.gateway.transport import Transport
from webapp.kernel import db

_clients: list[stripe.StripeClient] = []


@dataclass(frozen=True, slots=True)
class TypedCard:
    """A test card as it was typed; nothing of it is kept here, and none of it is printed."""

    number: str = field(repr=False)
    exp_month: int = field(repr=False)
    exp_year: int = field(repr=False)
    cvc: str | None = field(repr=False, default=None)
    holder: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Token:
    """What the provider gave for a card: the id by which it is charged, and what may be shown."""

    id: str
    card: Card


def use(settings: Settings) -> None:
    """Set up who makes tokens: the sandbox, or with a real provider nobody."""
    _clients.clear()
    if settings.is_sandbox and not settings.livemode:
        _clients.append(
            stripe.StripeClient(
                settings.stripe_publishable_key,
                base_addresses={"api": settings.provider_api_base},
                max_network_retries=0,
                http_client=Transport(),
            )
        )


def can_tokenise() -> bool:
    """Whether test cards can be turned into tokens here."""
    return bool(_clients)


def tokenise(typed: TypedCard) -> Token:
    """Return the sandbox's token for a test card; must not run inside a transaction.

    Raises CardRefused with the provider's error where it refuses the card, Unreachable,
    UnknownOutcome.
    """
    db.assert_no_transaction()
    card: dict[str, Any] = {
        "number": typed.number,
        "exp_month": typed.exp_month,
        "exp_year": typed.exp_year,
    }
    if typed.cvc is not None:
        card["cvc"] = typed.cvc
    params: Any = {"type": "card", "card": card}
    if typed.holder:
        params["billing_details"] = {"name": typed.holder}
    made = ask(lambda: _clients[0].v1.payment_methods.create(params)).to_dict()
    shown = reading.card_of_method({"payment_method": made})
    if shown is None:
        message = "the provider gave no card"
        raise ValueError(message)
    return Token(made["id"], shown)
