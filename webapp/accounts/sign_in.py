"""Signing in, changing the password or address, and getting back in without it."""

from __future__ import annotations

import structlog

from webapp import audit
from webapp.accounts import links, passwords, throttle, typed
from webapp.accounts.errors import (
    AlreadyRegistered,
    EmailTaken,
    LinkSpent,
    Suspended,
    WrongCredentials,
)
from webapp.accounts.models import Purpose, User, UserStatus, email_index
from webapp.accounts.person import Device, EmailChanged, Person, SignedIn
from webapp.accounts.rows import own, user_id_by_index, user_row
from webapp.accounts.service import (
    confirm_address,
    one_account_each,
    own_email,
    refuse_guessable,
)
from webapp.accounts.sessions import begin_session, end_sessions, forget_person
from webapp.kernel import clock, db
from webapp.kernel.errors import Invalid
from webapp.outbox import Actor

_log = structlog.get_logger(__name__)


def sign_in(email: str, password: str, *, device: str, address: str) -> SignedIn:
    """Begin a session for the person of this address and password.

    `device` is a few words about the browser, `address` its IP address. An unknown address takes
    the same time and gets the same answer as a wrong password. Raises WrongCredentials,
    TooManyTries, or Suspended (the password being right).
    """
    index = email_index(email)
    throttle.note_try(throttle.SIGN_IN, index, address)
    user = _user_by(index)
    stored = user.password_hash if user else None
    if not passwords.is_right(stored, password) or user is None or stored is None:
        _log.info("sign_in_refused", network=throttle.address_prefix(address))
        raise WrongCredentials
    rehashed = passwords.hash_password(password) if passwords.needs_rehash(stored) else None
    with db.transaction(own(user.id)):
        return _let_in(user.id, stored, rehashed, Device(device, address))


def ask_reset(email: str, *, address: str = "") -> str | None:
    """Return the secret to be mailed for a new password, or None where nobody has that address.

    The caller mails something in both cases and shows the same page. Raises TooManyTries.
    """
    email = typed.email(email)
    throttle.note_try(throttle.RESET, email_index(email), address)
    user = _user_by(email_index(email))
    if user is None:
        return None
    with db.transaction(own(user.id)):
        return links.issue(user.id, Purpose.RESET_PASSWORD)


def mailed_to(token: str) -> str:
    """Return the address to which a link goes: as its owner has it, not as somebody typed it.

    Raises LinkSpent when there is no such link.
    """
    return own_email(links.owner_of(token))


def reset_password(token: str, new: str) -> str:
    """Set a new password by a mailed link, end every session, and return whose it is.

    The link also shows that the address is theirs. Raises LinkSpent or WeakPassword.
    """
    user_id = links.owner_of(token)
    with db.transaction(own(user_id)):
        links.find(token, Purpose.RESET_PASSWORD)
        user = user_row(user_id)
    refuse_guessable(new, email=user.email, name=user.name)
    hashed = passwords.hash_password(new)
    with db.transaction(own(user_id)):
        links.spend(token, Purpose.RESET_PASSWORD)
        user = user_row(user_id, lock=True)
        _set_password(user, hashed, action="user.password_reset")
        throttle.forget_tries(throttle.SIGN_IN, user.email_index)
        confirm_address(user, because="reset the password by a mailed link")
    return user_id


def change_password(person: Person, *, current: str, new: str, device: Device) -> SignedIn:
    """Set a new password, end every session of the person and begin a new one for this browser.

    Raises Invalid naming `current`, WeakPassword naming `new`, or TooManyTries.
    """
    stored = _confirmed(person, current, address=device.address)
    refuse_guessable(new, email=person.email, name=person.name, param="new")
    hashed = passwords.hash_password(new)
    with db.transaction(own(person.user_id)):
        user = user_row(person.user_id, lock=True)
        if user.password_hash != stored:
            raise WrongCredentials
        _set_password(user, hashed, action="user.password_changed")
        return begin_session(user, device)


def ask_new_email(person: Person, *, new_email: str, current: str, address: str) -> str:
    """Return the secret to be mailed to the new address, which takes effect when it is confirmed.

    Raises Invalid naming `email` or `current`, TooManyTries, or AlreadyRegistered, which is told to
    the owner of that address by mail and to nobody else.
    """
    new_email = typed.email(new_email)
    if email_index(new_email) == email_index(person.email):
        raise Invalid("That is your address already.", param="email")
    _confirmed(person, current, address=address)
    with db.transaction(own(person.user_id)):
        if user_id_by_index(email_index(new_email)) is not None:
            raise AlreadyRegistered
        return links.issue(person.user_id, Purpose.CHANGE_EMAIL, new_email=new_email)


def confirm_new_email(token: str) -> EmailChanged:
    """Put the confirmed address in force; raises LinkSpent, or EmailTaken (one was faster)."""
    user_id = links.owner_of(token)
    try:
        with one_account_each(), db.transaction(own(user_id)):
            new_email = links.new_email_of(links.spend(token, Purpose.CHANGE_EMAIL))
            user = user_row(user_id, lock=True)
            old_email = user.email
            user.set_email(new_email)
            confirm_address(user, because="confirmed a new address")
            links.void(user_id, Purpose.VERIFY_EMAIL, Purpose.RESET_PASSWORD)
            forget_person(user_id)
            audit.record("user.email_changed", "user", user_id, by=Actor("user", user_id))
    except AlreadyRegistered as taken:
        raise EmailTaken from taken
    return EmailChanged(user_id, old_email=old_email, new_email=new_email)


def link_works(token: str, purpose: Purpose) -> bool:
    """Whether a mailed link would work now; asking changes nothing."""
    try:
        with db.transaction(own(links.owner_of(token))):
            links.find(token, purpose)
    except LinkSpent:
        return False
    return True


def _user_by(index: str) -> User | None:
    user_id = user_id_by_index(index)
    if user_id is None:
        return None
    with db.transaction(own(user_id)):
        return user_row(user_id)


def _let_in(user_id: str, checked: str, rehashed: str | None, device: Device) -> SignedIn:
    user = user_row(user_id, lock=True)
    if user.password_hash != checked:
        raise WrongCredentials
    if user.status == UserStatus.SUSPENDED:
        raise Suspended
    if rehashed is not None:
        user.password_hash = rehashed
    throttle.forget_tries(throttle.SIGN_IN, user.email_index)
    audit.record("user.signed_in", "user", user_id, by=Actor("user", user_id))
    return begin_session(user, device)


def _confirmed(person: Person, password: str, *, address: str) -> str:
    """Return the stored hash that the password fits; raises Invalid naming `current`."""
    index = email_index(person.email)
    throttle.note_try(throttle.CONFIRM, index, address)
    with db.transaction(own(person.user_id)):
        stored = user_row(person.user_id).password_hash
    if not passwords.is_right(stored, password):
        raise Invalid("That is not your current password.", param="current")
    with db.transaction(own(person.user_id)):
        throttle.forget_tries(throttle.CONFIRM, index)
    return stored


def _set_password(user: User, hashed: str, *, action: str) -> None:
    user.password_hash = hashed
    user.password_changed_at = clock.now()
    links.void(user.id, Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL)
    end_sessions(user.id)
    audit.record(action, "user", user.id, by=Actor("user", user.id))
