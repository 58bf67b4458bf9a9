"""People for the tests of accounts, made through the room's own verbs."""

from __future__ import annotations

from itertools import count

from sqlalchemy import text

from webapp import accounts
from webapp.accounts import Person, SignedIn
from webapp.kernel import db

PASSWORD = "correct horse battery"
HOME = "203.0.113.7"
AWAY = "198.51.100.9"
_numbers = count(1)


def new_address() -> str:
    """Return an e-mail address that no other test has used."""
    return f"person{next(_numbers)}@shop.example"


def somebody(email: str | None = None, *, name: str = "Asha Raman", verified: bool = True) -> str:
    """Register a person and return their id."""
    new = accounts.register(email or new_address(), name, PASSWORD)
    if verified:
        accounts.verify(new.verification_token)
    return new.user_id


def signed_in(email: str, *, address: str = HOME, password: str = PASSWORD) -> SignedIn:
    """Sign a person in."""
    return accounts.sign_in(email, password, device="Firefox on Linux", address=address)


def person_of(session: SignedIn) -> Person:
    """Return who is signed in with a session that works."""
    person = accounts.person_for(session.session_token)
    assert person is not None
    return person


def as_user(user_id: str) -> db.Scope:
    """Return the scope of a person."""
    return db.Scope(user_id=user_id)


def make_admin(user_id: str) -> None:
    """Make a person an admin, which only the owner's hand can do."""
    with db.transaction(db.OWNER):
        db.session.execute(
            text("UPDATE app_user SET is_admin = true WHERE id = :id"), {"id": user_id}
        )
