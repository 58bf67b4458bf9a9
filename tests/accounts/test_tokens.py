"""Tokens of a person's programs: how long they last, that each is good once, and how they end."""

from __future__ import annotations

import datetime as dt

import jwt
import pytest
from flask import Flask

from tests.accounts.people import (
    PASSWORD,
    as_user,
    make_admin,
    new_address,
    person_of,
    signed_in,
    somebody,
)
from webapp import accounts, audit
from webapp.accounts import Device, Tokens, errors, tokens
from webapp.kernel import clock, db
from webapp.outbox import SYSTEM

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
HEARD_NOTHING = dt.timedelta(seconds=10)
SECRET = "a-test-secret-for-tokens-of-32-letters"


def begun(email: str) -> Tokens:
    """Sign in and take the first pair."""
    return accounts.begin_tokens(signed_in(email))


def knows(access: str, at: dt.datetime | None = None) -> bool:
    db.end_reads()
    with clock.standing_at(at or clock.now()):
        return accounts.person_for_access(access) is not None


def refreshed(refresh: str, at: dt.datetime) -> Tokens:
    db.end_reads()
    with clock.standing_at(at):
        return accounts.refresh_tokens(refresh)


@pytest.fixture
def email(app: Flask) -> str:
    address = new_address()
    somebody(address)
    return address


@pytest.mark.requirement("S0-20", "S2-08", "S2-75")
def test_an_access_token_names_its_person_for_sixty_minutes(email: str) -> None:
    start = clock.now().replace(microsecond=0)
    with clock.standing_at(start):
        pair = begun(email)
    assert pair.access_ends_at == start + 60 * MINUTE
    assert knows(pair.access, start + 60 * MINUTE - SECOND)
    assert not knows(pair.access, start + 60 * MINUTE)
    with clock.standing_at(start):
        person = accounts.person_for_access(pair.access)
    assert person is not None
    assert (person.user_id, person.email) == (pair.user_id, email)


@pytest.mark.requirement("S2-76")
def test_a_refresh_token_lasts_seven_days(email: str) -> None:
    start = clock.now()
    with clock.standing_at(start):
        early, late = begun(email), begun(email)
    assert early.refresh_ends_at == start + 7 * DAY
    refreshed(early.refresh, start + 7 * DAY - SECOND)
    with pytest.raises(errors.RefreshEnded):
        refreshed(late.refresh, start + 7 * DAY)


@pytest.mark.requirement("S2-76")
def test_refreshing_goes_on_for_ninety_days_from_signing_in_at_most(email: str) -> None:
    start = clock.now()
    with clock.standing_at(start):
        pair = begun(email)
    for day in range(6, 90, 6):
        pair = refreshed(pair.refresh, start + day * DAY)
        assert knows(pair.access, start + day * DAY)
    assert pair.refresh_ends_at == start + 90 * DAY
    with pytest.raises(errors.RefreshEnded):
        refreshed(pair.refresh, start + 90 * DAY)


@pytest.mark.requirement("S2-76")
def test_a_refresh_token_used_again_later_ends_the_whole_family(email: str) -> None:
    start = clock.now()
    with clock.standing_at(start):
        first, other = begun(email), begun(email)
    second = refreshed(first.refresh, start)
    later = start + HEARD_NOTHING
    with pytest.raises(errors.RefreshEnded):
        refreshed(first.refresh, later)
    assert not knows(first.access, later)
    assert not knows(second.access, later)
    with pytest.raises(errors.RefreshEnded):
        refreshed(second.refresh, later)
    assert knows(other.access, later), "another sign-in of the same person goes on"
    with db.scoped(db.ADMIN):
        deeds = [entry.action for entry in audit.entries_about("user", first.user_id)]
    assert deeds.count("user.refresh_token_reused") == 1


def test_a_lost_answer_is_given_again_for_ten_seconds(email: str) -> None:
    start = clock.now()
    with clock.standing_at(start):
        first = begun(email)
    second = refreshed(first.refresh, start)
    again = refreshed(first.refresh, start + HEARD_NOTHING - SECOND)
    assert (again.refresh, again.refresh_ends_at) == (second.refresh, second.refresh_ends_at)
    assert knows(again.access, start + HEARD_NOTHING)
    refreshed(second.refresh, start + HEARD_NOTHING)


def test_a_used_token_is_reuse_within_ten_seconds_once_its_successor_was_used(email: str) -> None:
    start = clock.now()
    with clock.standing_at(start):
        first = begun(email)
    second = refreshed(first.refresh, start)
    third = refreshed(second.refresh, start + SECOND)
    with pytest.raises(errors.RefreshEnded):
        refreshed(first.refresh, start + 2 * SECOND)
    assert not knows(third.access, start + 2 * SECOND)


def test_signing_out_ends_the_family_with_any_of_its_refresh_tokens(email: str) -> None:
    first = begun(email)
    second = accounts.refresh_tokens(first.refresh)
    accounts.end_tokens(first.refresh)
    accounts.end_tokens(first.refresh)
    assert not knows(second.access)
    with pytest.raises(errors.RefreshEnded):
        accounts.refresh_tokens(second.refresh)


def test_signing_out_everywhere_else_ends_tokens(email: str) -> None:
    pair, here = begun(email), signed_in(email)
    accounts.revoke_other_sessions(pair.user_id, person_of(here).session_id)
    assert not knows(pair.access)
    assert person_of(here).email == email


@pytest.mark.requirement("S2-08")
def test_a_new_password_ends_tokens(email: str) -> None:
    pair, here = begun(email), signed_in(email)
    accounts.change_password(
        person_of(here), current=PASSWORD, new="seven llamas hum at dusk", device=Device()
    )
    assert not knows(pair.access)
    with pytest.raises(errors.RefreshEnded):
        accounts.refresh_tokens(pair.refresh)


def test_a_suspension_ends_tokens_and_a_restoration_revives_none(email: str) -> None:
    pair = begun(email)
    with db.scoped(db.ADMIN):
        accounts.suspend_user(pair.user_id, because="looked into", by=SYSTEM)
    assert not knows(pair.access)
    with db.scoped(db.ADMIN):
        accounts.restore_user(pair.user_id, because="in order", by=SYSTEM)
    assert not knows(pair.access)
    with pytest.raises(errors.RefreshEnded):
        accounts.refresh_tokens(pair.refresh)


def test_an_admins_tokens_rest_after_a_quarter_hour_without_use(email: str) -> None:
    start = clock.now()
    with clock.standing_at(start):
        make_admin(begun(email).user_id)
        busy, idle = begun(email), begun(email)
    for minute in (14, 28, 42):
        assert knows(busy.access, start + minute * MINUTE)
    assert not knows(idle.access, start + 16 * MINUTE)
    assert busy.refresh_ends_at == start + dt.timedelta(hours=12)
    with pytest.raises(errors.RefreshEnded):
        refreshed(idle.refresh, start + 16 * MINUTE)
    with clock.standing_at(start + 43 * MINUTE):
        person = accounts.person_for_access(busy.access)
    assert person is not None
    assert person.is_admin


def forged(pair: Tokens, *, key: str = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    """Return an access token with other claims, key or algorithm."""
    real = jwt.decode(pair.access, options={"verify_signature": False})
    merged = {name: value for name, value in (real | claims).items() if value is not None}
    return jwt.encode(merged, key, algorithm=algorithm)


@pytest.mark.requirement("S2-02")
def test_what_we_did_not_sign_as_it_is_names_nobody(email: str) -> None:
    pair, stranger = begun(email), somebody(new_address())
    assert knows(forged(pair)), "the forger does everything else right"
    for token in (
        forged(pair, key="another-secret-of-more-than-32-letters"),
        forged(pair, key="", algorithm="none"),
        forged(pair, key=SECRET * 2, algorithm="HS512"),
        forged(pair, iss="somebody"),
        forged(pair, exp=None),
        forged(pair, sid=None),
        forged(pair, sub=None),
        forged(pair, sub=stranger),
        forged(pair, sid="ses_00000000000000000000000000"),
        pair.access[:-2],
        pair.access + "x" * 3_000,
        pair.refresh,
        "",
        "a.b.c",
        "é.é.é",
    ):
        assert not knows(token), token


@pytest.mark.parametrize("token", ["", "x" * 43, "é" * 43, "x" * 5_000])
def test_a_made_up_refresh_token_is_refused(app: Flask, token: str) -> None:
    accounts.end_tokens(token)
    with pytest.raises(errors.RefreshEnded):
        accounts.refresh_tokens(token)


@pytest.mark.requirement("S4-94a")
def test_another_secret_ends_all_tokens(email: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = begun(email)
    monkeypatch.setattr(tokens, "_secret", ["another-secret-of-more-than-32-letters"])
    assert not knows(pair.access)


def test_no_token_is_printed_or_kept_as_text(email: str) -> None:
    pair = begun(email)
    assert pair.access not in repr(pair)
    assert pair.refresh not in repr(pair)


def test_swept_sessions_take_their_refresh_tokens_along(email: str) -> None:
    start = clock.now()
    with clock.standing_at(start - 60 * DAY):
        old = begun(email)
    kept = begun(email)
    with db.scoped(db.WORKER):
        accounts.sweep()
    with pytest.raises(errors.RefreshEnded):
        accounts.refresh_tokens(old.refresh)
    assert accounts.refresh_tokens(kept.refresh).user_id == kept.user_id
    with db.scoped(as_user(kept.user_id)):
        assert len(accounts.sessions_of(kept.user_id)) == 1
