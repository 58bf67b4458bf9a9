"""API keys: what they may do, how they end, and that their text is told once."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import text

from demo.keys import SECRET
from tests.accounts.people import new_address, somebody
from webapp import accounts, audit
from webapp.accounts import KeyEnd, KeyKind, NewKey, api_keys, errors
from webapp.kernel import clock, db, ids
from webapp.kernel.errors import Invalid, NotFound
from webapp.outbox import SYSTEM, Actor

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


@dataclasses.dataclass(frozen=True)
class Shop:
    """A merchant with its owner."""

    id: str
    owner: Actor

    def scope(self, *, livemode: bool = False) -> db.Scope:
        """Return what its door puts in force."""
        return db.Scope(merchant_id=self.id, livemode=livemode)

    def key(self, *, kind: str = "secret", livemode: bool = False, **limits: object) -> NewKey:
        """Make a key."""
        with db.scoped(self.scope(livemode=livemode)):
            new = accounts.create_key(
                self.id,
                livemode=livemode,
                kind=kind,
                name="Kitchen",
                by=self.owner,
                **limits,  # type: ignore[arg-type]
            )
            db.session.expunge(new.key)
            return new

    def rolled(self, key_id: str, overlap: dt.timedelta) -> NewKey:
        """Roll a key."""
        with db.scoped(self.scope()):
            new = accounts.roll_key(key_id, overlap=overlap, by=self.owner)
            db.session.expunge(new.key)
            return new

    def revoke(self, key_id: str) -> None:
        """Revoke a key."""
        with db.scoped(self.scope()):
            accounts.revoke_key(key_id, by=self.owner)


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop()


def a_shop() -> Shop:
    user_id = somebody(new_address())
    return Shop(accounts.create_merchant("Chai & Co", user_id), Actor("merchant_user", user_id))


def works(token: str, at: dt.datetime | None = None) -> bool:
    db.end_reads()
    with clock.standing_at(at or clock.now()):
        return accounts.key_for(token) is not None


@pytest.mark.parametrize(
    ("kind", "livemode", "prefix"),
    [
        ("secret", False, "sk_test_"),
        ("secret", True, "sk_live_"),
        ("publishable", False, "pk_test_"),
        ("publishable", True, "pk_live_"),
    ],
)
def test_a_key_says_in_its_text_what_it_is_and_opens_its_merchant(
    shop: Shop,
    kind: str,
    livemode: bool,  # noqa: FBT001 - a parameter of the test
    prefix: str,
) -> None:
    new = shop.key(kind=kind, livemode=livemode)
    assert new.token.startswith(prefix)
    assert len(new.token) == len(prefix) + 43
    caller = accounts.key_for(new.token)
    assert caller is not None
    assert (caller.key_id, caller.merchant_id) == (new.key.id, shop.id)
    assert (caller.kind, caller.livemode) == (KeyKind(kind), livemode)
    assert caller.version == accounts.API_VERSION


def test_the_text_of_a_key_is_in_no_row_and_in_no_printed_form(shop: Shop) -> None:
    new = shop.key()
    secret = new.token.removeprefix("sk_test_")
    with db.scoped(shop.scope()):
        row = db.session.execute(text("SELECT row_to_json(k)::text FROM api_key k")).scalar_one()
    assert new.key.token_hash in row
    assert secret not in row
    assert secret not in repr(new)
    assert new.key.shown == f"sk_test_…{new.token[-4:]}"


def test_a_secret_key_may_do_everything_unless_it_is_restricted(shop: Shop) -> None:
    everything = accounts.key_for(shop.key().token)
    some = accounts.key_for(shop.key(scopes=["refunds:write", "events:read"]).token)
    assert everything is not None
    assert some is not None
    assert everything.scopes == frozenset(accounts.SCOPES)
    assert some.scopes == {"refunds:write", "refunds:read", "events:read"}


def test_a_publishable_key_may_do_two_things_and_never_more(shop: Shop) -> None:
    caller = accounts.key_for(shop.key(kind="publishable").token)
    assert caller is not None
    assert caller.scopes == {"checkout_sessions:read", "payment_methods:write"}
    with pytest.raises(Invalid) as refused:
        shop.key(kind="publishable", scopes=["orders:read"])
    assert refused.value.param == "scopes"


@pytest.mark.parametrize("scopes", [[], ["orders:delete"], ["*"], ["orders:read", "x:read"]])
def test_a_key_is_given_known_scopes_and_at_least_one(shop: Shop, scopes: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        shop.key(scopes=scopes)
    assert refused.value.param == "scopes"
    with db.scoped(shop.scope()):
        assert accounts.keys_of(shop.id, livemode=False) == []


@pytest.mark.parametrize("away", [-SECOND, dt.timedelta(0), 6 * 366 * DAY])
def test_a_key_ends_ahead_and_within_five_years(shop: Shop, away: dt.timedelta) -> None:
    now = clock.now()
    with clock.standing_at(now), pytest.raises(Invalid) as refused:
        shop.key(expires_at=now + away)
    assert refused.value.param == "expires_at"


def test_a_key_works_until_the_moment_at_which_it_expires(shop: Shop) -> None:
    now = clock.now()
    with clock.standing_at(now):
        new = shop.key(expires_at=now + HOUR)
    assert works(new.token, now + HOUR - SECOND)
    assert not works(new.token, now + HOUR)
    assert new.key.end_at(now + HOUR) is KeyEnd.EXPIRED


def test_a_rolled_key_works_beside_its_successor_until_the_overlap_is_over(shop: Shop) -> None:
    now = clock.now()
    with clock.standing_at(now):
        old = shop.key(scopes=["orders:write"])
        new = shop.rolled(old.key.id, HOUR)
    assert works(old.token, now + HOUR - SECOND)
    assert works(new.token, now + HOUR - SECOND)
    assert not works(old.token, now + HOUR)
    assert works(new.token, now + 365 * DAY)
    assert new.key.scopes == ["orders:write"]
    with db.scoped(shop.scope()):
        ended = accounts.key_of(shop.id, old.key.id)
    assert ended.end_at(now + HOUR) is KeyEnd.REPLACED
    assert ended.replaced_by == new.key.id


def test_a_key_rolled_without_overlap_ends_at_once(shop: Shop) -> None:
    now = clock.now()
    with clock.standing_at(now):
        old = shop.key()
        shop.rolled(old.key.id, dt.timedelta(0))
    assert not works(old.token, now)


def test_rolling_gives_an_expiring_key_its_whole_life_again_and_never_more_to_the_old(
    shop: Shop,
) -> None:
    start = clock.now()
    with clock.standing_at(start):
        old = shop.key(expires_at=start + 30 * DAY)
    with clock.standing_at(start + 29 * DAY):
        new = shop.rolled(old.key.id, 7 * DAY)
    assert works(old.token, start + 30 * DAY - SECOND)
    assert not works(old.token, start + 30 * DAY), "the overlap puts no end off"
    assert works(new.token, start + 59 * DAY - SECOND)
    assert not works(new.token, start + 59 * DAY)


def test_what_ended_or_was_rolled_is_not_rolled_again(shop: Shop) -> None:
    rolled, revoked = shop.key(), shop.key()
    shop.rolled(rolled.key.id, HOUR)
    shop.revoke(revoked.key.id)
    for key in (rolled, revoked):
        with pytest.raises(errors.KeyEnded):
            shop.rolled(key.key.id, HOUR)
    with db.scoped(shop.scope()):
        assert len(accounts.keys_of(shop.id, livemode=False)) == 3


@pytest.mark.parametrize("overlap", [-SECOND, 7 * DAY + SECOND])
def test_an_overlap_lasts_a_week_at_most(shop: Shop, overlap: dt.timedelta) -> None:
    key = shop.key()
    with pytest.raises(Invalid) as refused:
        shop.rolled(key.key.id, overlap)
    assert refused.value.param == "overlap"
    assert works(key.token)


def test_a_revoked_key_ends_at_once_and_twice_is_the_same(shop: Shop) -> None:
    key = shop.key()
    shop.revoke(key.key.id)
    shop.revoke(key.key.id)
    assert not works(key.token)
    with db.scoped(db.ADMIN):
        deeds = [entry.action for entry in audit.entries_about("api_key", key.key.id)]
    assert sorted(deeds) == ["api_key.created", "api_key.revoked"]


def test_the_keys_of_a_suspended_merchant_rest_and_come_back(app: Flask, shop: Shop) -> None:
    key = shop.key()
    with db.scoped(db.ADMIN):
        accounts.suspend_merchant(shop.id, because="looked into", by=SYSTEM)
    assert not works(key.token)
    with db.scoped(db.ADMIN):
        accounts.restore_merchant(shop.id, because="in order", by=SYSTEM)
    assert works(key.token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "sk_test_",
        "sk_test_" + "x" * 43,
        "sk_test_" + "x" * 42,
        "sk_test_" + "x" * 44,
        "rk_test_" + "x" * 43,
        "sk_test_" + "é" * 43,
        "sk_test_" + "x" * 43 + "\n",
        "x" * 5_000,
    ],
)
def test_a_made_up_key_is_nobodys(app: Flask, token: str) -> None:
    assert accounts.key_for(token) is None


def test_a_keys_text_in_another_mode_or_kind_opens_nothing(shop: Shop) -> None:
    token = shop.key().token
    for prefix in ("sk_live_", "pk_test_", "pk_live_"):
        assert accounts.key_for(prefix + token.removeprefix("sk_test_")) is None


def test_the_last_use_is_noted_at_most_once_a_minute(shop: Shop) -> None:
    start, key = clock.now(), shop.key()

    def noted() -> dt.datetime | None:
        with db.scoped(shop.scope()):
            return accounts.key_of(shop.id, key.key.id).last_used_at

    assert noted() is None
    for away, expected in [(0, 0), (59, 0), (61, 61), (100, 61)]:
        assert works(key.token, start + away * SECOND)
        assert noted() == start + expected * SECOND


def test_another_merchants_key_is_as_if_it_were_not(shop: Shop) -> None:
    mine, other = shop.key(), a_shop()
    with db.scoped(other.scope()):
        for act in (
            lambda: accounts.key_of(other.id, mine.key.id),
            lambda: accounts.revoke_key(mine.key.id, by=other.owner),
            lambda: accounts.roll_key(mine.key.id, overlap=HOUR, by=other.owner),
        ):
            with pytest.raises(NotFound):
                act()
        assert accounts.keys_of(shop.id, livemode=False) == []
    assert works(mine.token)


def test_a_key_makes_and_rolls_none_that_may_do_more_than_itself(shop: Shop) -> None:
    wide, within = shop.key(), frozenset({"api_keys:write", "api_keys:read", "orders:read"})
    with pytest.raises(errors.KeyTooWide):
        shop.key(within=within)
    with pytest.raises(errors.KeyTooWide):
        shop.key(within=within, scopes=["orders:write"])
    assert shop.key(within=within, scopes=["orders:read"]).key.scopes == ["orders:read"]
    with db.scoped(shop.scope()), pytest.raises(errors.KeyTooWide):
        accounts.roll_key(wide.key.id, overlap=HOUR, by=shop.owner, within=within)
    assert works(wide.token)


def test_a_merchant_has_fifty_working_keys_at_most(shop: Shop) -> None:
    keys = [shop.key() for _ in range(accounts.MOST_KEYS)]
    with pytest.raises(errors.TooManyKeys):
        shop.key()
    shop.revoke(keys[0].key.id)
    assert works(shop.key().token)


def test_a_key_whose_old_one_works_on_counts_beside_it(shop: Shop) -> None:
    keys = [shop.key() for _ in range(accounts.MOST_KEYS)]
    with pytest.raises(errors.TooManyKeys):
        shop.rolled(keys[0].key.id, HOUR)
    assert works(keys[0].token)
    assert works(shop.rolled(keys[0].key.id, dt.timedelta(0)).token)
    assert not works(keys[0].token)


def test_a_demos_key_works_in_a_demo_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner puts it there; whoever starts a demo's data for real does not open it to all."""
    with db.transaction(db.OWNER) as session:
        session.execute(
            text(
                "INSERT INTO api_key (id, merchant_id, livemode, kind, name, prefix, last_four,"
                " token_hash, api_version, created_at) VALUES (:id, :merchant, false, 'secret',"
                " 'Demo', 'sk_test_', '0000', :hash, '2026-11-01', clock_now())"
            ),
            {"id": ids.new("api_key"), "merchant": shop.id, "hash": ids.token_hash(SECRET)},
        )
    caller = accounts.key_for(SECRET)
    assert caller is not None
    assert caller.merchant_id == shop.id
    monkeypatch.setattr(api_keys, "_is_demo", [False])
    assert accounts.key_for(SECRET) is None
    assert works(shop.key().token)


def test_every_deed_is_in_the_audit_trail_without_the_keys_text(shop: Shop) -> None:
    old = shop.key()
    new = shop.rolled(old.key.id, HOUR)
    with db.scoped(db.ADMIN):
        (made,) = audit.entries_about("api_key", old.key.id)
        (rolled,) = audit.entries_about("api_key", new.key.id)
    assert (made.action, made.actor_id) == ("api_key.created", shop.owner.id)
    assert (rolled.action, rolled.data["replaces"]) == ("api_key.rolled", old.key.id)
    assert new.token not in str(rolled.data)
    assert rolled.data["shown"] == new.key.shown


def test_keys_that_work_are_listed_before_those_that_ended(shop: Shop) -> None:
    first, second, third = (shop.key() for _ in range(3))
    shop.revoke(third.key.id)
    live = shop.key(livemode=True)
    with db.scoped(shop.scope()):
        listed = [key.id for key in accounts.keys_of(shop.id, livemode=False)]
    assert listed == [second.key.id, first.key.id, third.key.id]
    with db.scoped(shop.scope(livemode=True)):
        assert [key.id for key in accounts.keys_of(shop.id, livemode=True)] == [live.key.id]
