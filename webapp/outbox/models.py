"""Moves, facts and what is still to be told; all three are made by the migrations' guards safe."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment

#: When a fact set aside is due again: not by itself.
NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


class Move(Base):
    """One status change of one object, with who and why; append-only."""

    __tablename__ = "move"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    noun: Mapped[str]
    subject_id: Mapped[str] = mapped_column(Id)
    version: Mapped[int]
    source: Mapped[str]
    target: Mapped[str]
    because: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    merchant_id: Mapped[str | None] = mapped_column(Id)
    livemode: Mapped[bool | None]
    user_id: Mapped[str | None] = mapped_column(Id)
    at: Mapped[dt.datetime] = mapped_column(Moment)


class Fact(Base):
    """One recorded event: an object's public snapshot at one version; kept for ever."""

    __tablename__ = "fact"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str] = mapped_column(Id)
    version: Mapped[int]
    merchant_id: Mapped[str | None] = mapped_column(Id)
    livemode: Mapped[bool | None]
    user_id: Mapped[str | None] = mapped_column(Id)
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)
    because: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    at: Mapped[dt.datetime] = mapped_column(Moment)
    trace_id: Mapped[str | None]


class Due(Base):
    """A fact that one consumer has not been told yet; deleted once it has."""

    __tablename__ = "outbox_due"

    fact_id: Mapped[str] = mapped_column(Id, ForeignKey("fact.id"), primary_key=True)
    consumer: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[dt.datetime] = mapped_column(Moment)
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    claims: Mapped[int] = mapped_column(default=0)
