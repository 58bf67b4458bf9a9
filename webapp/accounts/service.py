"""Opening an account, confirming its address, its profile, and closing and restoring it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from webapp import audit
from webapp.accounts import links, passwords, throttle, typed
from webapp.accounts.errors import AlreadyRegistered, WeakPassword
from webapp.accounts.guessable import why_guessable
from webapp.accounts.models import Purpose, User, UserStatus, email_index
from webapp.accounts.person import Registered
from webapp.accounts.rows import own, user_id_by_index, user_row
from webapp.accounts.sessions import end_sessions, forget_person
from webapp.kernel import clock, db, ids
from webapp.outbox import SYSTEM, Actor

DEFAULT_ZONE = "Asia/Kolkata"
DEFAULT_LOCALE = "en-IN"
ONE_ADDRESS = "uq_app_user_email_index"


def register(
    email: str, name: str, password: str, *, timezone: str = DEFAULT_ZONE, address: str = ""
) -> Registered:
    """Open an account for an e-mail address and return the secret to be mailed to it.

    Raises Invalid naming the field, WeakPassword, TooManyTries, or AlreadyRegistered: that one is
    told to the address's owner by mail and to nobody else.
    """
    email, name = typed.email(email), typed.name(name)
    zone = typed.timezone(timezone)
    refuse_guessable(password, email=email, name=name)
    throttle.note_try(throttle.REGISTER, email_index(email), address)
    hashed = passwords.hash_password(password)
    user = _new_user(email, name, hashed, zone)
    with one_account_each(), db.transaction(own(user.id)):
        if user_id_by_index(user.email_index) is not None:
            raise AlreadyRegistered
        user.begin(UserStatus.UNVERIFIED, because="signed up", by=Actor("user", user.id))
        token = links.issue(user.id, Purpose.VERIFY_EMAIL)
    return Registered(user_id=user.id, verification_token=token)


def ask_verification(user_id: str, *, address: str = "") -> str | None:
    """Return a fresh secret for the address's confirmation, or None where it is confirmed."""
    throttle.note_try(throttle.VERIFY, email_index(own_email(user_id)), address)
    with db.transaction(own(user_id)):
        if user_row(user_id, lock=True).is_verified:
            return None
        return links.issue(user_id, Purpose.VERIFY_EMAIL)


def verify(token: str) -> str:
    """Confirm the address that the link was mailed to and return whose it is.

    Raises LinkSpent when the link is unknown, used or expired.
    """
    user_id = links.owner_of(token)
    with db.transaction(own(user_id)):
        links.spend(token, Purpose.VERIFY_EMAIL)
        confirm_address(user_row(user_id, lock=True), because="opened the link mailed to them")
    return user_id


def confirm_address(user: User, *, because: str) -> None:
    """Note that the address was shown to be theirs; does nothing where it was before. A step."""
    if user.is_verified:
        return
    user.verified_at = clock.now()
    if user.status == UserStatus.UNVERIFIED:
        user.move_to(UserStatus.ACTIVE, because=because, by=Actor("user", user.id))
    forget_person(user.id)


def update_profile(user_id: str, *, name: str, phone: str, timezone: str) -> None:
    """Change what a person says about themselves; raises Invalid naming the field."""
    name, number, zone = typed.name(name), typed.phone(phone), typed.timezone(timezone)
    with db.transaction(own(user_id)):
        user = user_row(user_id, lock=True)
        user.set_name(name)
        user.set_phone(number)
        user.timezone = zone
        audit.record("user.profile_changed", "user", user_id, by=Actor("user", user_id))
        forget_person(user_id)


def import_user(email: str, name: str, bcrypt_hash: str, *, timezone: str = DEFAULT_ZONE) -> str:
    """Take over a person with their bcrypt hash from another system and return the new id.

    The hash is replaced by argon2id at their next sign-in. Raises BadImport, Invalid or
    AlreadyRegistered.
    """
    email, name = typed.email(email), typed.name(name)
    user = _new_user(email, name, passwords.importable(bcrypt_hash), typed.timezone(timezone))
    user.verified_at = user.created_at
    with one_account_each(), db.transaction(own(user.id)):
        if user_id_by_index(user.email_index) is not None:
            raise AlreadyRegistered
        user.begin(UserStatus.UNVERIFIED, because="imported", by=SYSTEM)
        user.move_to(UserStatus.ACTIVE, because="confirmed before the import", by=SYSTEM)
    return user.id


def create_admin(email: str, name: str, password: str) -> str:
    """Open an admin's account, confirmed from the start, and return its id; the owner's role only.

    Raises Invalid naming the field, WeakPassword or AlreadyRegistered.
    """
    email, name = typed.email(email), typed.name(name)
    refuse_guessable(password, email=email, name=name)
    user = _new_user(email, name, passwords.hash_password(password), DEFAULT_ZONE)
    user.is_admin = True
    user.verified_at = user.created_at
    with one_account_each(), db.transaction(db.OWNER):
        if user_id_by_index(user.email_index) is not None:
            raise AlreadyRegistered
        user.begin(UserStatus.UNVERIFIED, because="made by an operator", by=SYSTEM)
        user.move_to(UserStatus.ACTIVE, because="confirmed by an operator", by=SYSTEM)
        audit.record("user.made_admin", "user", user.id, by=SYSTEM)
    return user.id


def suspend_user(user_id: str, *, because: str, by: Actor) -> None:
    """Close an account and end its sessions; needs the admin scope. Twice changes nothing."""
    with db.transaction():
        user = user_row(user_id, lock=True)
        if user.status == UserStatus.SUSPENDED:
            return
        user.move_to(UserStatus.SUSPENDED, because=because, by=by)
        end_sessions(user_id)
        audit.record("user.suspended", "user", user_id, by=by, data={"because": because})


def restore_user(user_id: str, *, because: str, by: Actor) -> None:
    """Open a suspended account again; needs the admin scope. Any other is left as it is."""
    with db.transaction():
        user = user_row(user_id, lock=True)
        if user.status != UserStatus.SUSPENDED:
            return
        user.move_to(UserStatus.ACTIVE, because=because, by=by)
        forget_person(user_id)
        audit.record("user.restored", "user", user_id, by=by, data={"because": because})


def own_email(user_id: str) -> str:
    """Return a person's address from their own row."""
    with db.transaction(own(user_id)):
        return user_row(user_id).email


def refuse_guessable(password: str, *, email: str, name: str, param: str = "password") -> None:
    """Raise WeakPassword with the reason where `password` is too easy to guess for this person."""
    if reason := why_guessable(password, email=email, name=name):
        raise WeakPassword(reason, param=param)


def _new_user(email: str, name: str, hashed: str, zone: str) -> User:
    now = clock.now()
    user = User(
        id=ids.new("user"),
        password_hash=hashed,
        timezone=zone,
        locale=DEFAULT_LOCALE,
        created_at=now,
        password_changed_at=now,
    )
    user.set_email(email)
    user.set_name(name)
    user.set_phone(None)
    return user


@contextmanager
def one_account_each() -> Iterator[None]:
    """Turn the database's refusal of a second account for one address into AlreadyRegistered."""
    try:
        yield
    except IntegrityError as twice:
        if ONE_ADDRESS not in str(twice.orig):
            raise
        raise AlreadyRegistered from twice
