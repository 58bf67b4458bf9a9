"""Who calls, read once from the Authorization header, and what an operation asks of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, TypeVar, Unpack

from flask import current_app, g, request

from webapp import accounts
from webapp.accounts import Person
from webapp.api import versions
from webapp.api.errors import (
    CredentialsMissing,
    CredentialsWrong,
    MerchantNotNamed,
    ModeNotConnected,
    RoleMissing,
    ScopeMissing,
)
from webapp.config import Settings
from webapp.kernel import db
from webapp.kernel.errors import Forbidden
from webapp.outbox import Actor

MERCHANT_HEADER = "Paydeck-Merchant"
KEY_PREFIXES = ("sk_test_", "sk_live_", "pk_test_", "pk_live_")
NO_BEARER = "Send the key or token as Authorization: Bearer and the key, not in another scheme."
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a key, a person (alone, for a merchant, or as an admin), or nobody."""

    kind: Literal["key", "person", "nobody"]
    actor: Actor
    livemode: bool
    version: str
    merchant_id: str | None = None
    key_id: str | None = None
    scopes: frozenset[str] = frozenset()
    person: Person | None = None
    is_secret: bool = True

    @property
    def user_id(self) -> str | None:
        """The person's id, or None where a key or nobody calls."""
        return self.person.user_id if self.person else None

    @property
    def merchant(self) -> str:
        """The merchant for whom is asked; only behind operations that ask for a scope."""
        if self.merchant_id is None:
            raise MerchantNotNamed(param=MERCHANT_HEADER)
        return self.merchant_id


class Asks(TypedDict, total=False):
    """What an operation may ask: see Needs."""

    scope: str
    act: str
    person: bool
    admin: bool
    anyone: bool
    provider: bool
    secret: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """Who may: keys with `scope` and members whose role allows `act`; `person`, `admin`, `anyone`.

    A member needs no `act` to read. What changes something and names no act is for owners and
    admins. With `scope` and `person` a person who names no merchant passes as a shopper.
    `provider` refuses keys of the mode in which no provider is connected; `secret` refuses
    publishable keys.
    """

    scope: str | None = None
    act: str | None = None
    person: bool = False
    admin: bool = False
    anyone: bool = False
    provider: bool = False
    secret: bool = False


def needs(**asks: Unpack[Asks]) -> Callable[[View], View]:
    """Declare who may call the operation that is decorated; without it none is registered."""
    wanted = Needs(**asks)
    if not (wanted.scope or wanted.person or wanted.admin or wanted.anyone):
        message = "an operation says who may call it"
        raise TypeError(message)

    def mark(view: View) -> View:
        view.needs = wanted  # type: ignore[attr-defined]
        return view

    return mark


def caller() -> Caller:
    """Return who calls."""
    found: Caller = g.caller
    return found


def identify() -> Caller:
    """Return who the request says it is from; raises CredentialsWrong, VersionUnknown."""
    sent = request.headers.get("Authorization", "").strip()
    version = request.headers.get(versions.HEADER)
    if not sent:
        return Caller("nobody", Actor("api"), settings().livemode, versions.chosen(version, None))
    scheme, _, token = sent.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise CredentialsWrong(NO_BEARER)
    if not token.isascii():
        raise CredentialsWrong
    if token.startswith(KEY_PREFIXES):
        return _key(token, version)
    return _person(token, version)


def admit(who: Caller, wanted: Needs, method: str) -> Caller:
    """Return the caller as the operation sees them; raises the reason why they may not pass."""
    if wanted.anyone:
        return who
    if who.kind == "nobody":
        raise CredentialsMissing
    if who.kind == "key":
        return _admit_key(who, wanted, method)
    return _admit_person(who, wanted, method)


def scope_of(who: Caller) -> db.Scope:
    """Return as whom the database is asked for this caller."""
    if who.actor.kind == "admin":
        return db.Scope(role=db.Role.ADMIN, livemode=who.livemode)
    if who.merchant_id is not None:
        return db.Scope(merchant_id=who.merchant_id, livemode=who.livemode)
    if who.person is not None:
        return db.Scope(user_id=who.person.user_id, livemode=who.livemode)
    return db.NOBODY


def settings() -> Settings:
    """Return the settings of the running app."""
    found: Settings = current_app.extensions["paydeck_settings"]
    return found


def _key(token: str, version: str | None) -> Caller:
    key = accounts.key_for(token)
    if key is None:
        raise CredentialsWrong
    is_secret = key.kind == accounts.KeyKind.SECRET
    writes = {scope for scope in key.scopes if is_secret and scope.endswith(":write")}
    return Caller(
        "key",
        Actor("api_key", key.key_id),
        key.livemode,
        versions.chosen(version, key.version),
        merchant_id=key.merchant_id,
        key_id=key.key_id,
        scopes=frozenset(key.scopes) | {scope.replace(":write", ":read") for scope in writes},
        is_secret=is_secret,
    )


def _person(token: str, version: str | None) -> Caller:
    person = accounts.person_for_access(token)
    if person is None:
        raise CredentialsWrong
    return Caller(
        "person",
        Actor("user", person.user_id),
        settings().livemode,
        versions.chosen(version, None),
        person=person,
    )


def _admit_key(who: Caller, wanted: Needs, method: str) -> Caller:
    if wanted.scope is None:
        raise Forbidden("This is for people: send an access token instead of a key.")
    if wanted.scope not in who.scopes:
        raise ScopeMissing(f"This key may not do that. It would need the scope {wanted.scope}.")
    if wanted.secret and not who.is_secret:
        raise ScopeMissing("A publishable key may not list these. Use a secret key.")
    if wanted.provider and method not in SAFE and who.livemode != settings().livemode:
        raise ModeNotConnected
    return who


def _admit_person(who: Caller, wanted: Needs, method: str) -> Caller:
    person = who.person
    if person is None:
        raise CredentialsMissing
    if wanted.admin:
        if not person.is_admin:
            raise RoleMissing
        return replace(who, actor=Actor("admin", person.user_id))
    named = request.headers.get(MERCHANT_HEADER)
    if wanted.scope is None or (wanted.person and named is None):
        return who
    if named is None:
        if not person.memberships:
            raise RoleMissing("This is for merchants, and you work for none.")
        raise MerchantNotNamed(param=MERCHANT_HEADER)
    return _for_merchant(who, person, named, wanted, method)


def _for_merchant(who: Caller, person: Person, named: str, wanted: Needs, method: str) -> Caller:
    if accounts.role_at(person, named) is None:
        raise RoleMissing("You do not work for this merchant.")
    if method not in SAFE:
        act = wanted.act or "change_settings"
        if reason := accounts.why_not_at_merchant(person, named, act):
            raise RoleMissing(reason)
    return replace(who, actor=Actor("merchant_user", person.user_id), merchant_id=named)
