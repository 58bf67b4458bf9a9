"""How long sessions last, how they end, and that Valkey never decides about one."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.accounts.people import as_user, make_admin, new_address, person_of, signed_in, somebody
from webapp import accounts
from webapp.kernel import cache, clock, db, wake
from webapp.kernel.errors import NotFound

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


def visited(token: str, at: dt.datetime) -> bool:
    db.end_reads()
    with clock.standing_at(at):
        return accounts.person_for(token) is not None


@pytest.mark.requirement("S2-12")
def test_a_session_ends_after_two_weeks_without_a_visit(app: Flask) -> None:
    email, start = new_address(), clock.now()
    somebody(email)
    with clock.standing_at(start):
        token = signed_in(email).session_token
    assert visited(token, start + 13 * DAY)
    assert visited(token, start + 26 * DAY), "the visit before moved the end"
    assert not visited(token, start + 41 * DAY)


def test_a_session_ends_after_ninety_days_however_often_it_is_used(app: Flask) -> None:
    email, start = new_address(), clock.now()
    somebody(email)
    with clock.standing_at(start):
        token = signed_in(email).session_token
    for day in range(10, 90, 10):
        assert visited(token, start + day * DAY)
    assert not visited(token, start + 90 * DAY + MINUTE)


def test_an_admins_session_ends_after_a_quarter_hour_idle_and_twelve_hours_in_all(
    app: Flask,
) -> None:
    email, start = new_address(), clock.now()
    make_admin(somebody(email))
    with clock.standing_at(start):
        idle, busy = signed_in(email), signed_in(email)
        assert person_of(busy).is_admin
    assert not visited(idle.session_token, start + 16 * MINUTE)
    for minute in range(14, 720, 14):
        assert visited(busy.session_token, start + minute * MINUTE)
    assert not visited(busy.session_token, start + 721 * MINUTE)


def test_a_tab_that_keeps_itself_fresh_is_nobodys_presence(app: Flask) -> None:
    email, start = new_address(), clock.now()
    make_admin(somebody(email))
    with clock.standing_at(start):
        token = signed_in(email).session_token
    browser = app.test_client()
    browser.set_cookie(app.extensions["paydeck_settings"].session_cookie, token)
    answers = []
    for minute in (5, 10, 14, 16):
        db.end_reads()
        with clock.standing_at(start + minute * MINUTE):
            answers.append(browser.get("/admin/now", headers={"X-Fragment": "1"}).status_code)
    assert answers == [200, 200, 200, 303]


def test_somebody_made_admin_is_one_only_after_signing_in_again(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email)
    before = signed_in(email)
    make_admin(user_id)
    assert not person_of(before).is_admin
    assert person_of(signed_in(email)).is_admin


def test_signing_out_ends_the_session_and_twice_is_the_same(app: Flask) -> None:
    email = new_address()
    somebody(email)
    token = signed_in(email).session_token
    accounts.sign_out(token)
    accounts.sign_out(token)
    assert accounts.person_for(token) is None


@pytest.mark.parametrize("token", ["", "short", "x" * 43, "x" * 5000, "'; DROP TABLE app_user; --"])
def test_a_made_up_token_is_nobodys(app: Flask, token: str) -> None:
    assert accounts.person_for(token) is None


@pytest.mark.requirement("S2-12")
def test_one_revokes_ones_own_sessions_and_nobody_elses(app: Flask) -> None:
    mine, theirs = new_address(), new_address()
    my_id, their_id = somebody(mine), somebody(theirs)
    here, there = signed_in(mine), signed_in(mine)
    foreign = person_of(signed_in(theirs)).session_id
    accounts.revoke_session(my_id, person_of(there).session_id)
    assert accounts.person_for(there.session_token) is None
    with pytest.raises(NotFound):
        accounts.revoke_session(my_id, foreign)
    with db.scoped(as_user(their_id)):
        assert len(accounts.sessions_of(their_id)) == 1
    accounts.revoke_other_sessions(my_id, person_of(here).session_id)
    assert person_of(here).user_id == my_id


@pytest.mark.requirement("S2-51", "S2-52")
def test_the_display_copy_is_used_kept_half_an_hour_and_holds_nothing_readable(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email, name="Visible Name")
    session = signed_in(email)
    person_of(session)
    key = f"{cache.PREFIX}person:2:{user_id}"
    copy = wake.client().get(key)
    assert copy is not None
    assert b"Visible" not in copy
    assert email.encode() not in copy
    assert 0 < wake.client().ttl(key) <= 1800
    assert person_of(session).name == "Visible Name"


@pytest.mark.requirement("S2-51")
def test_a_copy_that_is_out_of_date_is_not_believed(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email)
    session = signed_in(email)
    person_of(session)
    key = f"{cache.PREFIX}person:2:{user_id}"
    stale = wake.client().get(key)
    assert stale is not None
    accounts.update_profile(user_id, name="New Name", phone="", timezone="UTC")
    wake.client().set(key, stale)
    assert person_of(session).name == "New Name"


@pytest.mark.requirement("S2-12", "S2-51")
def test_emptying_valkey_signs_nobody_out_and_revives_nobody(app: Flask) -> None:
    email = new_address()
    somebody(email)
    kept, ended = signed_in(email), signed_in(email)
    person_of(kept)
    accounts.sign_out(ended.session_token)
    wake.client().flushall()
    assert person_of(kept).email == email
    assert accounts.person_for(ended.session_token) is None


def test_without_valkey_people_are_known_all_the_same(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = new_address()
    somebody(email)
    session = signed_in(email)
    monkeypatch.setattr(wake, "_client", [wake.connect("redis://127.0.0.1:1/0")])
    assert person_of(session).email == email
    accounts.sign_out(session.session_token)
    assert accounts.person_for(session.session_token) is None


def test_a_membership_is_seen_at_the_next_request(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email)
    session = signed_in(email)
    assert person_of(session).memberships == ()
    accounts.create_merchant("Chai & Co", user_id)
    accounts.create_merchant("Second Shop", user_id, currency="JPY", timezone="Asia/Tokyo")
    person = person_of(session)
    assert [member.merchant_name for member in person.memberships] == ["Chai & Co", "Second Shop"]
    assert accounts.roles_of(person) == ("User", "Merchant")


def test_an_open_connection_learns_that_its_session_ended(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email)
    session = signed_in(email)
    session_id = person_of(session).session_id
    assert accounts.session_stands(session_id, user_id)
    accounts.sign_out(session.session_token)
    assert not accounts.session_stands(session_id, user_id)


def test_what_ended_long_ago_is_swept_and_what_works_stays(app: Flask) -> None:
    email, start = new_address(), clock.now()
    somebody(email)
    with clock.standing_at(start - 60 * DAY):
        for _ in range(2):
            signed_in(email)
        accounts.ask_reset(email)
    kept = signed_in(email)
    with db.scoped(db.WORKER):
        assert accounts.sweep(at_once=1) >= 3
        assert accounts.sweep() == 0
    assert person_of(kept).email == email
