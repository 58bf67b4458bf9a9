"""The remembered answers."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment


class Remembered(Base):
    """One key of one actor in one mode, what was asked with it, and the answer as it was given.

    `merchant_id` and `user_id` are those of the scope in which the answer was given; the row is
    seen again only there.
    """

    __tablename__ = "idempotency_key"
    __table_args__ = (
        CheckConstraint(r"key ~ '^[\x20-\x7e]{1,255}$'", name="key"),
        CheckConstraint("status BETWEEN 200 AND 499", name="status"),
        Index("ix_idempotency_key_created_at", "created_at"),
    )

    actor_kind: Mapped[str] = mapped_column(primary_key=True)
    actor_id: Mapped[str] = mapped_column(primary_key=True)
    livemode: Mapped[bool] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    merchant_id: Mapped[str | None] = mapped_column(Id)
    user_id: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
