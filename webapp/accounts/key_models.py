"""API keys and refresh tokens as rows: what is secret in them is known by its hash only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment

#: The dated version of the API that a new key speaks unless a request asks for another.
API_VERSION = "2026-11-01"
RESOURCES = (
    "customers",
    "orders",
    "checkout_sessions",
    "payment_links",
    "payments",
    "refunds",
    "wallets",
    "ledger",
    "webhooks",
    "events",
    "api_keys",
    "analytics",
    "payment_methods",
    "requests",
    "test_clock",
)
#: What a secret key may be allowed to do; to write includes to read.
SCOPES = tuple(f"{resource}:{act}" for resource in RESOURCES for act in ("read", "write"))
#: All that a publishable key may do: it stands in pages that everybody can read.
PUBLISHABLE_SCOPES = ("checkout_sessions:read", "payment_methods:write")


class KeyKind(StrEnum):
    """Whether a key is to be kept secret."""

    SECRET = "secret"  # noqa: S105 - a kind, not a key
    PUBLISHABLE = "publishable"


class KeyEnd(StrEnum):
    """Whether a key works, and what ended it where it does not."""

    WORKS = "works"
    REPLACED = "replaced"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ApiKey(Base):
    """A merchant's key; `scopes` None means all that its kind may do, also what comes later."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(Id, ForeignKey("merchant.id"))
    livemode: Mapped[bool]
    kind: Mapped[str]
    name: Mapped[str]
    prefix: Mapped[str]
    last_four: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    api_version: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    created_by: Mapped[str | None] = mapped_column(Id)
    expires_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(Moment, server_default=FetchedValue())
    replaced_by: Mapped[str | None] = mapped_column(Id, server_default=FetchedValue())
    last_used_at: Mapped[dt.datetime | None] = mapped_column(Moment, server_default=FetchedValue())
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)

    @property
    def shown(self) -> str:
        """What may be shown of the key: its beginning and its last four characters."""
        return f"{self.prefix}…{self.last_four}"

    def end_at(self, moment: dt.datetime) -> KeyEnd:
        """Return whether the key works at `moment`, or what has ended it."""
        if self.revoked_at is not None:
            return KeyEnd.REVOKED
        if self.expires_at is None or self.expires_at > moment:
            return KeyEnd.WORKS
        return KeyEnd.EXPIRED if self.replaced_by is None else KeyEnd.REPLACED


class RefreshToken(Base):
    """What a program of a person renews its access with, once; its family is the session."""

    __tablename__ = "refresh_token"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    session_id: Mapped[str] = mapped_column(Id, ForeignKey("sign_in_session.id"))
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("app_user.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    expires_at: Mapped[dt.datetime] = mapped_column(Moment)
    used_at: Mapped[dt.datetime | None] = mapped_column(Moment, server_default=FetchedValue())


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key with its text, which is told once and known nowhere afterwards."""

    key: ApiKey
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyCaller:
    """Who calls with a key that works; `scopes` holds each read that a write includes."""

    key_id: str
    merchant_id: str
    livemode: bool
    kind: KeyKind
    scopes: frozenset[str]
    version: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair for a person's program: `access` is a JWT, `refresh` is good once."""

    user_id: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    access_ends_at: dt.datetime
    refresh_ends_at: dt.datetime
