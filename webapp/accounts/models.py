"""People, merchants, memberships, sessions and secret links; personal data is sealed in its row."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import FetchedValue, ForeignKey, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, synonym

from webapp import outbox
from webapp.kernel import crypto
from webapp.kernel.db import Base, Id, Moment
from webapp.kernel.flow import BEGINNING, Edge, Flow, Owner, State

PLATFORM_ID = "mer_00000000000000000000000000"


class UserStatus(StrEnum):
    """Where a person's account stands."""

    UNVERIFIED = "unverified"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class MerchantStatus(StrEnum):
    """Whether a merchant may sell."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class MemberRole(StrEnum):
    """What a person may do for one merchant."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    SUPPORT = "support"
    ANALYST = "analyst"
    VIEWER = "viewer"


class Purpose(StrEnum):
    """What a secret link from a mail is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password
    CHANGE_EMAIL = "change_email"


USER_FLOW = Flow(
    "user",
    states=[
        State("unverified", "The e-mail address is not confirmed yet.", Owner.SHOPPER),
        State("active", "The account is in use."),
        State("suspended", "The platform has suspended the account.", Owner.ADMIN),
    ],
    edges=[
        Edge(BEGINNING, "unverified", "user.registered"),
        Edge("unverified", "active", "user.verified"),
        Edge("unverified", "suspended", "user.suspended"),
        Edge("active", "suspended", "user.suspended"),
        Edge("suspended", "active", "user.restored"),
    ],
    outside={"unverified": "UNVERIFIED", "active": "ACTIVE", "suspended": "SUSPENDED"},
)

MERCHANT_FLOW = Flow(
    "merchant",
    states=[
        State("active", "The merchant can sell."),
        State("suspended", "The platform has suspended the merchant.", Owner.ADMIN),
    ],
    edges=[
        Edge(BEGINNING, "active", "merchant.created"),
        Edge("active", "suspended", "merchant.suspended"),
        Edge("suspended", "active", "merchant.restored"),
    ],
    outside={"active": "ACTIVE", "suspended": "SUSPENDED"},
)


class User(outbox.Moving, Base):
    """A person; `email`, `name` and `phone` are stored sealed and opened on reading."""

    __tablename__ = "app_user"
    FLOW: ClassVar[Flow] = USER_FLOW

    # A person is no merchant's row, and is seen by themselves.
    merchant_id = None
    user_id = synonym("id")

    email_sealed: Mapped[str]
    email_index: Mapped[str] = mapped_column(unique=True)
    name_sealed: Mapped[str]
    phone_sealed: Mapped[str | None]
    password_hash: Mapped[str]
    is_admin: Mapped[bool] = mapped_column(server_default=text("false"))
    timezone: Mapped[str]
    locale: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    verified_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    password_changed_at: Mapped[dt.datetime] = mapped_column(Moment)

    @property
    def livemode(self) -> None:  # type: ignore[override]
        """Neither mode: a person is the same in both."""

    @property
    def email(self) -> str:
        """The e-mail address, opened."""
        return crypto.unseal(self.email_sealed, context=f"app_user:email:{self.id}")

    @property
    def name(self) -> str:
        """The person's name, opened."""
        return crypto.unseal(self.name_sealed, context=f"app_user:name:{self.id}")

    @property
    def phone(self) -> str | None:
        """The phone number, opened, or None where none was given."""
        if self.phone_sealed is None:
            return None
        return crypto.unseal(self.phone_sealed, context=f"app_user:phone:{self.id}")

    @property
    def is_verified(self) -> bool:
        """Whether the person has shown that the e-mail address is theirs."""
        return self.verified_at is not None

    def set_email(self, address: str) -> None:
        """Seal `address` (already normal) into the row, with its index for look-ups."""
        self.email_sealed = crypto.seal(address, context=f"app_user:email:{self.id}")
        self.email_index = email_index(address)

    def set_name(self, name: str) -> None:
        """Seal `name` into the row."""
        self.name_sealed = crypto.seal(name, context=f"app_user:name:{self.id}")

    def set_phone(self, phone: str | None) -> None:
        """Seal `phone` into the row, or empty it."""
        self.phone_sealed = (
            crypto.seal(phone, context=f"app_user:phone:{self.id}") if phone else None
        )

    def snapshot(self) -> dict[str, Any]:
        """Return what others may know: nothing personal."""
        return {
            "id": self.id,
            "object": "user",
            "status": USER_FLOW.outside[self.status],
            "created_at": self.created_at.isoformat(),
        }


class Merchant(outbox.Moving, Base):
    """Somebody who sells; `fee_bps` None means the platform's usual fee."""

    __tablename__ = "merchant"
    FLOW: ClassVar[Flow] = MERCHANT_FLOW

    # The row is the merchant, in both modes; `user_id` is the person who opened it.
    merchant_id = synonym("id")

    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    country: Mapped[str]
    timezone: Mapped[str]
    default_currency: Mapped[str]
    fee_bps: Mapped[int | None] = mapped_column(server_default=FetchedValue())
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    is_platform: Mapped[bool] = mapped_column(server_default=text("false"))

    @property
    def livemode(self) -> None:  # type: ignore[override]
        """Neither mode: a merchant is the same in both."""

    def snapshot(self) -> dict[str, Any]:
        """Return the merchant as others see it."""
        return {
            "id": self.id,
            "object": "merchant",
            "status": MERCHANT_FLOW.outside[self.status],
            "name": self.name,
            "country": self.country,
            "default_currency": self.default_currency,
            "created_at": self.created_at.isoformat(),
        }


class Membership(Base):
    """That a person works for a merchant in a role, until `ended_at`."""

    __tablename__ = "membership"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    merchant_id: Mapped[str] = mapped_column(Id, ForeignKey("merchant.id"))
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("app_user.id"))
    role: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class SignInSession(Base):
    """One signed-in browser; only the hash of its token is known here."""

    __tablename__ = "sign_in_session"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("app_user.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    device: Mapped[str]
    ip_prefix: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    last_seen_at: Mapped[dt.datetime] = mapped_column(Moment)
    idle_until: Mapped[dt.datetime] = mapped_column(Moment)
    ends_at: Mapped[dt.datetime] = mapped_column(Moment)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    is_admin: Mapped[bool]


class SecretToken(Base):
    """A link sent by mail: good once, for one purpose, until it expires; only its hash is kept."""

    __tablename__ = "secret_token"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("app_user.id"))
    purpose: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    expires_at: Mapped[dt.datetime] = mapped_column(Moment)
    used_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class SignInTry(Base):
    """One guess at a secret; counted per account and per network, never in a cache."""

    __tablename__ = "sign_in_try"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    purpose: Mapped[str]
    account_index: Mapped[str]
    address_prefix: Mapped[str]
    at: Mapped[dt.datetime] = mapped_column(Moment)


def email_index(address: str) -> str:
    """Return the blind index of an e-mail address; letter case makes no difference.

    Lower case only: folding would make one of two domains that different people own (ß and ss).
    """
    return crypto.blind_index(address.strip().lower(), purpose="user_email")
