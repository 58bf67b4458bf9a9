"""Reaching one's own rows: the scope of a person, and their row, fresh from the table."""

from __future__ import annotations

from sqlalchemy import select, text

from webapp.accounts.models import Merchant, User
from webapp.kernel import db
from webapp.kernel.errors import NotFound


def own(user_id: str, *, merchant_id: str | None = None) -> db.Scope | None:
    """Return the scope of a person's own rows; None inside a transaction, to join it."""
    if db.in_transaction():
        return None
    return db.Scope(role=db.current_scope().role, user_id=user_id, merchant_id=merchant_id)


def user_row(user_id: str, *, lock: bool = False) -> User:
    """Return a person's row as it is now; raises NotFound where this scope does not see it."""
    wanted = select(User).where(User.id == user_id).execution_options(populate_existing=True)
    found = db.session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise NotFound
    return found


def merchant_row(merchant_id: str, *, lock: bool = False) -> Merchant:
    """Return a merchant's row as it is now; raises NotFound where this scope does not see it."""
    wanted = select(Merchant).where(Merchant.id == merchant_id)
    wanted = wanted.execution_options(populate_existing=True)
    found = db.session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise NotFound
    return found


def user_id_by_index(index: str) -> str | None:
    """Return whose e-mail address has this blind index, whoever asks."""
    found: str | None = db.session.scalar(
        text("SELECT user_by_email_index(:index)"), {"index": index}
    )
    return found
