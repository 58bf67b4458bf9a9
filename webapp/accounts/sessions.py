"""Signed-in browsers: looked up by the hash of their token, in Postgres, at every request.

Valkey keeps only a sealed copy of what a page shows of the person; it is used only where its stamp
is that of the rows as they are now, so that emptying Valkey, or its absence, changes nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, literal, select, text, update

from webapp.accounts.models import (
    MemberRole,
    Membership,
    Merchant,
    MerchantStatus,
    SecretToken,
    SignInSession,
    SignInTry,
    User,
)
from webapp.accounts.person import Device, Member, Person, SignedIn
from webapp.accounts.rows import own
from webapp.accounts.throttle import address_prefix
from webapp.kernel import cache, clock, crypto, db, ids, wake
from webapp.kernel.batches import in_batches
from webapp.kernel.errors import NotFound

IDLE, ABSOLUTE = dt.timedelta(days=14), dt.timedelta(days=90)
ADMIN_IDLE, ADMIN_ABSOLUTE = dt.timedelta(minutes=15), dt.timedelta(hours=12)
KEPT_TRIES, KEPT_ENDED = dt.timedelta(days=1), dt.timedelta(days=30)
TOKEN_LENGTH = 43
DEVICE_LENGTH = 80
PERSON_SECONDS = 30 * 60
SWEEP_AT_ONCE = 1_000
WAKE = "sessions"

_TOUCH = text(
    "UPDATE sign_in_session SET last_seen_at = clock_now(),"
    " idle_until = least(ends_at, clock_now() + :idle)"
    " WHERE id = (SELECT id FROM sign_in_session WHERE id = :id FOR UPDATE SKIP LOCKED)"
)


def begin_session(user: User, device: Device) -> SignedIn:
    """Return a new session of `user`, with its token. A step."""
    db.assert_transaction()
    now = clock.now()
    idle, absolute = (ADMIN_IDLE, ADMIN_ABSOLUTE) if user.is_admin else (IDLE, ABSOLUTE)
    token = ids.secret_token()
    db.session.add(
        SignInSession(
            id=ids.new("session"),
            user_id=user.id,
            token_hash=ids.token_hash(token),
            device=device.words[:DEVICE_LENGTH],
            ip_prefix=address_prefix(device.address),
            created_at=now,
            last_seen_at=now,
            idle_until=now + idle,
            ends_at=now + absolute,
            is_admin=user.is_admin,
        )
    )
    db.session.flush()
    return SignedIn(user.id, token, ends_at=now + absolute, is_admin=user.is_admin)


def person_for(token: str, *, prolong: bool = True) -> Person | None:
    """Return who is signed in with this token, or None where it is unknown, ended or revoked.

    What a page fetches by itself does not `prolong` the session: an open tab is nobody's presence.
    """
    if len(token) != TOKEN_LENGTH:
        return None
    found = session_by(token)
    return None if found is None else whole_person(found, prolong=prolong)


def whole_person(found: Row[Any], *, prolong: bool) -> Person:
    """Return the person of a session that works, as `session_by` found it."""
    with db.scoped(db.Scope(user_id=found.user_id)):
        if prolong and found.seen_long_ago:
            touch(found.session_id, as_admin=found.as_admin)
        kept = _kept(found.user_id, found.stamp) or _read_and_keep(found.user_id, found.stamp)
    return _opened(found, kept)


def session_stands(session_id: str, user_id: str) -> bool:
    """Whether a session that was good at connect still is: for connections that stay open."""
    with db.scoped(db.Scope(user_id=user_id)):
        live = select(SignInSession.id).where(SignInSession.id == session_id, *_alive())
        return db.session.scalar(live) is not None


def sessions_of(user_id: str) -> Sequence[SignInSession]:
    """Return a person's sessions that still work, the last seen first."""
    live = select(SignInSession).where(SignInSession.user_id == user_id, *_alive())
    live = live.order_by(SignInSession.last_seen_at.desc(), SignInSession.id.desc())
    return db.session.scalars(live.execution_options(populate_existing=True)).all()


def sign_out(token: str) -> None:
    """End the session of this token; one that has ended already stays so."""
    found = session_by(token)
    if found is not None:
        with db.transaction(own(found.user_id)):
            end_sessions(found.user_id, only=found.session_id)


def revoke_session(user_id: str, session_id: str) -> None:
    """End one of a person's sessions; raises NotFound where they have none of that id."""
    with db.transaction(own(user_id)):
        known = select(SignInSession.id).where(
            SignInSession.id == session_id, SignInSession.user_id == user_id
        )
        if db.session.scalar(known) is None:
            raise NotFound
        end_sessions(user_id, only=session_id)


def revoke_other_sessions(user_id: str, session_id: str) -> None:
    """End all of a person's sessions except this one."""
    with db.transaction(own(user_id)):
        end_sessions(user_id, but=session_id)


def end_sessions(user_id: str, *, only: str | None = None, but: str | None = None) -> None:
    """Revoke a person's sessions, and tell whoever holds connections of them. A step."""
    db.assert_transaction()
    ending = update(SignInSession).where(
        SignInSession.user_id == user_id, SignInSession.revoked_at.is_(None)
    )
    if only is not None:
        ending = ending.where(SignInSession.id == only)
    if but is not None:
        ending = ending.where(SignInSession.id != but)
    db.session.execute(ending.values(revoked_at=clock.now()))
    wake.soon(WAKE)
    forget_person(user_id)


def sweep(*, at_once: int = SWEEP_AT_ONCE) -> int:
    """Delete tries, sessions and links that ended long ago; returns how many. A worker's chore.

    In batches, for as long as a chore may take: the next run goes on.
    """
    now = clock.now()
    old: tuple[tuple[Any, Any], ...] = (
        (SignInTry, SignInTry.at < now - KEPT_TRIES),
        (SignInSession, SignInSession.idle_until < now - KEPT_ENDED),
        (SecretToken, SecretToken.expires_at < now - KEPT_ENDED),
    )
    return sum(_sweep_one(table, is_old, at_once) for table, is_old in old)


def _sweep_one(table: Any, is_old: Any, at_once: int) -> int:
    some = select(table.id).where(is_old).limit(at_once)
    statement = delete(table).where(table.id.in_(some)).returning(literal(1))
    return in_batches(lambda session: len(session.execute(statement).all()), of=at_once)


def forget_person(user_id: str) -> None:
    """Drop the display copy of a person after the commit. A step."""
    cache.forget_after_commit(_key(user_id))


def _alive() -> tuple[Any, ...]:
    now = text("clock_now()")
    return (
        SignInSession.revoked_at.is_(None),
        SignInSession.idle_until > now,
        SignInSession.ends_at > now,
    )


def session_by(token: str) -> Row[Any] | None:
    """Return the session of a token if it works: its ids, and the stamp of its person's rows."""
    return db.session.execute(
        text("SELECT * FROM session_by_token(:hash)"), {"hash": ids.token_hash(token)}
    ).one_or_none()


def touch(session_id: str, *, as_admin: bool) -> None:
    """Note that the session is in use, which puts off its end for want of use."""
    with db.transaction():
        db.session.execute(_TOUCH, {"id": session_id, "idle": ADMIN_IDLE if as_admin else IDLE})


def _key(user_id: str) -> str:
    return f"person:2:{user_id}"


def _kept(user_id: str, stamp: str) -> dict[str, Any] | None:
    copy = cache.get(_key(user_id))
    if copy is None:
        return None
    kept: dict[str, Any] = json.loads(copy)
    return kept if kept.get("stamp") == stamp else None


def _read_and_keep(user_id: str, stamp: str) -> dict[str, Any]:
    """Read what pages show of the person, still sealed, and keep a copy of it."""
    user = db.session.execute(
        select(
            User.email_sealed, User.name_sealed, User.is_admin, User.timezone, User.verified_at
        ).where(User.id == user_id)
    ).one()
    members = db.session.execute(
        select(
            Membership.merchant_id,
            Merchant.name,
            Membership.role,
            Merchant.timezone,
            Merchant.status == MerchantStatus.ACTIVE.value,
        )
        .join(Merchant, Merchant.id == Membership.merchant_id)
        .where(Membership.user_id == user_id, Membership.ended_at.is_(None))
        .order_by(Membership.id)
    ).all()
    kept = {
        "stamp": stamp,
        "email": user.email_sealed,
        "name": user.name_sealed,
        "is_admin": user.is_admin,
        "timezone": user.timezone,
        "is_verified": user.verified_at is not None,
        "memberships": [list(member) for member in members],
    }
    cache.put(_key(user_id), json.dumps(kept), seconds=PERSON_SECONDS)
    return kept


def _opened(found: Row[Any], kept: dict[str, Any]) -> Person:
    return Person(
        user_id=found.user_id,
        name=crypto.unseal(kept["name"], context=f"app_user:name:{found.user_id}"),
        email=crypto.unseal(kept["email"], context=f"app_user:email:{found.user_id}"),
        is_admin=bool(kept["is_admin"] and found.as_admin),
        timezone=kept["timezone"],
        memberships=tuple(
            Member(merchant_id, name, MemberRole(role), zone, is_active)
            for merchant_id, name, role, zone, is_active in kept["memberships"]
        ),
        session_id=found.session_id,
        is_verified=kept["is_verified"],
    )
