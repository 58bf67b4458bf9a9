"""Test cards as tokens, in the shape of an older contract: numbers pass through, and none stays.

Only the sandbox's published test cards are taken, in test mode; it makes the token. The number and
the code are taken out of the request before anything of it is kept, hashed or logged.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from flask import g
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from webapp import payments
from webapp.api import reading
from webapp.api.caller import caller, needs
from webapp.api.lists import asked_page, listing
from webapp.api.models import Body, ListQuery, Thing, Words
from webapp.api.routing import Key, get, post
from webapp.gateway import TypedCard
from webapp.kernel import crypto
from webapp.kernel.errors import NotFound
from webapp.kernel.paging import PageRequest
from webapp.payments import Keeping, PaymentMethod

TAG = "Older contracts"
CENTURY = 2000
_TWO = 100
_NUMBER = re.compile(r"[0-9][0-9 -]{10,22}[0-9]")


def _as_text(typed: object) -> object:
    is_number = isinstance(typed, int) and not isinstance(typed, bool)
    return str(typed) if is_number else typed


def _number(typed: str) -> str:
    if not _NUMBER.fullmatch(typed):
        raise ValueError("This is not a card number.")
    return typed


Digits = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[0-9]{1,4}$")]


class CardDetails(BaseModel):
    """A test card as it is printed."""

    model_config = ConfigDict(strict=True, extra="forbid", regex_engine="python-re")

    card_number: Annotated[str, AfterValidator(_number), Field(min_length=12, max_length=24)]
    expiry_month: Digits
    expiry_year: Digits = Field(description="Two digits or four.")
    cvv: Digits | None = Field(None, description="Passed on to the sandbox and never kept.")
    holder_name: Annotated[Words, Field(max_length=120)] | None = None


class TokenizeCard(Body):
    """A test card, and for whom it is kept."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "user_id": "550e8400-e29b-41d4-a716-446655440000",
        "type": "CARD",
        "details": {
            "card_number": "4111111111111111",
            "expiry_month": "12",
            "expiry_year": "34",
            "cvv": "123",
            "holder_name": "Asha Raman",
        },
        "display_name": "**** **** **** 1111",
    }

    user_id: Annotated[Words, Field(min_length=1, max_length=64, description="Your own id.")]
    type: Literal["CARD"]
    details: CardDetails
    display_name: Annotated[Words, Field(max_length=60)] = ""


class SecureCard(BaseModel):
    """What may be known of a card."""

    token: str
    last_4: str
    expiry_month: int | None
    expiry_year: int | None
    card_type: str | None
    issuer_bank: str | None
    brand: str | None


class SavedMethod(Thing):
    """A token by which a test card is charged; never its number."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "pm_1P0a2b3c4d5e6f",
        "object": "payment_method",
        "created": 1763717400,
        "livemode": False,
        "metadata": {},
        "user_id": "550e8400-e29b-41d4-a716-446655440000",
        "type": "CARD",
        "display_name": "**** **** **** 1111",
        "token": "pm_1P0a2b3c4d5e6f",
        "card": {
            "token": "pm_1P0a2b3c4d5e6f",
            "last_4": "1111",
            "expiry_month": 12,
            "expiry_year": 2034,
            "card_type": "credit",
            "issuer_bank": None,
            "brand": "visa",
        },
    }

    object: Literal["payment_method"]
    user_id: str
    type: Literal["CARD"]
    display_name: str
    token: str = Field(description="The same as id: send it as a payment_method.")
    card: SecureCard


def exchange(body: TokenizeCard) -> None:
    """Have the sandbox make a token, and take number and code out of what came."""
    details = body.details
    typed = TypedCard(
        number=details.card_number.replace(" ", "").replace("-", ""),
        exp_month=int(details.expiry_month),
        exp_year=_year(int(details.expiry_year)),
        cvc=details.cvv,
        holder=details.holder_name,
    )
    card = f"{typed.number}:{typed.exp_month}:{typed.exp_year}"
    reading.hide_body(_kept_of(body), known_by=crypto.blind_index(card, purpose="card_sent"))
    if caller().livemode:
        raise payments.LiveCard
    try:
        g.card_token = payments.tokenise(typed)
    except payments.CardUnusable as refused:
        param = f"details.{refused.param}" if refused.param else "details"
        raise type(refused)(refused.message, param=param) from None


@post("/payment-methods/tokenize", tag=TAG, gives=SavedMethod, key=Key.OPTIONAL, before=exchange)
@needs(scope="payment_methods:write", act="create_order", provider=True)
def tokenize_card(body: TokenizeCard) -> dict[str, Any]:
    """Tokenise a test card.

    For the sandbox’s published test cards in test mode alone; live cards are typed into the
    provider’s own fields. Number and code are kept nowhere. An expired card is refused with
    card_expired.
    """
    keeping = Keeping(caller().merchant, body.user_id, body.display_name.strip())
    return method_shown(payments.keep_method(g.card_token, keeping))


@get("/users/<string:owner_id>/payment-methods", tag=TAG, gives=SavedMethod, is_list=True)
@needs(scope="payment_methods:read")
def list_saved_methods(owner_id: str, query: ListQuery) -> dict[str, Any]:
    """List a user’s payment methods.

    The tokens that you keep for one of your users, newest first. Refused with 404 where you keep
    none.
    """
    who = caller()
    whose, livemode = (who.merchant, owner_id), who.livemode
    page = asked_page(query, lambda sent: payments.method_of(*whose, sent, livemode=livemode))
    found = payments.methods_of(*whose, livemode=livemode, page=page)
    if not found.rows and page == PageRequest(limit=page.limit):
        raise NotFound("You keep no payment methods for a user of that id.")
    return listing(found, method_shown)


def method_shown(method: PaymentMethod) -> dict[str, Any]:
    """Return a token as the API shows it."""
    return {
        "id": method.id,
        "object": "payment_method",
        "created": int(method.created_at.timestamp()),
        "livemode": method.livemode,
        "metadata": dict(method.details or {}),
        "user_id": method.user_ref,
        "type": "CARD",
        "display_name": method.display_name,
        "token": method.id,
        "card": {
            "token": method.id,
            **{name: value for name, value in method.card.items() if name in _SHOWN},
        },
    }


_SHOWN = frozenset(SecureCard.model_fields)


def _year(typed: int) -> int:
    return typed + CENTURY if typed < _TWO else typed


def _kept_of(body: TokenizeCard) -> dict[str, Any]:
    """Return a body as it may be kept: the last four digits stand for the number."""
    shown = body.model_dump(exclude={"details"})
    return {**shown, "details": {"last_4": body.details.card_number[-4:]}}
