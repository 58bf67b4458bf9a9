"""Opening accounts, confirming addresses, profiles, closing and restoring."""

from __future__ import annotations

import bcrypt
import pytest
from flask import Flask

from tests.accounts.people import PASSWORD, as_user, new_address, person_of, signed_in, somebody
from webapp import accounts, audit, outbox
from webapp.kernel import db
from webapp.kernel.errors import Invalid, NotFound
from webapp.outbox import Actor

ADMIN = Actor("admin", "usr_admin")


@pytest.mark.requirement("S2-07", "S2-11", "S2-13")
def test_registering_begins_unverified_and_the_mailed_link_makes_the_account_active(
    app: Flask,
) -> None:
    new = accounts.register("Asha@shop.example", "Asha Raman", PASSWORD)
    with db.scoped(as_user(new.user_id)):
        user = accounts.user_of(new.user_id)
        assert (user.status, user.is_verified, user.version) == ("unverified", False, 1)
    assert accounts.verify(new.verification_token) == new.user_id
    with db.scoped(as_user(new.user_id)):
        user = accounts.user_of(new.user_id)
        assert (user.status, user.is_verified, user.version) == ("active", True, 2)
        facts = outbox.facts_about("user", new.user_id)
        assert [fact.name for fact in facts] == ["user.registered", "user.verified"]
        assert all("sha" not in str(fact.snapshot) for fact in facts), "facts carry no name"


@pytest.mark.requirement("S2-07")
def test_one_address_has_one_account_whatever_the_letter_case(app: Flask) -> None:
    email = new_address()
    somebody(email)
    with pytest.raises(accounts.AlreadyRegistered):
        accounts.register(email.upper(), "Someone Else", PASSWORD)


def test_a_refused_registration_leaves_nothing(app: Flask) -> None:
    email = new_address()
    for name, password, param in [("", PASSWORD, "name"), ("Asha", "password1234", "password")]:
        with pytest.raises(Invalid) as refused:
            accounts.register(email, name, password)
        assert refused.value.param == param
    assert somebody(email)


def test_a_link_works_once(app: Flask) -> None:
    new = accounts.register(new_address(), "Asha", PASSWORD)
    accounts.verify(new.verification_token)
    with pytest.raises(accounts.LinkSpent):
        accounts.verify(new.verification_token)


def test_a_link_sent_again_ends_the_one_before(app: Flask) -> None:
    new = accounts.register(new_address(), "Asha", PASSWORD)
    again = accounts.ask_verification(new.user_id)
    assert again is not None
    with pytest.raises(accounts.LinkSpent):
        accounts.verify(new.verification_token)
    accounts.verify(again)
    assert accounts.ask_verification(new.user_id) is None


def test_a_made_up_link_is_refused(app: Flask) -> None:
    for made_up in ["", "x", "0" * 43, "é" * 43]:
        with pytest.raises(accounts.LinkSpent):
            accounts.verify(made_up)


@pytest.mark.requirement("S2-10")
def test_a_profile_is_changed_and_seen_at_the_next_request(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email)
    session = signed_in(email)
    assert person_of(session).name == "Asha Raman"
    accounts.update_profile(user_id, name="Asha R.", phone="+91 98765 43210", timezone="UTC")
    person = person_of(session)
    assert (person.name, person.timezone) == ("Asha R.", "UTC")
    with db.scoped(as_user(user_id)):
        assert accounts.user_of(user_id).phone == "+919876543210"


@pytest.mark.requirement("S2-09")
def test_a_bcrypt_hash_is_imported_and_replaced_at_the_first_sign_in(app: Flask) -> None:
    email, old = new_address(), bcrypt.hashpw(b"imported secret", bcrypt.gensalt(4)).decode()
    user_id = accounts.import_user(email, "Old Customer", old)
    signed_in(email, password="imported secret")
    with db.scoped(as_user(user_id)):
        user = accounts.user_of(user_id)
        assert user.password_hash.startswith("$argon2id$")
        assert user.status == "active"
    signed_in(email, password="imported secret")


def test_the_operator_makes_an_admin_whose_address_needs_no_link(app: Flask) -> None:
    email = new_address()
    user_id = accounts.create_admin(email, "Ada Min", PASSWORD)
    person = person_of(signed_in(email))
    assert (person.user_id, person.is_admin, person.is_verified) == (user_id, True, True)
    with pytest.raises(accounts.AlreadyRegistered):
        accounts.create_admin(email, "Ada Min", PASSWORD)
    with pytest.raises(accounts.WeakPassword):
        accounts.create_admin(new_address(), "Ada Min", "admin1234567")


def test_a_suspended_person_is_out_at_once_and_back_when_restored(app: Flask) -> None:
    email = new_address()
    user_id = somebody(email)
    session = signed_in(email)
    with db.scoped(db.ADMIN):
        accounts.suspend_user(user_id, because="asked by the bank", by=ADMIN)
        accounts.suspend_user(user_id, because="twice changes nothing", by=ADMIN)
    assert accounts.person_for(session.session_token) is None
    with pytest.raises(accounts.Suspended):
        signed_in(email)
    with pytest.raises(accounts.WrongCredentials):
        signed_in(email, password="not the password at all")
    with db.scoped(db.ADMIN):
        accounts.restore_user(user_id, because="cleared", by=ADMIN)
        deeds = [entry.action for entry in audit.entries_about("user", user_id)]
    assert deeds.count("user.suspended") == 1
    assert deeds.count("user.restored") == 1
    assert person_of(signed_in(email)).user_id == user_id


def test_restoring_is_no_way_around_confirming_an_address(app: Flask) -> None:
    new = accounts.register(new_address(), "Asha Raman", PASSWORD)
    with db.scoped(db.ADMIN):
        accounts.restore_user(new.user_id, because="asked by phone", by=ADMIN)
        assert accounts.user_of(new.user_id).status == "unverified"


def test_somebody_elses_row_is_not_there(app: Flask) -> None:
    mine, theirs = somebody(), somebody()
    with db.scoped(as_user(mine)), pytest.raises(NotFound):
        accounts.user_of(theirs)
