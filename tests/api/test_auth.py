"""Signing up, in and out by programs, and what people do with their own account there."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.api.desk import Program, a_user, nobody
from tests.builders import PASSWORD, Someone, a_merchant, a_person, inr, money_in_wallet
from tests.stories import behind, scalar
from webapp import notifications, outbox
from webapp.kernel import clock, db

NEW = "Lantern-Orchard-77-Marigold"


@pytest.fixture
def asha(app: Flask) -> Someone:
    """Somebody with a confirmed address."""
    return a_person("Asha Raman")


def tokens_of(app: Flask, person: Someone, password: str = PASSWORD) -> dict[str, Any]:
    """Sign in by the API and return the pair."""
    sent = {"email": person.email, "password": password}
    answer = nobody(app).post("/auth/tokens", sent)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def holding(app: Flask, access: str) -> Program:
    """Return a program with an access token."""
    return Program(nobody(app).client, access)


def mails() -> list[tuple[str, str, str]]:
    """Return the mails that were written, newest first: to whom, subject and words."""
    with db.scoped(behind()):
        found = db.session.scalars(
            select(notifications.Mail).order_by(notifications.Mail.id.desc())
        )
        return [(one.to, one.subject, one.text_body) for one in found]


@pytest.mark.requirement("S2-07", "S2-11", "S3-01")
def test_somebody_signs_up_confirms_the_address_and_signs_in(app: Flask) -> None:
    new = {"email": "nila@people.example", "name": "Nila Iyer", "password": PASSWORD}
    answer = nobody(app).post("/auth/register", new)
    assert (answer.status_code, answer.get_json()["object"]) == (202, "done")
    to, _subject, words = mails()[0]
    found = re.search(r"http://localhost:8000/verify/([\w-]+)", words)
    assert to == new["email"]
    assert found is not None
    assert nobody(app).post("/auth/verify-email", {"token": found[1]}).status_code == 200
    assert nobody(app).post("/auth/verify-email", {"token": found[1]}).status_code == 404
    pair = nobody(app).post("/auth/tokens", {"email": new["email"], "password": PASSWORD})
    me = holding(app, pair.get_json()["access_token"]).get("/users/me").get_json()
    assert (me["name"], me["is_verified"], me["roles"]) == ("Nila Iyer", True, ["User"])


def test_an_address_that_has_an_account_is_answered_as_a_new_one_is(
    app: Flask, asha: Someone
) -> None:
    sent = {"email": asha.email, "name": "Another", "password": NEW}
    fresh = nobody(app).post("/auth/register", sent | {"email": "fresh@people.example"})
    known = nobody(app).post("/auth/register", sent)
    assert (known.status_code, known.get_json()) == (fresh.status_code, fresh.get_json())
    assert scalar("SELECT count(*) FROM app_user WHERE id = :id", id=asha.id) == 1
    assert asha.email in {to for to, _subject, _words in mails()}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"email": "nobody"}, "email"),
        ({"password": "123456"}, "password"),
        ({"name": "4242 4242 4242 4242"}, "name"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
    ],
)
def test_what_is_wrong_in_a_sign_up_is_named(
    app: Flask, change: dict[str, str], param: str
) -> None:
    sent = {"email": "nila@people.example", "name": "Nila", "password": PASSWORD} | change
    answer = nobody(app).post("/auth/register", sent)
    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, param)


@pytest.mark.requirement("S2-08", "S2-75")
def test_a_sign_in_gives_a_pair_that_works_for_an_hour(app: Flask, asha: Someone) -> None:
    pair = tokens_of(app, asha)
    assert (pair["token_type"], pair["user"]) == ("Bearer", asha.id)
    assert 3_590 <= pair["expires_in"] <= 3_600
    mine = holding(app, pair["access_token"])
    assert mine.get("/users/me").status_code == 200
    with clock.standing_at(clock.now() + dt.timedelta(minutes=61)):
        assert mine.get("/users/me").status_code == 401
        again = nobody(app).post("/auth/tokens/refresh", {"refresh_token": pair["refresh_token"]})
        access = again.get_json()["access_token"]
        assert holding(app, access).get("/users/me").status_code == 200


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    app: Flask, asha: Someone
) -> None:
    said = []
    for email in (asha.email, "unknown@people.example"):
        answer = nobody(app).post("/auth/tokens", {"email": email, "password": "wrong password"})
        assert answer.status_code == 401
        said.append({**answer.get_json()["error"], "request_id": ""})
    assert said[0] == said[1]
    assert said[0]["type"] == "authentication_error"


def test_after_five_wrong_passwords_even_the_right_one_waits(app: Flask, asha: Someone) -> None:
    wrong = {"email": asha.email, "password": "wrong password"}
    for _ in range(5):
        assert nobody(app).post("/auth/tokens", wrong).status_code == 401
    answer = nobody(app).post("/auth/tokens", wrong | {"password": PASSWORD})
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (429, "rate_limit_error")
    assert int(answer.headers["Retry-After"]) > 60


@pytest.mark.requirement("S2-76")
def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_family(
    app: Flask, asha: Someone
) -> None:
    pair = tokens_of(app, asha)
    first = {"refresh_token": pair["refresh_token"]}
    following = nobody(app).post("/auth/tokens/refresh", first).get_json()
    third = {"refresh_token": following["refresh_token"]}
    assert nobody(app).post("/auth/tokens/refresh", third).status_code == 200
    stolen = nobody(app).post("/auth/tokens/refresh", first)
    assert (stolen.status_code, stolen.get_json()["error"]["code"]) == (401, "refresh_ended")
    assert holding(app, following["access_token"]).get("/users/me").status_code == 401


def test_signing_out_ends_the_access_token_at_once(app: Flask, asha: Someone) -> None:
    pair = tokens_of(app, asha)
    sent = {"refresh_token": pair["refresh_token"]}
    assert nobody(app).post("/auth/tokens/revoke", sent).status_code == 200
    assert holding(app, pair["access_token"]).get("/users/me").status_code == 401
    assert nobody(app).post("/auth/tokens/revoke", {"refresh_token": "x" * 43}).status_code == 200


def test_a_forgotten_password_is_set_anew_by_mail(app: Flask, asha: Someone) -> None:
    known = nobody(app).post("/auth/password/forgot", {"email": asha.email})
    token = re.search(r"/reset/([\w-]+)", mails()[0][2])
    unknown = nobody(app).post("/auth/password/forgot", {"email": "nil@people.example"})
    assert known.get_json() == unknown.get_json()
    assert token is not None
    sent = {"token": token[1], "password": NEW}
    assert nobody(app).post("/auth/password/reset", sent).status_code == 200
    assert tokens_of(app, asha, NEW)["user"] == asha.id


@pytest.mark.requirement("S2-10")
def test_a_profile_is_changed_in_what_was_sent(app: Flask, asha: Someone) -> None:
    mine = a_user(app, asha)
    changed = mine.patch("/users/me", {"phone": "+91 98765 43210", "timezone": "Europe/Paris"})
    assert changed.status_code == 200
    assert (changed.get_json()["phone"], changed.get_json()["name"]) == (
        "+919876543210",
        "Asha Raman",
    )
    assert mine.get("/users/me").get_json()["timezone"] == "Europe/Paris"
    wrong = mine.patch("/users/me", {"phone": "call me"})
    assert (wrong.status_code, wrong.get_json()["error"]["param"]) == (400, "phone")
    assert mine.patch("/users/me", {"is_admin": True}).status_code == 400


def test_a_new_password_signs_everything_else_out(app: Flask, asha: Someone) -> None:
    mine, elsewhere = a_user(app, asha), a_user(app, asha)
    wrong = mine.post("/users/me/password", {"current": "not it", "new": NEW})
    assert (wrong.status_code, wrong.get_json()["error"]["param"]) == (400, "current")
    pair = mine.post("/users/me/password", {"current": PASSWORD, "new": NEW}).get_json()
    assert holding(app, pair["access_token"]).get("/users/me").status_code == 200
    assert elsewhere.get("/users/me").status_code == mine.get("/users/me").status_code == 401


def test_ones_sessions_are_listed_and_ended(app: Flask, asha: Someone) -> None:
    mine, elsewhere = a_user(app, asha), a_user(app, asha)
    found = mine.get("/users/me/sessions").get_json()["data"]
    assert [one["is_current"] for one in found].count(True) == 1
    (other,) = [one["id"] for one in found if not one["is_current"]]
    assert a_user(app, a_person()).ask("DELETE", f"/users/me/sessions/{other}").status_code == 404
    assert mine.ask("DELETE", f"/users/me/sessions/{other}").get_json()["deleted"] is True
    assert elsewhere.get("/users/me").status_code == 401
    third = a_user(app, asha)
    assert mine.post("/users/me/sessions/revoke-others").status_code == 200
    assert (third.get("/users/me").status_code, mine.get("/users/me").status_code) == (401, 200)


def test_a_program_is_named_by_its_own_name_among_the_sessions(app: Flask, asha: Someone) -> None:
    sent = {"email": asha.email, "password": PASSWORD}
    answer = nobody(app).post("/auth/tokens", sent, **{"User-Agent": "tea-app/2.1 (<b>x</b>)"})
    mine = holding(app, answer.get_json()["access_token"])
    devices = [one["device"] for one in mine.get("/users/me/sessions").get_json()["data"]]
    assert devices == ["A program (tea-app/2.1)"]


def test_the_merchants_one_works_for_are_listed_with_the_role(app: Flask, asha: Someone) -> None:
    assert a_user(app, asha).get("/users/me/memberships").get_json()["data"] == []
    shop = a_merchant(asha)
    (found,) = a_user(app, asha).get("/users/me/memberships").get_json()["data"]
    assert (found["merchant"], found["role"]) == (shop, "owner")


def test_ones_messages_are_listed_and_marked_as_read(app: Flask, asha: Someone) -> None:
    money_in_wallet(asha, inr(5_00))
    with db.transaction(behind()):
        facts = outbox.take_due("notify")
        notifications.notify(facts)
        outbox.told("notify", facts)
    mine = a_user(app, asha)
    (found,) = mine.get("/users/me/messages").get_json()["data"]
    assert (found["text"], found["is_read"]) == ("₹5 is in your wallet.", False)
    assert mine.post("/users/me/messages/read").status_code == 200
    assert mine.get("/users/me/messages").get_json()["data"][0]["is_read"] is True
    theirs = a_user(app, a_person()).get("/users/me/messages", starting_after=found["id"])
    assert (theirs.status_code, theirs.get_json()["error"]["param"]) == (400, "starting_after")
