"""Operations (calls to a provider, each with its key for ever) and the inbox of its messages."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.gateway.calls import Kind
from webapp.kernel.db import Base, Id, Moment


class State(StrEnum):
    """Where an operation stands; `unknown` is a state, because a time-out never means failed."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    MANUAL = "manual"


OPEN_STATES = (State.PENDING, State.IN_FLIGHT, State.UNKNOWN)
#: Every allowed step; the migration teaches the database the same.
STEPS: frozenset[tuple[State, State]] = frozenset(
    {
        (State.PENDING, State.IN_FLIGHT),
        (State.PENDING, State.FAILED),
        (State.UNKNOWN, State.IN_FLIGHT),
        (State.UNKNOWN, State.MANUAL),
        (State.IN_FLIGHT, State.PENDING),
        (State.IN_FLIGHT, State.UNKNOWN),
        (State.IN_FLIGHT, State.SUCCEEDED),
        (State.IN_FLIGHT, State.FAILED),
        (State.IN_FLIGHT, State.MANUAL),
        (State.MANUAL, State.UNKNOWN),
    }
)


def _one_of(column: str, words: type[StrEnum] | tuple[StrEnum, ...]) -> str:
    quoted = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({quoted})"


CHARGING = _one_of("kind", (Kind.CONFIRM, Kind.CAPTURE, Kind.CREATE_SESSION))
ASKING = _one_of("kind", (Kind.LOOK_UP, Kind.CANCEL, Kind.LOOK_UP_REFUND))
IS_OPEN = _one_of("state", OPEN_STATES)
IS_LIVE = _one_of("state", (*OPEN_STATES, State.MANUAL))


class ProviderOperation(Base):
    """One call to a provider; its id is the provider's key, its request never changes."""

    __tablename__ = "provider_operation"
    __table_args__ = (
        CheckConstraint(_one_of("kind", Kind), name="kind"),
        CheckConstraint(_one_of("state", State), name="state"),
        CheckConstraint("(state = 'in_flight') = (lease_until IS NOT NULL)", name="lease"),
        CheckConstraint("(state IN ('succeeded', 'failed')) = (closed_at IS NOT NULL)", name="end"),
        CheckConstraint(f"({IS_OPEN}) = (due_at IS NOT NULL)", name="due"),
        CheckConstraint("tries >= 0 AND claims >= 0", name="counts"),
        Index(
            "uq_provider_operation_live_charge",
            "subject_id",
            unique=True,
            postgresql_where=text(f"{CHARGING} AND {IS_LIVE}"),
        ),
        Index(
            "uq_provider_operation_one_intent",
            "subject_id",
            unique=True,
            postgresql_where=text("kind = 'create_intent' AND state <> 'failed'"),
        ),
        Index(
            "uq_provider_operation_one_refund",
            "subject_id",
            unique=True,
            postgresql_where=text("kind = 'refund' AND state <> 'failed'"),
        ),
        Index(
            "uq_provider_operation_one_question",
            "subject_id",
            "kind",
            unique=True,
            postgresql_where=text(f"{ASKING} AND {IS_OPEN}"),
        ),
        Index("ix_provider_operation_due_at_id", "due_at", "id", postgresql_where=text(IS_OPEN)),
        Index(
            "ix_provider_operation_manual",
            "id",
            postgresql_where=text("state = 'manual'"),
        ),
        Index("ix_provider_operation_subject_id_id", "subject_id", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    provider: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str] = mapped_column(Id)
    purpose: Mapped[str]
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    tries: Mapped[int]
    claims: Mapped[int]
    lease_token: Mapped[int | None] = mapped_column(BigInteger)
    lease_until: Mapped[dt.datetime | None] = mapped_column(Moment)
    due_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    first_sent_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    provider_object_id: Mapped[str | None] = mapped_column(Id)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    last_error: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    closed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ProviderEvent(Base):
    """One message from the provider, kept once however often it comes."""

    __tablename__ = "provider_event"
    __table_args__ = (
        Index(
            "ix_provider_event_due_at",
            "due_at",
            "event_id",
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("ix_provider_event_subject_id", "subject_id"),
        Index(
            "ix_provider_event_received_at_event_id",
            text("received_at DESC"),
            text("event_id DESC"),
        ),
        Index(
            "ix_provider_event_open",
            "received_at",
            postgresql_where=text("processed_at IS NULL"),
        ),
        CheckConstraint("processed_at IS NULL OR due_at IS NULL", name="due"),
        CheckConstraint("tries >= 0", name="tries"),
        CheckConstraint("claims >= 0", name="claims"),
    )

    provider: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    object_id: Mapped[str] = mapped_column(Id)
    subject_id: Mapped[str | None] = mapped_column(Id)
    livemode: Mapped[bool]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[dt.datetime] = mapped_column(Moment)
    processed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    error: Mapped[str | None]
    tries: Mapped[int]
    due_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    claims: Mapped[int] = mapped_column(default=0)

    @property
    def stands(self) -> Standing:
        """Where the message stands, in one word of the page's map."""
        if self.processed_at is None:
            return Standing.WAITING if self.due_at is not None else Standing.ERROR
        return Standing.PROCESSED if self.error is None else Standing.CLOSED


class Standing(StrEnum):
    """Where a message of the provider stands: `closed` ones had nothing to apply, or never will."""

    WAITING = "waiting"
    PROCESSED = "processed"
    ERROR = "error"
    CLOSED = "closed"


class RefusedEvent(Base):
    """A message signed with our secret that is yet not ours: refused at the door, and listed."""

    __tablename__ = "refused_event"
    __table_args__ = (Index("ix_refused_event_received_at", text("received_at DESC")),)

    provider: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(Id, primary_key=True)
    reason: Mapped[str]
    kind: Mapped[str]
    account: Mapped[str | None]
    livemode: Mapped[bool]
    received_at: Mapped[dt.datetime] = mapped_column(Moment)
