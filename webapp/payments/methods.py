"""Tokens of test cards that a merchant's program keeps for its users; never a number, never a code.

What is kept of a card is what the provider shows of it (S4-40), sealed. Live cards are typed into
the provider's own fields and never come here.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, Select, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp import gateway
from webapp.gateway import Card, Token, TypedCard
from webapp.kernel import clock, crypto, db
from webapp.kernel.db import Base, Id, Moment
from webapp.kernel.errors import Unavailable
from webapp.kernel.paging import Page, PageRequest, page_of
from webapp.payments.errors import CardExpired, CardUnusable, LiveCard, MethodRefused
from webapp.payments.steps import card_json

#: Which typed field the provider means, by the field that it names.
FIELDS = {
    "number": "card_number",
    "exp_month": "expiry_month",
    "exp_year": "expiry_year",
    "cvc": "cvv",
}
EXPIRED = frozenset({"invalid_expiry_year", "expired_card"})
#: Of a month that there is, this says that it is over.
PASSED_MONTH = "invalid_expiry_month"
MONTHS = range(1, 13)
_IS_ANOTHERS = text("SELECT is_anothers_method(:method, :merchant)")


class PaymentMethod(Base):
    """One token; `user_ref` is what the merchant's own system calls whose card it is."""

    __tablename__ = "payment_method"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    user_ref: Mapped[str]
    kind: Mapped[str]
    display_name: Mapped[str]
    card_sealed: Mapped[str]
    card_brand: Mapped[str]
    card_last4: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)

    @property
    def card(self) -> dict[str, Any]:
        """What the provider shows of the card: last_4, expiry, card_type, issuer_bank, brand."""
        text = crypto.unseal(self.card_sealed, context=f"payment_method:card:{self.id}")
        opened: dict[str, Any] = json.loads(text)
        return opened


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whose card a token is, and what it is called."""

    merchant_id: str
    user_ref: str
    display_name: str = ""


def tokenise(typed: TypedCard) -> Token:
    """Return the provider's token for a test card; speaks to it, so outside any transaction.

    Raises LiveCard where a real provider is connected, CardExpired, CardUnusable naming the field,
    and Unavailable where the provider does not answer.
    """
    if not gateway.can_tokenise():
        raise LiveCard
    try:
        return gateway.tokenise(typed)
    except gateway.CardRefused as refused:
        raise _unusable(refused, typed) from None
    except gateway.ProviderError:
        raise Unavailable from None


def keep_method(token: Token, keeping: Keeping) -> PaymentMethod:
    """Keep a token of a test card for a merchant's user."""
    with db.transaction():
        kept = PaymentMethod(
            id=token.id,
            merchant_id=keeping.merchant_id,
            livemode=False,
            user_ref=keeping.user_ref,
            kind="card",
            display_name=keeping.display_name or f"**** **** **** {token.card.last4}",
            card_sealed=_sealed(token.id, token.card),
            card_brand=token.card.brand,
            card_last4=token.card.last4,
            created_at=clock.now(),
            details={},
        )
        db.session.add(kept)
        return kept


def methods_of(
    merchant_id: str, user_ref: str, *, livemode: bool, page: PageRequest
) -> Page[PaymentMethod]:
    """Return a page of the tokens that a merchant keeps for one of its users, newest first."""
    wanted = _kept_for(merchant_id, user_ref, livemode=livemode)
    place = tuple_(PaymentMethod.created_at, PaymentMethod.id)
    if page.before:
        wanted = wanted.where(place < _place_of(page.before))
    if page.after:
        wanted = wanted.where(place > _place_of(page.after))
    newest = (PaymentMethod.created_at.desc(), PaymentMethod.id.desc())
    oldest = (PaymentMethod.created_at, PaymentMethod.id)
    ordered = wanted.order_by(*(oldest if page.after else newest)).limit(page.limit + 1)
    return page_of(db.session.scalars(ordered).all(), page, key=lambda one: one.id)


def method_of(
    merchant_id: str, user_ref: str, method_id: str, *, livemode: bool
) -> PaymentMethod | None:
    """Return a token that a merchant keeps for one of its users, or None."""
    wanted = _kept_for(merchant_id, user_ref, livemode=livemode)
    return db.session.scalar(wanted.where(PaymentMethod.id == method_id))


def refuse_anothers(method_id: str, merchant_id: str) -> None:
    """Refuse a token that another merchant keeps; raises MethodRefused, as for one unknown."""
    if db.session.scalar(_IS_ANOTHERS, {"method": method_id, "merchant": merchant_id}):
        raise MethodRefused(param="payment_method")


def _kept_for(merchant_id: str, user_ref: str, *, livemode: bool) -> Select[PaymentMethod]:
    return select(PaymentMethod).where(
        PaymentMethod.merchant_id == merchant_id,
        PaymentMethod.livemode == livemode,
        PaymentMethod.user_ref == user_ref,
    )


def _place_of(method_id: str) -> ScalarSelect[tuple[dt.datetime, str]]:
    """Return when the token was kept, and its id: the provider's ids tell no order."""
    place = select(PaymentMethod.created_at, PaymentMethod.id)
    return place.where(PaymentMethod.id == method_id).scalar_subquery()


def _sealed(token_id: str, card: Card) -> str:
    return crypto.seal(card_json(card), context=f"payment_method:card:{token_id}")


def _unusable(refused: gateway.CardRefused, typed: TypedCard) -> CardExpired | CardUnusable:
    """Return our refusal: the field by our name; the provider's words never hold the number."""
    param = FIELDS.get(refused.error.get("param") or "")
    has_passed = refused.code == PASSED_MONTH and typed.exp_month in MONTHS
    if has_passed or refused.code in EXPIRED:
        return CardExpired(param=param or FIELDS["exp_year"])
    return CardUnusable(str(refused.error.get("message") or CardUnusable.says), param=param)
