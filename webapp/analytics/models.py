"""The rollup: what came of payments by quarter hour, a step that every time zone shares."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import CHAR, BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment

QUARTER = dt.timedelta(minutes=15)
#: The method of a payment that ended before the shopper chose one.
NO_METHOD = "none"


class Outcome(StrEnum):
    """What is counted: how payments ended, attempts declined on the way, refunds that went back."""

    CAPTURED = "captured"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DECLINED_ATTEMPT = "declined_attempt"
    REFUNDED = "refunded"


class RollupQuarter(Base):
    """One merchant's payments of one currency, outcome and method in one quarter hour.

    `amount_minor` is gross; `fee_minor` is the platform's fee, on captured payments only. The
    method of a refund is where it went.
    """

    __tablename__ = "rollup_quarter"

    merchant_id: Mapped[str] = mapped_column(Id, primary_key=True)
    livemode: Mapped[bool] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(CHAR(3), primary_key=True)
    quarter: Mapped[dt.datetime] = mapped_column(Moment, primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    method_kind: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)


def quarter_of(moment: dt.datetime) -> dt.datetime:
    """Return the start, in UTC, of the quarter hour that `moment` (timezone-aware) lies in."""
    there = moment.astimezone(dt.UTC)
    return there.replace(minute=there.minute - there.minute % 15, second=0, microsecond=0)
