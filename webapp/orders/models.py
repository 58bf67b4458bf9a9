"""Customers, orders and checkout sessions, and the states of the latter two."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import CHAR, BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel import crypto
from webapp.kernel.db import Base, Id, Moment
from webapp.kernel.flow import Edge, Flow, Owner, State
from webapp.kernel.money import Money
from webapp.outbox import Moving

ORDER_FLOW = Flow(
    "order",
    states=[
        State("pending", "The order is waiting to be paid.", owner=Owner.SHOPPER),
        State("completed", "The order is paid."),
        State("cancelled", "The order was cancelled and can no longer be paid."),
    ],
    edges=[
        Edge("", "pending", "order.created"),
        Edge("pending", "completed", "order.completed"),
        Edge("pending", "cancelled", "order.cancelled"),
    ],
    outside={"pending": "PENDING", "completed": "COMPLETED", "cancelled": "CANCELLED"},
)

CHECKOUT_FLOW = Flow(
    "checkout_session",
    states=[
        State(
            "open",
            "The checkout link can be used.",
            owner=Owner.SHOPPER,
            deadline=dt.timedelta(minutes=15),
            on_deadline="The link expires. The order stays, and a fresh link takes one click.",
        ),
        State("complete", "The order was paid through this link."),
        State("expired", "The link has expired."),
    ],
    edges=[
        Edge("", "open", "checkout.opened"),
        Edge("open", "complete", "checkout.completed"),
        Edge("open", "expired", "checkout.expired"),
    ],
    outside={"open": "OPEN", "complete": "COMPLETE", "expired": "EXPIRED"},
)

PAYMENT_LINK_FLOW = Flow(
    "payment_link",
    states=[
        State("active", "Whoever opens the link can pay.", owner=Owner.MERCHANT),
        State("ended", "The link takes no more payments."),
    ],
    edges=[
        Edge("", "active", "payment_link.created"),
        Edge("active", "ended", "payment_link.ended"),
    ],
    outside={"active": "ACTIVE", "ended": "ENDED"},
)


class Customer(Base):
    """Somebody who buys from one merchant; may be linked to a person who signs in."""

    __tablename__ = "customer"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    user_id: Mapped[str | None] = mapped_column(Id)
    email_sealed: Mapped[str]
    email_index: Mapped[str]
    name_sealed: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)

    @property
    def email(self) -> str:
        """The address in the clear; callers show it masked unless the unmasking was audited."""
        return crypto.unseal(self.email_sealed, context=f"customer:email:{self.id}")

    @property
    def name(self) -> str | None:
        """The name in the clear, where it is known."""
        if self.name_sealed is None:
            return None
        return crypto.unseal(self.name_sealed, context=f"customer:name:{self.id}")

    def set_email(self, email: str) -> None:
        """Seal an address, and its index by which it is found."""
        self.email_sealed = crypto.seal(email.strip(), context=f"customer:email:{self.id}")
        self.email_index = crypto.blind_index(email.strip().lower(), purpose="email")

    def set_name(self, name: str | None) -> None:
        """Seal a name; an empty one is none."""
        said = (name or "").strip()
        context = f"customer:name:{self.id}"
        self.name_sealed = crypto.seal(said, context=context) if said else None


class OrderCounter(Base):
    """The last order number that a merchant has given out."""

    __tablename__ = "order_counter"

    merchant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    livemode: Mapped[bool] = mapped_column(primary_key=True)
    last: Mapped[int]


class Order(Moving, Base):
    """What is owed and for what; `kind` is sale, or top_up: wallet money sold by the platform."""

    __tablename__ = "shop_order"
    FLOW: ClassVar[Flow] = ORDER_FLOW

    customer_id: Mapped[str | None] = mapped_column(Id)
    kind: Mapped[str]
    number: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    description: Mapped[str]
    capture_later: Mapped[bool] = mapped_column(default=False)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    completed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    created_by: Mapped[str | None] = mapped_column(Id)
    payment_link_id: Mapped[str | None] = mapped_column(Id)

    @property
    def amount(self) -> Money:
        """What is owed."""
        return Money(self.amount_minor, self.currency)

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know of the order now."""
        return {
            "id": self.id,
            "number": self.number,
            "kind": self.kind,
            "status": self.FLOW.outside[self.status],
            "amount": self.amount_minor,
            "currency": self.currency,
            "livemode": self.livemode,
            "customer": self.customer_id,
            "description": self.description,
            "capture": "manual" if self.capture_later else "automatic",
            "payment_link": self.payment_link_id,
            "metadata": self.details or {},
            "completed": self.completed_at.isoformat() if self.completed_at else None,
            "created": self.created_at.isoformat(),
        }


class PaymentLink(Moving, Base):
    """What a merchant asks for again and again, under one address that it shares.

    The address is told again to whoever may see the link, so its token is sealed; it is found by
    its index. `max_payments` and `ends_at` say what ends it, where the merchant does not.
    """

    __tablename__ = "payment_link"
    FLOW: ClassVar[Flow] = PAYMENT_LINK_FLOW

    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    description: Mapped[str]
    max_payments: Mapped[int | None]
    ends_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    token_sealed: Mapped[str]
    token_index: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    created_by: Mapped[str | None] = mapped_column(Id)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)

    @property
    def amount(self) -> Money:
        """What each payment is of."""
        return Money(self.amount_minor, self.currency)

    @property
    def token(self) -> str:
        """What its address ends in, in the clear: whoever has it may pay."""
        return crypto.unseal(self.token_sealed, context=f"payment_link:token:{self.id}")

    def set_token(self, token: str) -> None:
        """Seal a fresh token, and its index by which the link is found."""
        self.token_sealed = crypto.seal(token, context=f"payment_link:token:{self.id}")
        self.token_index = crypto.blind_index(token, purpose="payment_link")

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know of the link now; never its address."""
        return {
            "id": self.id,
            "status": self.FLOW.outside[self.status],
            "livemode": self.livemode,
            "amount": self.amount_minor,
            "currency": self.currency,
            "description": self.description,
            "max_payments": self.max_payments,
            "ends": self.ends_at.isoformat() if self.ends_at else None,
            "ended": self.ended_at.isoformat() if self.ended_at else None,
            "metadata": self.details or {},
            "created": self.created_at.isoformat(),
        }


class CheckoutSession(Moving, Base):
    """One link by which an order can be paid, for a while; only its token's hash is kept."""

    __tablename__ = "checkout_session"
    FLOW: ClassVar[Flow] = CHECKOUT_FLOW

    order_id: Mapped[str] = mapped_column(Id)
    token_hash: Mapped[str]
    opened_at: Mapped[dt.datetime] = mapped_column(Moment)
    expires_at: Mapped[dt.datetime] = mapped_column(Moment)
    closed_at: Mapped[dt.datetime | None] = mapped_column(Moment)

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know of the session now."""
        return {
            "id": self.id,
            "order": self.order_id,
            "status": self.FLOW.outside[self.status],
            "livemode": self.livemode,
            "created": self.opened_at.isoformat(),
            "closed": self.closed_at.isoformat() if self.closed_at else None,
            "expires": self.expires_at.isoformat(),
        }
