"""Test users whom programs name in plain words, such as `bruce_wayne`; they sign in nowhere.

Each merchant has its own: a name is looked up inside a space of names. Of test mode only.
"""

from __future__ import annotations

import re

from webapp.accounts import passwords
from webapp.accounts.errors import AlreadyRegistered
from webapp.accounts.models import User, UserStatus, email_index
from webapp.accounts.rows import own, user_id_by_index
from webapp.accounts.service import DEFAULT_LOCALE, DEFAULT_ZONE, one_account_each
from webapp.kernel import clock, db, ids
from webapp.kernel.errors import Invalid
from webapp.outbox import SYSTEM

DOMAIN = "test-users.example"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def named_user(name: str, *, space: str) -> str | None:
    """Return the id of the test user of that name, or None; raises Invalid for what is no name."""
    return user_id_by_index(email_index(_address(name, space)))


def make_named_user(name: str, *, space: str) -> str:
    """Return the id of the test user of that name, made now if there was none.

    May be called twice, and by two at once. Nobody can sign in as one: no password is right for
    it, and none is hashed. Raises Invalid for what is no name.
    """
    found = named_user(name, space=space)
    if found is not None:
        return found
    now = clock.now()
    user = User(
        id=ids.new("user"),
        password_hash=passwords.nobodys_hash(),
        timezone=DEFAULT_ZONE,
        locale=DEFAULT_LOCALE,
        created_at=now,
        password_changed_at=now,
        verified_at=now,
    )
    user.set_email(_address(name, space))
    user.set_name(name)
    user.set_phone(None)
    try:
        with one_account_each(), db.transaction(own(user.id)):
            user.begin(UserStatus.UNVERIFIED, because="named by a program", by=SYSTEM)
            user.move_to(UserStatus.ACTIVE, because="a test user", by=SYSTEM)
    except AlreadyRegistered:
        twin = named_user(name, space=space)
        if twin is None:
            raise
        return twin
    return user.id


def _address(name: str, space: str) -> str:
    if not _NAME.fullmatch(name) or ".." in name:
        raise Invalid("Name a test user in letters, digits, dots, - and _.", param="userId")
    return f"{name.rstrip('.').lower()}.{space.lower()}@{DOMAIN}"
