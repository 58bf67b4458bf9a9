"""API keys: made, rolled, revoked, and looked up by the hash of their text at every call."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from sqlalchemy import func, or_, select, text

from webapp import audit
from webapp.accounts import typed
from webapp.accounts.errors import KeyEnded, KeyOutlives, KeyTooWide, TooManyKeys
from webapp.accounts.key_models import (
    API_VERSION,
    PUBLISHABLE_SCOPES,
    SCOPES,
    ApiKey,
    KeyCaller,
    KeyEnd,
    KeyKind,
    NewKey,
)
from webapp.kernel import clock, db, ids
from webapp.kernel.errors import Invalid, NotFound
from webapp.outbox import Actor

MOST_KEYS = 50
MOST_SHOWN = 200
LONGEST_OVERLAP = dt.timedelta(days=7)
LONGEST_LIFE = dt.timedelta(days=5 * 366)
WRITE, READ = ":write", ":read"
#: How the texts of a demo's keys begin, which are known to everybody.
DEMO_START = ("sk_test_demo_only_", "pk_test_demo_only_")
_TOKEN = re.compile(r"(?:sk|pk)_(?:test|live)_[A-Za-z0-9_-]{43}")
_is_demo: list[bool] = []
_BY_HASH = text("SELECT * FROM api_key_by_hash(:hash)")
_TOUCH = text(
    "UPDATE api_key SET last_used_at = clock_now() WHERE id ="
    " (SELECT id FROM api_key WHERE id = :id FOR UPDATE SKIP LOCKED)"
)


class KeyLimits(TypedDict, total=False):
    """How far a key reaches: None means all that its kind may, for ever, made by a person.

    `within` are the scopes of the key that makes it, where one does; such a key lasts no longer
    than its maker.
    """

    scopes: Iterable[str] | None
    expires_at: dt.datetime | None
    within: frozenset[str] | None


def use_demo_keys(*, is_demo: bool) -> None:
    """Say whether a demo's keys work, as in a demo alone they do; called once at start."""
    _is_demo[:] = [is_demo]


def create_key(
    merchant_id: str,
    *,
    livemode: bool,
    kind: str,
    name: str,
    by: Actor,
    **limits: Unpack[KeyLimits],
) -> NewKey:
    """Make a key in the merchant's scope and return it with its text, which is told only now.

    Raises Invalid naming the field, KeyTooWide, KeyOutlives, KeyEnded or TooManyKeys. Not
    idempotent by itself: the door remembers the form or the key.
    """
    if kind not in set(KeyKind):
        raise Invalid("Choose a secret or a publishable key.", param="kind")
    name = typed.name(name, empty="Give the key a name, so that you know it again.")
    scopes = _checked_scopes(KeyKind(kind), limits.get("scopes"))
    _refuse_wider(may_do(KeyKind(kind), scopes), limits.get("within"))
    key = ApiKey(
        id=ids.new("api_key"),
        merchant_id=merchant_id,
        livemode=livemode,
        kind=kind,
        name=name,
        scopes=scopes,
        api_version=API_VERSION,
        expires_at=_checked_end(limits.get("expires_at")),
    )
    with db.transaction():
        _refuse_longer(key.expires_at, _maker(by, *_locked(by.id)))
        made = _write(key, action="api_key.created", by=by)
        _refuse_too_many(merchant_id, livemode=livemode)
        return made


def roll_key(
    key_id: str, *, overlap: dt.timedelta, by: Actor, within: frozenset[str] | None = None
) -> NewKey:
    """Make a key like this one and return it with its text; the old one ends after `overlap`.

    A key that was made to last a while lasts as long again. Raises NotFound, KeyEnded (also on the
    second of two rolls), KeyTooWide or KeyOutlives, TooManyKeys where both would be one too many,
    or Invalid naming `overlap` (0 to 7 days).
    """
    if not dt.timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("The old key can go on for at most 7 days.", param="overlap")
    with db.transaction():
        locked = _locked(by.id, key_id)
        old, now = _named(key_id, locked), clock.now()
        if old.replaced_by is not None or old.end_at(now) is not KeyEnd.WORKS:
            raise KeyEnded
        _refuse_wider(may_do(KeyKind(old.kind), old.scopes), within)
        new = _successor(old, now)
        _refuse_longer(new.expires_at, _maker(by, *locked))
        made = _write(new, action="api_key.rolled", by=by, replaces=old.id)
        ends = now + overlap
        old.expires_at = min(ends, old.expires_at) if old.expires_at else ends
        old.replaced_by = made.key.id
        db.session.flush()
        if overlap:
            _refuse_too_many(old.merchant_id, livemode=old.livemode)
        return made


def revoke_key(key_id: str, *, by: Actor, within: frozenset[str] | None = None) -> ApiKey:
    """End a key at once, for good, and return it; twice changes nothing.

    A key ends itself, and others as it could have made: raises NotFound, KeyTooWide, KeyOutlives,
    KeyEnded.
    """
    with db.transaction():
        locked = _locked(by.id, key_id)
        key = _named(key_id, locked)
        if by.id != key_id:
            _refuse_wider(may_do(KeyKind(key.kind), key.scopes), within)
            _refuse_longer(key.expires_at, _maker(by, *locked))
        if key.revoked_at is None:
            key.revoked_at = clock.now()
            db.session.flush()
            _record("api_key.revoked", key, by=by)
        return key


def keys_of(merchant_id: str, *, livemode: bool) -> Sequence[ApiKey]:
    """Return the merchant's keys of one mode, newest first; those that work before those ended."""
    wanted = select(ApiKey).where(ApiKey.merchant_id == merchant_id, ApiKey.livemode == livemode)
    has_ended = ~_works()
    wanted = wanted.order_by(has_ended, ApiKey.id.desc()).limit(MOST_SHOWN)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def key_of(merchant_id: str, key_id: str) -> ApiKey:
    """Return one of the merchant's keys; raises NotFound."""
    key = _key(key_id)
    if key.merchant_id != merchant_id:
        raise NotFound
    return key


def makers_of_key(key_id: str | None) -> frozenset[str]:
    """Return the ids of all who stand behind a key: who made it, or a key that it comes from."""
    behind: set[str] = set()
    ahead = {key_id} if key_id else set()
    while ahead:
        wanted = select(ApiKey.id, ApiKey.created_by).where(
            or_(ApiKey.id.in_(ahead), ApiKey.replaced_by.in_(ahead))
        )
        found = {one for row in db.session.execute(wanted) for one in row if one}
        behind |= ahead
        ahead = found - behind
    return frozenset(behind)


def key_for(token: str) -> KeyCaller | None:
    """Return who calls with this key, or None where it is unknown, ended, or its merchant is.

    The look-up goes by the hash of the text, so that no answer comes the sooner for a good guess.
    The last use is noted at most once a minute.
    """
    if _TOKEN.fullmatch(token) is None or (token.startswith(DEMO_START) and _is_demo != [True]):
        return None
    found = db.session.execute(_BY_HASH, {"hash": ids.token_hash(token)}).one_or_none()
    if found is None:
        return None
    if found.used_long_ago:
        _touch(found.key_id, db.Scope(merchant_id=found.merchant_id, livemode=found.livemode))
    kind = KeyKind(found.kind)
    return KeyCaller(
        key_id=found.key_id,
        merchant_id=found.merchant_id,
        livemode=found.livemode,
        kind=kind,
        scopes=may_do(kind, found.scopes),
        version=found.api_version,
    )


def may_do(kind: KeyKind, scopes: Iterable[str] | None) -> frozenset[str]:
    """Return all that a key of these scopes may do: to write includes to read in a secret key.

    What a publishable key may write everybody may write, so that it reads nothing by it.
    """
    if kind is KeyKind.PUBLISHABLE:
        return frozenset(PUBLISHABLE_SCOPES if scopes is None else scopes)
    named = frozenset(SCOPES if scopes is None else scopes)
    reads = {scope.removesuffix(WRITE) + READ for scope in named if scope.endswith(WRITE)}
    return named | reads


def _touch(key_id: str, scope: db.Scope) -> None:
    with db.transaction(scope):
        db.session.execute(_TOUCH, {"id": key_id})


def _write(key: ApiKey, *, action: str, by: Actor, **more: str) -> NewKey:
    """Give the key its text, write the row and its audit entry. A step."""
    key.prefix = prefix_of(KeyKind(key.kind), livemode=key.livemode)
    token = key.prefix + ids.secret_token()
    key.token_hash, key.last_four = ids.token_hash(token), token[-4:]
    key.created_at, key.created_by = clock.now(), by.id
    db.session.add(key)
    db.session.flush()
    _record(action, key, by=by, **more)
    return NewKey(key, token)


def prefix_of(kind: KeyKind, *, livemode: bool) -> str:
    """Return how the text of such a key begins, such as `sk_test_`."""
    return f"{'sk' if kind is KeyKind.SECRET else 'pk'}_{'live' if livemode else 'test'}_"


def _successor(old: ApiKey, now: dt.datetime) -> ApiKey:
    return ApiKey(
        id=ids.new("api_key"),
        merchant_id=old.merchant_id,
        livemode=old.livemode,
        kind=old.kind,
        name=old.name,
        scopes=old.scopes,
        api_version=old.api_version,
        expires_at=now + (old.expires_at - old.created_at) if old.expires_at else None,
    )


def _record(action: str, key: ApiKey, *, by: Actor, **more: str) -> None:
    audit.record(
        action,
        "api_key",
        key.id,
        by=by,
        data={"kind": key.kind, "shown": key.shown, "scopes": key.scopes, **more},
        merchant_id=key.merchant_id,
        livemode=key.livemode,
    )


def _key(key_id: str) -> ApiKey:
    wanted = select(ApiKey).where(ApiKey.id == key_id).execution_options(populate_existing=True)
    found = db.session.scalar(wanted)
    if found is None:
        raise NotFound
    return found


def _locked(*key_ids: str | None) -> Sequence[ApiKey]:
    """Return those of these that are keys, locked one after the other in the order of their ids."""
    wanted = select(ApiKey).where(ApiKey.id.in_([one for one in key_ids if one]))
    wanted = wanted.order_by(ApiKey.id).with_for_update()
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def _named(key_id: str, locked: Sequence[ApiKey]) -> ApiKey:
    found = next((one for one in locked if one.id == key_id), None)
    if found is None:
        raise NotFound
    return found


def _maker(by: Actor, *locked: ApiKey) -> ApiKey | None:
    """Return the key that asks, None where a person does; raises KeyEnded where it does not work.

    One that is being replaced works on for whoever holds it, and answers for no other key.
    """
    if by.kind != "api_key":
        return None
    maker = _named(by.id or "", locked)
    if maker.replaced_by is not None or maker.end_at(clock.now()) is not KeyEnd.WORKS:
        raise KeyEnded
    return maker


def _refuse_longer(asked: dt.datetime | None, maker: ApiKey | None) -> None:
    if maker is None or maker.expires_at is None:
        return
    if asked is None or asked > maker.expires_at:
        raise KeyOutlives


def _works() -> Any:
    now = text("clock_now()")
    in_time = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    return ApiKey.revoked_at.is_(None) & in_time


def _refuse_too_many(merchant_id: str, *, livemode: bool) -> None:
    """Count what works with the key just made; what is refused undoes it."""
    counted = select(func.count()).where(
        ApiKey.merchant_id == merchant_id, ApiKey.livemode == livemode, _works()
    )
    if (db.session.scalar(counted) or 0) > MOST_KEYS:
        raise TooManyKeys


def _refuse_wider(asked: frozenset[str], within: frozenset[str] | None) -> None:
    if within is not None and not asked <= within:
        raise KeyTooWide


def _checked_scopes(kind: KeyKind, asked: Iterable[str] | None) -> list[str] | None:
    """Return the scopes in the order of the table, None for all; raises Invalid."""
    if asked is None:
        return None
    named = set(asked)
    known = SCOPES if kind is KeyKind.SECRET else PUBLISHABLE_SCOPES
    if not named:
        raise Invalid("Choose at least one thing that the key may do.", param="scopes")
    if named - set(known):
        raise Invalid(
            f"A {kind} key can be given these scopes and no others: {', '.join(known)}.",
            param="scopes",
        )
    return [scope for scope in known if scope in named]


def _checked_end(asked: dt.datetime | None) -> dt.datetime | None:
    if asked is None:
        return None
    now = clock.now()
    if not now < asked <= now + LONGEST_LIFE:
        message = "Choose an end that lies ahead, within five years."
        raise Invalid(message, param="expires_at")
    return asked
