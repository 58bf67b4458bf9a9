"""Endpoints and how they fare, events with their frozen bodies, deliveries and every try."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment
from webapp.kernel.flow import Flow
from webapp.outbox import Moving
from webapp.webhooks.catalogue import EVERYTHING
from webapp.webhooks.states import FLOW


class Endpoint(Moving, Base):
    """A merchant's server that is sent the events it chose, in one mode.

    While `old_secret_until` is ahead, both secrets sign. `listens_since` is from when on events
    are surely kept for it. One that `is_built_in` is the demo's own receiver.
    """

    __tablename__ = "webhook_endpoint"
    FLOW: ClassVar[Flow] = FLOW

    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(JSONB)
    description: Mapped[str]
    api_version: Mapped[str]
    secret_sealed: Mapped[str]
    old_secret_sealed: Mapped[str | None]
    old_secret_until: Mapped[dt.datetime | None] = mapped_column(Moment)
    is_built_in: Mapped[bool]
    receiver_answer: Mapped[str | None]
    disabled_reason: Mapped[str | None]
    listens_since: Mapped[dt.datetime] = mapped_column(Moment)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)

    def wants(self, name: str) -> bool:
        """Whether it chose events of that public name."""
        return name in self.events or EVERYTHING in self.events

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know of the endpoint now; never a secret."""
        return {
            "id": self.id,
            "status": self.FLOW.outside[self.status],
            "livemode": self.livemode,
            "url": self.url,
            "events": self.events,
            "description": self.description,
            "api_version": self.api_version,
            "disabled_reason": self.disabled_reason,
            "metadata": self.details or {},
            "created": self.created_at.isoformat(),
        }


class Health(Base):
    """How an endpoint fares: failures in a row since when, and until when it is left alone.

    `quick` counts quick successes in a row up to ten; one that is slow stays so until then.
    """

    __tablename__ = "webhook_health"

    endpoint_id: Mapped[str] = mapped_column(Id, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    failures: Mapped[int]
    failing_since: Mapped[dt.datetime | None] = mapped_column(Moment)
    failed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    open_until: Mapped[dt.datetime | None] = mapped_column(Moment)
    is_slow: Mapped[bool]
    quick: Mapped[int]
    changed_at: Mapped[dt.datetime] = mapped_column(Moment)


class Event(Base):
    """One event for merchants: a fact under its public name, or a test; append-only.

    `place` orders a mode's events as they were committed, so that a reader's cursor misses none.
    """

    __tablename__ = "webhook_event"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    fact_id: Mapped[str | None] = mapped_column(Id)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    name: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str] = mapped_column(Id)
    subject_version: Mapped[int]
    at: Mapped[dt.datetime] = mapped_column(Moment)
    place: Mapped[int] = mapped_column(BigInteger)
    is_test: Mapped[bool]


class Body(Base):
    """The bytes that every delivery of one event in one payload version carries; append-only."""

    __tablename__ = "webhook_body"

    event_id: Mapped[str] = mapped_column(Id, primary_key=True)
    api_version: Mapped[str] = mapped_column(primary_key=True)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    body: Mapped[str]


class Delivery(Base):
    """One event on its way to one endpoint; once delivered it stays so.

    One that `is_tampered` is a test: its signature does not fit, and it is tried once.
    """

    __tablename__ = "delivery"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    event_id: Mapped[str] = mapped_column(Id)
    endpoint_id: Mapped[str] = mapped_column(Id)
    api_version: Mapped[str]
    resend_of: Mapped[str | None] = mapped_column(Id)
    is_tampered: Mapped[bool]
    state: Mapped[str]
    tries: Mapped[int]
    claims: Mapped[int]
    last_error: Mapped[str | None]
    due_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    lease_token: Mapped[int | None] = mapped_column(BigInteger)
    lease_until: Mapped[dt.datetime | None] = mapped_column(Moment)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class Attempt(Base):
    """One try as it was made and answered; append-only.

    One that `is_late` was answered after its lease had ended and somebody else had taken over.
    """

    __tablename__ = "delivery_attempt"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    delivery_id: Mapped[str] = mapped_column(Id)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    number: Mapped[int]
    is_late: Mapped[bool]
    started_at: Mapped[dt.datetime] = mapped_column(Moment)
    duration_ms: Mapped[int]
    url: Mapped[str]
    address: Mapped[str | None]
    request_headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    status: Mapped[int | None]
    response_headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    response_body: Mapped[str]
    is_cut: Mapped[bool]
    error: Mapped[str | None]


class Receipt(Base):
    """What the built-in receiver got, whether its signature was right, and what it answered."""

    __tablename__ = "webhook_receipt"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(Id)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    webhook_id: Mapped[str]
    at: Mapped[dt.datetime] = mapped_column(Moment)
    answered: Mapped[int]
    is_signed: Mapped[bool]
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    body: Mapped[str]
