"""Audit rows, the seals over them, and the rows that wait for a seal."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment


class Entry(Base):
    """One deed: who did what to which object, when, in which request; append-only."""

    __tablename__ = "audit_entry"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str] = mapped_column(Id)
    merchant_id: Mapped[str | None] = mapped_column(Id)
    livemode: Mapped[bool | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    request_id: Mapped[str | None]


Index(
    "ix_audit_entry_subject_kind_subject_id_id",
    Entry.subject_kind,
    Entry.subject_id,
    Entry.id.desc(),
)
Index("ix_audit_entry_merchant_id_livemode_id", Entry.merchant_id, Entry.livemode, Entry.id.desc())


class Unsealed(Base):
    """An audit row that has no seal yet; written by a trigger, deleted by the sealer."""

    __tablename__ = "audit_unsealed"

    audit_id: Mapped[str] = mapped_column(Id, ForeignKey("audit_entry.id"), primary_key=True)


class Seal(Base):
    """The hash over one audit row and the seal before it; `seq` counts from 1 without a gap."""

    __tablename__ = "audit_seal"
    __table_args__ = (CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name="hash"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    audit_id: Mapped[str] = mapped_column(Id, ForeignKey("audit_entry.id"), unique=True)
    hash: Mapped[str]
    previous: Mapped[str]
