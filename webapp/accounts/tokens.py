"""Tokens of a person's programs: a short-lived JWT, and a refresh token that is good once.

Their family is the sign-in session they were begun with. It stands in Postgres and is asked for at
every call, so that signing out, a new password and a suspension end them at once.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from typing import Any

import jwt
from sqlalchemy import Row, select, text

from webapp import audit
from webapp.accounts.errors import RefreshEnded
from webapp.accounts.key_models import RefreshToken, Tokens
from webapp.accounts.person import Person, SignedIn
from webapp.accounts.rows import own
from webapp.accounts.sessions import end_sessions, session_by, touch, whole_person
from webapp.kernel import clock, db, ids
from webapp.outbox import SYSTEM

ACCESS = dt.timedelta(minutes=60)
REFRESH = dt.timedelta(days=7)
#: How long after its use a refresh token answers as it did then, for a caller who heard nothing.
HEARD_NOTHING = dt.timedelta(seconds=10)
ALGORITHM = "HS256"
ISSUER = "paydeck"
LONGEST_JWT = 2_000
TOKEN_LENGTH = 43
CLAIMS = ["exp", "iat", "iss", "jti", "sid", "sub"]
_OWN_SESSION = text("SELECT * FROM own_session(:id)")
_secret: list[str] = []


def use_token_secret(secret: str) -> None:
    """Set the secret that signs access tokens (32 characters or more); called once at start."""
    _secret[:] = [secret]


def begin_tokens(signed_in: SignedIn) -> Tokens:
    """Return the first pair of tokens of a new sign-in; raises RefreshEnded where it has ended."""
    found = session_by(signed_in.session_token)
    if found is None:
        raise RefreshEnded
    with db.transaction(own(found.user_id)):
        return _issue(found.user_id, found.session_id, ids.secret_token(), signed_in.ends_at)


def refresh_tokens(refresh: str) -> Tokens:
    """Return the next pair and use this refresh token up; raises RefreshEnded.

    Asked again within ten seconds, it returns the same next refresh token, as long as that one is
    unused: the answer may have been lost. Any other second use ends the whole family, because one
    of the two who have the token stole it.
    """
    user_id = _owner_of(refresh)
    if user_id is None:
        raise RefreshEnded
    with db.transaction(own(user_id)):
        tokens = _rotate(user_id, refresh)
    if tokens is None:
        raise RefreshEnded
    return tokens


def end_tokens(refresh: str) -> None:
    """End the family of a refresh token, used or not; an unknown one changes nothing."""
    user_id = _owner_of(refresh)
    if user_id is None:
        return
    with db.transaction(own(user_id)):
        end_sessions(user_id, only=_row(refresh).session_id)


def person_for_access(access: str, *, prolong: bool = True) -> Person | None:
    """Return whose access token this is, or None where it is not ours, has ended, or its family.

    The algorithm is ours to choose, never the token's.
    """
    claims = _claims(access)
    if claims is None:
        return None
    with db.scoped(db.Scope(user_id=claims["sub"])):
        found = _own_session(claims["sid"])
    return None if found is None else whole_person(found, prolong=prolong)


def _rotate(user_id: str, refresh: str) -> Tokens | None:
    """Return the next pair, or None where there is none; ends the family on reuse. A step."""
    row = _row(refresh, lock=True)
    session, now = _own_session(row.session_id), clock.now()
    if session is None or row.expires_at <= now:
        return None
    following = _successor_of(refresh)
    if row.used_at is not None:
        return _again(row, following, now)
    row.used_at = now
    if session.seen_long_ago:
        touch(session.session_id, as_admin=session.as_admin)
    return _issue(user_id, row.session_id, following, _session_end(row.session_id))


def _again(row: RefreshToken, following: str, now: dt.datetime) -> Tokens | None:
    """Answer a second use: the same again for a lost answer, the end of the family otherwise."""
    issued = db.session.scalar(
        select(RefreshToken).where(RefreshToken.token_hash == ids.token_hash(following))
    )
    is_fresh = row.used_at is not None and now < row.used_at + HEARD_NOTHING
    if is_fresh and issued is not None and issued.used_at is None:
        return _pair(row.user_id, row.session_id, following, issued.expires_at)
    end_sessions(row.user_id, only=row.session_id)
    audit.record(
        "user.refresh_token_reused",
        "user",
        row.user_id,
        by=SYSTEM,
        data={"session_id": row.session_id, "refresh_token_id": row.id},
    )
    return None


def _issue(user_id: str, session_id: str, refresh: str, session_end: dt.datetime) -> Tokens:
    now = clock.now()
    ends = min(now + REFRESH, session_end)
    db.session.add(
        RefreshToken(
            id=ids.new("refresh_token"),
            session_id=session_id,
            user_id=user_id,
            token_hash=ids.token_hash(refresh),
            created_at=now,
            expires_at=ends,
        )
    )
    db.session.flush()
    return _pair(user_id, session_id, refresh, ends)


def _pair(user_id: str, session_id: str, refresh: str, refresh_end: dt.datetime) -> Tokens:
    now = clock.now()
    ends = now + ACCESS
    claims = {
        "iss": ISSUER,
        "sub": user_id,
        "sid": session_id,
        "jti": ids.new("token"),
        "iat": int(now.timestamp()),
        "exp": int(ends.timestamp()),
    }
    access = jwt.encode(claims, _secret[0], algorithm=ALGORITHM)
    return Tokens(user_id, access, refresh, access_ends_at=ends, refresh_ends_at=refresh_end)


def _claims(access: str) -> dict[str, Any] | None:
    """Return the claims of a token that we signed and that has not ended, else None."""
    if len(access) > LONGEST_JWT:
        return None
    try:
        claims: dict[str, Any] = jwt.decode(
            access,
            _secret[0],
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            # The end is compared with the kernel's clock below.
            options={"require": CLAIMS, "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return None
    return claims if clock.now().timestamp() < claims["exp"] else None


def _successor_of(refresh: str) -> str:
    """Return the token that follows this one: always the same, and unknown without our secret."""
    mac = hmac.new(_secret[0].encode(), b"refresh:" + refresh.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def _owner_of(refresh: str) -> str | None:
    if len(refresh) != TOKEN_LENGTH or not refresh.isascii():
        return None
    owner: str | None = db.session.scalar(
        text("SELECT refresh_token_owner(:hash)"), {"hash": ids.token_hash(refresh)}
    )
    return owner


def _row(refresh: str, *, lock: bool = False) -> RefreshToken:
    wanted = select(RefreshToken).where(RefreshToken.token_hash == ids.token_hash(refresh))
    wanted = wanted.execution_options(populate_existing=True)
    return db.session.scalars(wanted.with_for_update() if lock else wanted).one()


def _own_session(session_id: str) -> Row[Any] | None:
    return db.session.execute(_OWN_SESSION, {"id": session_id}).one_or_none()


def _session_end(session_id: str) -> dt.datetime:
    ends: dt.datetime = db.session.execute(
        text("SELECT ends_at FROM sign_in_session WHERE id = :id"), {"id": session_id}
    ).scalar_one()
    return ends
