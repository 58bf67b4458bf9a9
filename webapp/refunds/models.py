"""Refunds, and the one switch that stops them all."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import CHAR, BigInteger, Date
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment
from webapp.kernel.flow import Flow
from webapp.kernel.money import Money
from webapp.outbox import Moving
from webapp.refunds.states import FLOW


class Refund(Moving, Base):
    """Money that goes back to a shopper: of a captured payment, or of what was set aside.

    What is asked for or under way is counted on the payment's row by the database, which refuses
    more than was captured. `user_id` is the shopper.
    """

    __tablename__ = "refund"
    FLOW: ClassVar[Flow] = FLOW

    payment_id: Mapped[str] = mapped_column(Id)
    anomaly_id: Mapped[str | None] = mapped_column(Id)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    reason: Mapped[str]
    note: Mapped[str]
    destination: Mapped[str]
    target_order_id: Mapped[str | None] = mapped_column(Id)
    needs_approval: Mapped[bool]
    requested_by_kind: Mapped[str]
    requested_by_id: Mapped[str | None]
    approved_by_kind: Mapped[str | None]
    approved_by_id: Mapped[str | None]
    leaves_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    sent_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    provider_refund_id: Mapped[str | None]
    bank_reference: Mapped[str | None]
    failure_code: Mapped[str | None]
    dealt_with_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    dealt_with_by: Mapped[str | None]
    expected_by: Mapped[dt.date | None] = mapped_column(Date)
    check_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    deadline_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)

    @property
    def amount(self) -> Money:
        """What goes back."""
        return Money(self.amount_minor, self.currency)

    @property
    def outside_status(self) -> str:
        """The status's name for outsiders, such as SUCCESS."""
        return self.FLOW.outside[self.status]

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know of the refund now."""
        return {
            "id": self.id,
            "payment": self.payment_id,
            "anomaly": self.anomaly_id,
            "status": self.outside_status,
            "state": self.status,
            "amount": self.amount_minor,
            "currency": self.currency,
            "reason": self.reason,
            "destination": self.destination,
            "target_order": self.target_order_id,
            "bank_reference": self.bank_reference,
            "failure_code": self.failure_code,
            "livemode": self.livemode,
            "sent": self.sent_at.isoformat() if self.sent_at else None,
            "metadata": self.details or {},
            "expected_by": self.expected_by.isoformat() if self.expected_by else None,
            "created": self.created_at.isoformat(),
            "at": (self.finished_at or self.sent_at or self.created_at).isoformat(),
        }


class Freeze(Base):
    """One row: while `frozen_at` is set no refund leaves, whoever asks."""

    __tablename__ = "refund_freeze"

    only_row: Mapped[bool] = mapped_column(primary_key=True)
    frozen_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    because: Mapped[str]
    by_kind: Mapped[str]
    by_id: Mapped[str | None]
