"""The wallet and its two states; it holds no amount, the ledger does. And what people send."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment
from webapp.kernel.flow import BEGINNING, Edge, Flow, Owner, State
from webapp.kernel.money import Money
from webapp.outbox import Moving


class Status(StrEnum):
    """Whether a wallet can be paid from."""

    ACTIVE = "active"
    INACTIVE = "inactive"


FLOW = Flow(
    "wallet",
    states=[
        State("active", "The wallet can be topped up and paid from.", owner=Owner.SHOPPER),
        State("inactive", "The wallet is switched off: nothing goes out.", owner=Owner.ADMIN),
    ],
    edges=[
        Edge("", "active", "wallet.opened"),
        Edge("active", "inactive", "wallet.deactivated"),
        Edge("inactive", "active", "wallet.activated"),
    ],
    outside={"active": "ACTIVE", "inactive": "INACTIVE"},
)


class Wallet(Moving, Base):
    """One person's stored value in one mode and currency."""

    __tablename__ = "wallet"
    __table_args__ = (
        UniqueConstraint("user_id", "livemode", "currency"),
        CheckConstraint("status IN ('active', 'inactive')", name="status"),
    )
    FLOW: ClassVar[Flow] = FLOW

    merchant_id: Mapped[str] = mapped_column(Id, ForeignKey("merchant.id"))
    livemode: Mapped[bool] = mapped_column()
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("app_user.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know: id, owner, currency and state."""
        return {
            "id": self.id,
            "object": "wallet",
            "user_id": self.user_id,
            "currency": self.currency,
            "livemode": self.livemode,
            "status": FLOW.outside[self.status],
            "created_at": self.created_at.isoformat(),
        }


class TransferStatus(StrEnum):
    """Where money that people send each other stands: it is sent in one step."""

    COMPLETED = "completed"


TRANSFER_FLOW = Flow(
    "wallet_transfer",
    states=[State("completed", "The money is in the other wallet.")],
    edges=[Edge(BEGINNING, "completed", "wallet.transferred")],
    outside={"completed": "COMPLETED"},
)


class WalletTransfer(Moving, Base):
    """Money that one person sent from their wallet to another's; `user_id` is who sent it."""

    __tablename__ = "wallet_transfer"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "livemode", "currency"],
            ["wallet.user_id", "wallet.livemode", "wallet.currency"],
            name="fk_wallet_transfer_sender",
        ),
        CheckConstraint("recipient_id <> user_id", name="two_people"),
        CheckConstraint("amount_minor > 0", name="amount_minor"),
        CheckConstraint("length(note) <= 140", name="note"),
        CheckConstraint("status = 'completed'", name="status"),
    )
    FLOW: ClassVar[Flow] = TRANSFER_FLOW

    merchant_id: Mapped[str] = mapped_column(Id, ForeignKey("merchant.id"))
    livemode: Mapped[bool] = mapped_column()
    user_id: Mapped[str] = mapped_column(Id)
    recipient_id: Mapped[str] = mapped_column(Id, ForeignKey("app_user.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    note: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)

    @property
    def amount(self) -> Money:
        """What was sent."""
        return Money(self.amount_minor, self.currency)

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know: who sent how much to whom, not what they wrote."""
        return {
            "id": self.id,
            "object": "wallet_transfer",
            "livemode": self.livemode,
            "status": TRANSFER_FLOW.outside[self.status],
            "amount": self.amount_minor,
            "currency": self.currency,
            "sender": self.user_id,
            "recipient": self.recipient_id,
            "metadata": self.details or {},
            "created_at": self.created_at.isoformat(),
        }
