"""API keys: made, rolled and revoked by people with the role, or by a key that may."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from webapp import accounts
from webapp.accounts import ApiKey, KeyEnd, NewKey
from webapp.api.caller import caller, needs
from webapp.api.lists import moment
from webapp.api.models import Body, Thing, Words
from webapp.api.routing import get, post
from webapp.api.users import whole
from webapp.api.webhook_endpoints import epoch
from webapp.kernel import clock

TAG = "API keys"
DAY = 86_400
Scopes = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=40)]
_SHOWN: dict[str, Any] = {
    "id": "key_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
    "object": "api_key",
    "created": 1_763_717_400,
    "livemode": False,
    "metadata": {},
    "status": "works",
    "kind": "secret",
    "name": "The shop’s server",
    "shown": "sk_test_…9YbQ",
    "scopes": None,
    "api_version": accounts.API_VERSION,
    "expires_at": None,
    "revoked_at": None,
    "replaced_by": None,
    "last_used_at": None,
}


class ApiKeyObject(Thing):
    """A key; its text is known by its hash only."""

    model_config = ConfigDict(extra="forbid", title="ApiKey")
    EXAMPLE: ClassVar[dict[str, Any]] = _SHOWN

    object: Literal["api_key"]
    status: Literal["works", "replaced", "expired", "revoked"]
    kind: Literal["secret", "publishable"]
    name: str
    shown: str = Field(description="How the text begins and ends.")
    scopes: list[str] | None = Field(description="Null for all that its kind may do.")
    api_version: str
    expires_at: int | None
    revoked_at: int | None
    replaced_by: str | None
    last_used_at: int | None


class NewApiKey(ApiKeyObject):
    """A new key with its text, which is told now and not again."""

    model_config = ConfigDict(extra="forbid", title="NewApiKey")
    EXAMPLE: ClassVar[dict[str, Any]] = _SHOWN | {"token": "sk_test_" + "x" * 43}
    TELLS_SECRET: ClassVar[bool] = True

    token: str


class CreateApiKey(Body):
    """A new key."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "name": "The shop’s server",
        "kind": "secret",
        "scopes": ["orders:write", "payments:read"],
    }

    name: Annotated[Words, Field(min_length=1, max_length=80)]
    kind: Literal["secret", "publishable"] = "secret"
    scopes: Scopes | None = Field(None, description="Left out, all that its kind may do.")
    expires_at: Annotated[int, Field(ge=0, le=4_102_444_800)] | None = Field(
        None, description="Unix time in seconds, within five years."
    )


class RollApiKey(Body):
    """How long the old key goes on working."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"overlap_seconds": 3_600}

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * DAY)] = DAY


@post("/api-keys", tag=TAG, gives=NewApiKey)
@needs(scope="api_keys:write", act="manage_keys")
def create_api_key(body: CreateApiKey) -> dict[str, Any]:
    """Create an API key.

    In the mode of whoever asks. Its text is told in this answer alone, and again only to the same
    key or person that asks with the same Idempotency-Key. A key makes none that may
    do more or lasts longer than itself, and none at all while it is being replaced.
    """
    who = caller()
    made = accounts.create_key(
        who.merchant,
        livemode=who.livemode,
        kind=body.kind,
        name=body.name,
        by=who.actor,
        scopes=body.scopes,
        expires_at=moment(body.expires_at),
        within=_within(),
    )
    return _told(made)


@get("/api-keys", tag=TAG, gives=ApiKeyObject, is_list=True)
@needs(scope="api_keys:read")
def list_api_keys() -> dict[str, Any]:
    """List API keys.

    Those that work before those that have ended; at most 200.
    """
    who = caller()
    found = accounts.keys_of(who.merchant, livemode=who.livemode)
    return whole([shown(one) for one in found], "/api/v1/api-keys")


@get("/api-keys/<string:key_id>", tag=TAG, gives=ApiKeyObject)
@needs(scope="api_keys:read")
def get_api_key(key_id: str) -> dict[str, Any]:
    """Get an API key.

    Without its text: nobody knows it any more.
    """
    return shown(accounts.key_of(caller().merchant, key_id))


@post("/api-keys/<string:key_id>/roll", tag=TAG, gives=NewApiKey)
@needs(scope="api_keys:write", act="manage_keys")
def roll_api_key(key_id: str, body: RollApiKey) -> dict[str, Any]:
    """Replace an API key.

    The new one may do the same; the old one works until the overlap has passed. A key that rolls
    itself is told the new one in this answer alone, and not again.
    """
    who = caller()
    accounts.key_of(who.merchant, key_id)
    overlap = dt.timedelta(seconds=body.overlap_seconds)
    return _told(accounts.roll_key(key_id, overlap=overlap, by=who.actor, within=_within()))


@post("/api-keys/<string:key_id>/revoke", tag=TAG, gives=ApiKeyObject, status=200)
@needs(scope="api_keys:write", act="manage_keys")
def revoke_api_key(key_id: str) -> dict[str, Any]:
    """Revoke an API key.

    At once and for good. Twice changes nothing. A key revokes itself, and none that may do more or
    lasts longer.
    """
    who = caller()
    accounts.key_of(who.merchant, key_id)
    return shown(accounts.revoke_key(key_id, by=who.actor, within=_within()))


def shown(key: ApiKey) -> dict[str, Any]:
    """Return a key as the API shows it: never its text."""
    end = key.end_at(clock.now())
    return {
        "id": key.id,
        "object": "api_key",
        "created": epoch(key.created_at),
        "livemode": key.livemode,
        "metadata": dict(key.details or {}),
        "status": KeyEnd(end).value,
        "kind": key.kind,
        "name": key.name,
        "shown": key.shown,
        "scopes": key.scopes,
        "api_version": key.api_version,
        "expires_at": epoch(key.expires_at),
        "revoked_at": epoch(key.revoked_at),
        "replaced_by": key.replaced_by,
        "last_used_at": epoch(key.last_used_at),
    }


def _told(made: NewKey) -> dict[str, Any]:
    return {**shown(made.key), "token": made.token}


def _within() -> frozenset[str] | None:
    """Return what a key that asks may do itself; None where a person asks."""
    who = caller()
    return who.scopes if who.kind == "key" else None
