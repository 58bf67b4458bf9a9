"""The wallet and its two states; it holds no amount, the ledger does."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment
from webapp.kernel.flow import Edge, Flow, Owner, State
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
