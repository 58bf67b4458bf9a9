"""What the pages of this door show: plain values, made from rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from webapp import accounts


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One signed-in browser."""

    id: str
    device: str
    network: str
    began_at: dt.datetime
    last_seen_at: dt.datetime
    is_this: bool
    is_admin: bool


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One merchant that the person works for."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One's own profile; nobody else sees this page."""

    email: str
    is_verified: bool
    roles: tuple[str, ...]
    works_for: tuple[WorkRow, ...]
    joined_at: dt.datetime
    password_changed_at: dt.datetime


def session_row(session: accounts.SignInSession, current_id: str) -> SessionRow:
    """Return a session as a row; `current_id` is the one that looks."""
    return SessionRow(
        id=session.id,
        device=session.device,
        network=session.ip_prefix,
        began_at=session.created_at,
        last_seen_at=session.last_seen_at,
        is_this=session.id == current_id,
        is_admin=session.is_admin,
    )


def profile_of(user: accounts.User, person: accounts.Person) -> Profile:
    """Return a person's own profile."""
    return Profile(
        email=user.email,
        is_verified=user.is_verified,
        roles=accounts.roles_of(person),
        works_for=tuple(
            WorkRow(member.merchant_name, member.role) for member in person.memberships
        ),
        joined_at=user.created_at,
        password_changed_at=user.password_changed_at,
    )
