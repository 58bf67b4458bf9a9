"""What the pages about API keys show: frozen views, read in the merchant's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, url_for

from webapp import accounts
from webapp.accounts import ApiKey, KeyEnd, KeyKind
from webapp.kernel import clock
from webapp.web.merchant.door import why_not
from webapp.web.merchant.key_forms import RESOURCES
from webapp.web.shared.pills import Pill, pill

KINDS = {KeyKind.SECRET: "Secret", KeyKind.PUBLISHABLE: "Publishable"}
RECENTLY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key in the list."""

    id: str
    href: str
    name: str
    shown: str
    kind: str
    mode: str
    may_do: str
    created_by: str
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    ends_at: dt.datetime | None
    pill: Pill


@dataclass(frozen=True, slots=True)
class KeyPage:
    """One key for its page; `replacement` took its place, and all of `made` still work."""

    row: KeyRow
    scopes: Sequence[tuple[str, str]]
    api_version: str
    works: bool
    is_replaced: bool
    was_used_recently: bool
    replacement: KeyRow | None
    made: Sequence[KeyRow]
    why_not: str | None


def key_list() -> list[KeyRow]:
    """Return the merchant's keys of the mode in force, those that work first."""
    found = accounts.keys_of(g.merchant.id, livemode=g.merchant.livemode)
    return [key_row(key) for key in found]


def key_page(key_id: str) -> KeyPage:
    """Return one of the merchant's keys for its page; raises NotFound."""
    key, now = accounts.key_of(g.merchant.id, key_id), clock.now()
    used = key.last_used_at
    following = accounts.key_of(g.merchant.id, key.replaced_by) if key.replaced_by else None
    return KeyPage(
        row=key_row(key),
        scopes=_each_scope(key),
        api_version=key.api_version,
        works=key.end_at(now) is KeyEnd.WORKS,
        is_replaced=key.replaced_by is not None,
        was_used_recently=used is not None and used > now - RECENTLY,
        replacement=key_row(following) if following else None,
        made=_made_by(key, now),
        why_not=why_not("manage_keys"),
    )


def key_row(key: ApiKey) -> KeyRow:
    """Return a key as lists show it."""
    end = key.end_at(clock.now())
    return KeyRow(
        id=key.id,
        href=url_for("merchant.key", key_id=key.id),
        name=key.name,
        shown=key.shown,
        kind=KINDS[KeyKind(key.kind)],
        mode="live" if key.livemode else "test",
        may_do=_in_short(key),
        created_by=_maker(key),
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        ends_at=key.revoked_at or key.expires_at,
        pill=pill("api_key", _state(key, end)),
    )


def _made_by(key: ApiKey, now: dt.datetime) -> list[KeyRow]:
    """Return the keys that a key made, or that those made in their turn, and that still work."""
    others = accounts.keys_of(g.merchant.id, livemode=bool(key.livemode))
    makers = {key.id}
    while more := {one.id for one in others if one.created_by in makers} - makers:
        makers |= more
    made = [one for one in others if one.id in makers - {key.id}]
    return [key_row(one) for one in made if one.end_at(now) is KeyEnd.WORKS]


def _state(key: ApiKey, end: KeyEnd) -> str:
    """Return the state that the pill tells: a replaced key that still works is ending."""
    return "ending" if end is KeyEnd.WORKS and key.replaced_by is not None else end.value


def _in_short(key: ApiKey) -> str:
    if key.kind == KeyKind.PUBLISHABLE:
        return "Open checkouts"
    if key.scopes is None:
        return "Everything"
    return "1 permission" if len(key.scopes) == 1 else f"{len(key.scopes)} permissions"


def _each_scope(key: ApiKey) -> list[tuple[str, str]]:
    """Return what a restricted key may do, by resource; nothing for one that may do all."""
    acts = {"read": "Read", "write": "Read and write"}
    if key.kind == KeyKind.PUBLISHABLE:
        return [("Checkout sessions", "Read"), ("Payment methods", "Hand over")]
    parts = [scope.split(":") for scope in key.scopes or []]
    return [(RESOURCES[resource], acts[act]) for resource, act in parts]


def _maker(key: ApiKey) -> str:
    if key.created_by == g.person.user_id:
        return "you"
    if (key.created_by or "").startswith("key_"):
        return "another key"
    return "a colleague" if key.created_by else "Paydeck"
