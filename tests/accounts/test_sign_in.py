"""Signing in, tries counted in Postgres, sessions that rotate, and getting back in."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests import cheap_passwords
from tests.accounts.people import (
    AWAY,
    HOME,
    PASSWORD,
    as_user,
    new_address,
    person_of,
    signed_in,
    somebody,
)
from webapp import accounts
from webapp.accounts import Device, passwords, throttle
from webapp.kernel import clock, db, wake
from webapp.kernel.errors import Invalid

WRONG = "not the password at all"
NEW = "seven llamas hum softly"


def refusal_of(email: str, *, address: str = HOME, password: str = WRONG) -> Exception:
    with pytest.raises((accounts.WrongCredentials, accounts.TooManyTries)) as refused:
        signed_in(email, address=address, password=password)
    return refused.value


@pytest.mark.requirement("S2-08", "S2-77")
def test_the_right_password_opens_a_session(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email)
    person = person_of(signed_in(email.upper()))
    assert (person.user_id, person.email, person.is_verified) == (user_id, email, True)
    assert accounts.roles_of(person) == ("User",)


def test_known_and_unknown_addresses_get_the_same_answer(app: Flask) -> None:
    email = new_address()
    somebody(email)
    known, unknown = refusal_of(email), refusal_of(new_address(), address=AWAY)
    assert type(known) is type(unknown)
    assert str(known) == str(unknown)


def test_an_unknown_address_costs_the_same_hash(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, checked, hasher = new_address(), list[str](), cheap_passwords.SETTLED
    monkeypatch.setattr(passwords, "_hasher", hasher)
    somebody(email)

    class Watched:
        def verify(self, stored: str, password: str) -> bool:
            checked.append(stored.rpartition("$")[0].rpartition("$")[0])
            return hasher.verify(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Watched())
    refusal_of(email)
    refusal_of(new_address())
    assert checked == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


def test_the_sixth_try_at_an_account_waits_even_with_the_right_password(app: Flask) -> None:
    email = new_address()
    somebody(email)
    for _ in range(5):
        assert isinstance(refusal_of(email), accounts.WrongCredentials)
    stopped = refusal_of(email, password=PASSWORD)
    assert isinstance(stopped, accounts.TooManyTries)
    assert 0 < stopped.wait_seconds <= 900


def test_an_unknown_address_is_stopped_like_a_known_one(app: Flask) -> None:
    email = new_address()
    for _ in range(5):
        refusal_of(email)
    assert isinstance(refusal_of(email), accounts.TooManyTries)


def test_emptying_valkey_forgets_no_try(app: Flask) -> None:
    email = new_address()
    somebody(email)
    for _ in range(5):
        refusal_of(email)
    wake.client().flushall()
    assert isinstance(refusal_of(email, password=PASSWORD), accounts.TooManyTries)


def test_tries_are_free_again_after_a_quarter_hour(app: Flask) -> None:
    email = new_address()
    somebody(email)
    start = clock.now()
    with clock.standing_at(start):
        for _ in range(5):
            refusal_of(email)
    with clock.standing_at(start + dt.timedelta(minutes=14, seconds=59)):
        assert isinstance(refusal_of(email), accounts.TooManyTries)
    with clock.standing_at(start + dt.timedelta(minutes=15, seconds=1)):
        signed_in(email)


@pytest.mark.requirement("S2-55")
def test_a_network_has_twenty_tries_over_all_accounts(app: Flask) -> None:
    for _ in range(20):
        assert isinstance(
            refusal_of(new_address(), address="192.0.2.10"), accounts.WrongCredentials
        )
    assert isinstance(refusal_of(new_address(), address="192.0.2.200"), accounts.TooManyTries)
    assert isinstance(refusal_of(new_address(), address="192.0.3.1"), accounts.WrongCredentials)


def test_a_strangers_guesses_do_not_lock_the_owner_out_of_their_own_network(app: Flask) -> None:
    email = new_address()
    somebody(email)
    signed_in(email, address=HOME)
    for _ in range(5):
        refusal_of(email, address=AWAY)
    assert isinstance(refusal_of(email, address=AWAY), accounts.TooManyTries)
    signed_in(email, address=HOME)


def test_people_whose_network_is_not_known_do_not_share_one_count(app: Flask) -> None:
    for _ in range(22):
        assert isinstance(refusal_of(new_address(), address=""), accounts.WrongCredentials)


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:aa:bbcc::1", "2001:db8:aa:bb00::/56"),
     ("::ffff:203.0.113.9", "203.0.113.0/24"), ("", "unknown"), ("evil", "unknown")],
)  # fmt: skip
def test_tries_are_counted_by_network(address: str, network: str) -> None:
    assert throttle.address_prefix(address) == network


@pytest.mark.requirement("S2-12")
def test_every_sign_in_has_a_token_of_its_own_and_only_its_hash_is_stored(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email)
    first, second = signed_in(email), signed_in(email)
    assert first.session_token != second.session_token
    with db.scoped(as_user(user_id)):
        stored = {session.token_hash for session in accounts.sessions_of(user_id)}
    assert len(stored) == 2
    assert not stored & {first.session_token, second.session_token}


def test_changing_the_password_ends_all_other_sessions_and_renews_this_one(app: Flask) -> None:
    email = new_address()
    somebody(email)
    here, there = signed_in(email), signed_in(email, address=AWAY)
    renewed = accounts.change_password(
        person_of(here), current=PASSWORD, new=NEW, device=Device("Firefox", HOME)
    )
    assert accounts.person_for(here.session_token) is None
    assert accounts.person_for(there.session_token) is None
    assert person_of(renewed).email == email
    assert isinstance(refusal_of(email, password=PASSWORD), accounts.WrongCredentials)
    signed_in(email, password=NEW)


def test_the_current_password_is_asked_for_and_cannot_be_guessed_for_ever(app: Flask) -> None:
    email = new_address()
    somebody(email)
    person = person_of(signed_in(email))
    for _ in range(5):
        with pytest.raises(Invalid) as refused:
            accounts.change_password(person, current=WRONG, new=NEW, device=Device("x", AWAY))
        assert refused.value.param == "current"
    with pytest.raises(accounts.TooManyTries):
        accounts.change_password(person, current=PASSWORD, new=NEW, device=Device("x", AWAY))


def test_a_reset_link_sets_a_password_once_and_ends_every_session(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email)
    session = signed_in(email)
    token = accounts.ask_reset(email)
    assert token is not None
    assert accounts.reset_password(token, NEW) == user_id
    assert accounts.person_for(session.session_token) is None
    signed_in(email, password=NEW)
    with pytest.raises(accounts.LinkSpent):
        accounts.reset_password(token, "another good phrase of words")


def test_a_refused_new_password_does_not_use_the_link_up(app: Flask) -> None:
    email = new_address()
    somebody(email)
    token = accounts.ask_reset(email)
    assert token is not None
    with pytest.raises(accounts.WeakPassword):
        accounts.reset_password(token, "password1234")
    accounts.reset_password(token, NEW)


def test_a_reset_link_expires_after_half_an_hour(app: Flask) -> None:
    email, start = new_address(), clock.now()
    somebody(email)
    with clock.standing_at(start):
        token = accounts.ask_reset(email)
    assert token is not None
    with clock.standing_at(start + dt.timedelta(minutes=31)), pytest.raises(accounts.LinkSpent):
        accounts.reset_password(token, NEW)


def test_a_link_for_one_purpose_is_not_good_for_another(app: Flask) -> None:
    new = accounts.register(new_address(), "Asha", PASSWORD)
    with pytest.raises(accounts.LinkSpent):
        accounts.reset_password(new.verification_token, NEW)
    with pytest.raises(accounts.LinkSpent):
        accounts.confirm_new_email(new.verification_token)


def test_a_reset_for_an_unknown_address_gives_no_link_and_is_counted_the_same(app: Flask) -> None:
    email = new_address()
    for _ in range(5):
        assert accounts.ask_reset(email, address=HOME) is None
    with pytest.raises(accounts.TooManyTries):
        accounts.ask_reset(email, address=HOME)


@pytest.mark.requirement("S2-10")
def test_a_new_address_counts_once_it_is_confirmed(app: Flask) -> None:
    email, wanted = new_address(), new_address()
    somebody(email)
    person = person_of(signed_in(email))
    token = accounts.ask_new_email(person, new_email=wanted, current=PASSWORD, address=HOME)
    signed_in(email)
    changed = accounts.confirm_new_email(token)
    assert (changed.old_email, changed.new_email) == (email, wanted)
    assert person_of(signed_in(wanted)).email == wanted
    assert isinstance(refusal_of(email, password=PASSWORD), accounts.WrongCredentials)


def test_an_address_taken_meanwhile_is_not_taken_twice(app: Flask) -> None:
    email, wanted = new_address(), new_address()
    user_id = somebody(email)
    person = person_of(signed_in(email))
    token = accounts.ask_new_email(person, new_email=wanted, current=PASSWORD, address=HOME)
    somebody(wanted)
    with pytest.raises(accounts.EmailTaken):
        accounts.confirm_new_email(token)
    with db.scoped(as_user(user_id)):
        assert accounts.user_of(user_id).email == email


def test_an_address_with_an_account_cannot_be_asked_for(app: Flask) -> None:
    email, taken = new_address(), new_address()
    somebody(email)
    somebody(taken)
    with pytest.raises(accounts.AlreadyRegistered):
        accounts.ask_new_email(
            person_of(signed_in(email)), new_email=taken, current=PASSWORD, address=HOME
        )
