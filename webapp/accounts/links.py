"""Secret links sent by mail: stored hashed, good once, for one purpose, for a limited time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select, text, update

from webapp.accounts.errors import LinkSpent
from webapp.accounts.models import Purpose, SecretToken
from webapp.kernel import clock, crypto, db, ids

GOOD_FOR: dict[Purpose, dt.timedelta] = {
    Purpose.VERIFY_EMAIL: dt.timedelta(hours=48),
    Purpose.RESET_PASSWORD: dt.timedelta(minutes=30),
    Purpose.CHANGE_EMAIL: dt.timedelta(hours=24),
}


def issue(user_id: str, purpose: Purpose, *, new_email: str | None = None) -> str:
    """Return a fresh secret for `purpose`; earlier ones for it stop working. A step."""
    void(user_id, purpose)
    now = clock.now()
    token, token_id = ids.secret_token(), ids.new("token")
    facts: dict[str, Any] = {}
    if new_email is not None:
        facts["email_sealed"] = crypto.seal(new_email, context=f"secret_token:email:{token_id}")
    db.session.add(
        SecretToken(
            id=token_id,
            user_id=user_id,
            purpose=purpose.value,
            token_hash=ids.token_hash(token),
            created_at=now,
            expires_at=now + GOOD_FOR[purpose],
            data=facts,
        )
    )
    db.session.flush()
    return token


def void(user_id: str, *purposes: Purpose) -> None:
    """Make every unused link of these purposes stop working. A step."""
    db.assert_transaction()
    db.session.execute(
        update(SecretToken)
        .where(
            SecretToken.user_id == user_id,
            SecretToken.purpose.in_([purpose.value for purpose in purposes]),
            SecretToken.used_at.is_(None),
        )
        .values(used_at=clock.now())
    )


def owner_of(token: str) -> str:
    """Return whose link it is; raises LinkSpent when there is no such link."""
    owner = db.session.scalar(
        text("SELECT secret_token_owner(:hash)"), {"hash": ids.token_hash(token)}
    )
    if owner is None:
        raise LinkSpent
    return str(owner)


def find(token: str, purpose: Purpose, *, lock: bool = False) -> SecretToken:
    """Return the link if it still works, in its owner's scope; raises LinkSpent otherwise."""
    wanted = select(SecretToken).where(
        SecretToken.token_hash == ids.token_hash(token),
        SecretToken.purpose == purpose.value,
        SecretToken.used_at.is_(None),
        SecretToken.expires_at > text("clock_now()"),
    )
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    link = db.session.scalar(wanted)
    if link is None:
        raise LinkSpent
    return link


def spend(token: str, purpose: Purpose) -> SecretToken:
    """Use the link up; raises LinkSpent when it was before. A step."""
    db.assert_transaction()
    link = find(token, purpose, lock=True)
    link.used_at = clock.now()
    return link


def new_email_of(link: SecretToken) -> str:
    """Return the address that a change_email link is about."""
    return crypto.unseal(link.data["email_sealed"], context=f"secret_token:email:{link.id}")
