"""Who is signed in, as everything above the tables sees it: plain values, opened from the seal."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from webapp.accounts.models import MemberRole


@dataclass(frozen=True, slots=True)
class Member:
    """That the person works for one merchant in one role; a suspended one sells nothing new."""

    merchant_id: str
    merchant_name: str
    role: MemberRole
    timezone: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """The person behind a session; `is_admin` only where the session was begun as an admin."""

    user_id: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    is_admin: bool
    timezone: str
    memberships: tuple[Member, ...]
    session_id: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """A new account, and the secret to be mailed to its address."""

    user_id: str
    verification_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; the token is told once, to the browser."""

    user_id: str
    session_token: str = field(repr=False)
    ends_at: dt.datetime
    is_admin: bool


@dataclass(frozen=True, slots=True)
class EmailChanged:
    """The addresses before and after a change, so that both can be told."""

    user_id: str
    old_email: str = field(repr=False)
    new_email: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """From where somebody acts: a few words about the browser, and its network address."""

    words: str = "an unknown browser"
    address: str = ""
