"""Signing up, in and out, as a browser without JavaScript does it."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.accounts.people import PASSWORD, new_address, somebody
from tests.checked_client import CheckedClient
from tests.web.account.letters import letters_to, link_in
from webapp import accounts

COOKIE = "paydeck_8000_session"


def sign_in(
    client: CheckedClient, email: str, password: str = PASSWORD, url: str = "/sign-in"
) -> str:
    """Sign in by the form and return where it leads."""
    answer = client.send(url, "/sign-in", email=email, password=password)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def another(client: CheckedClient) -> CheckedClient:
    """Return a second browser at the same portal."""
    made = client.application.test_client()
    assert isinstance(made, CheckedClient)
    return made


def cookie_line(answer: TestResponse) -> str:
    """Return the Set-Cookie line of the session."""
    lines: list[str] = answer.headers.getlist("Set-Cookie")
    return next(line for line in lines if line.startswith(COOKIE))


@pytest.mark.requirement("S2-07", "S2-11")
def test_signing_up_sends_a_link_and_pressing_its_button_confirms(client: CheckedClient) -> None:
    email = new_address()
    sent = client.send("/register", "/register", name="Asha Raman", email=email, password=PASSWORD)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/register/sent")
    (letter,) = letters_to(email)
    link = link_in(letter)
    sign_in(client, email)
    assert "Confirm your e-mail address" in client.page("/account").text
    client.page(link)
    assert "Confirm your e-mail address" in client.page("/account").text, "a GET changes nothing"
    assert client.send(link, link).headers["Location"] == "/home"
    assert "Send the link again" not in client.page("/account").text
    assert "does not work any more" in client.page(link, status=410).text


@pytest.mark.requirement("S2-07")
def test_signing_up_with_a_known_address_answers_the_same_and_tells_only_its_owner(
    client: CheckedClient,
) -> None:
    email = new_address()
    somebody(email)
    fields = {"name": "Mallory", "password": "seven llamas hum softly"}
    known = client.send("/register", "/register", email=email, **fields)
    unknown = client.send("/register", "/register", email=new_address(), **fields)
    assert (known.status_code, known.headers["Location"]) == (303, unknown.headers["Location"])
    assert [mail.template for mail in letters_to(email)] == ["already_registered"]
    assert (
        client.send("/sign-in", "/sign-in", email=email, password=fields["password"]).status_code
        == 401
    )


@pytest.mark.requirement("S2-77")
def test_signing_up_to_sell_opens_a_merchant_with_the_person_as_owner(
    client: CheckedClient,
) -> None:
    email = new_address()
    client.send("/register", "/register", name="Kenji", email=email, password=PASSWORD, aim="sell",
                merchant_name="Ōkubo 茶", currency="JPY", timezone="Asia/Tokyo")  # fmt: skip
    assert sign_in(client, email) == "/merchant"
    text = client.page("/account").text
    assert "Ōkubo 茶 owner" in text
    assert "User, Merchant" in text


WRONG_FIELDS = [
    ({"name": ""}, "Enter your name."),
    ({"email": "not an address"}, "Enter an e-mail address such as"),
    ({"email": ""}, "Enter your e-mail address."),
    ({"password": "short"}, "Use at least 12 characters. Yours has 5."),
    ({"password": "password12345"}, "guessed first"),
    ({"name": "4111 1111 1111 1111"}, "looks like a card number"),
    ({"aim": "sell", "merchant_name": ""}, "Enter the name of your shop."),
    ({"aim": "sell", "merchant_name": "x", "currency": "BTC"}, "Not a valid choice"),
    ({"timezone": "Mars/Olympus"}, "Not a valid choice"),
    ({"name": "x" * 501}, "That is too long."),
]


@pytest.mark.requirement("S2-84")
@pytest.mark.parametrize(("fields", "says"), WRONG_FIELDS)
def test_a_wrong_field_is_named_what_was_typed_stays_and_nothing_is_opened(
    client: CheckedClient, fields: dict[str, str], says: str
) -> None:
    email = new_address()
    good = {"name": "Asha Raman", "email": email, "password": PASSWORD, "aim": "pay"}
    answer = client.send("/register", "/register", **(good | fields))
    assert answer.status_code == 400
    html = answer.get_data(as_text=True)
    assert says in html
    assert "data-error-summary" in html
    assert 'aria-invalid="true"' in html
    assert PASSWORD not in html, "a password is never sent back"
    if "email" not in fields:
        assert f'value="{email}"' in html
    assert client.send("/sign-in", "/sign-in", email=email, password=PASSWORD).status_code == 401


def test_fields_that_no_form_has_change_nothing(client: CheckedClient) -> None:
    email = new_address()
    extra = {"is_admin": "true", "status": "active", "verified_at": "2026-01-01", "id": "usr_1",
             "role": "owner", "fee_bps": "0", "version": "9", "password_hash": "x"}  # fmt: skip
    client.send("/register", "/register", name="Asha", email=email, password=PASSWORD, **extra)
    sign_in(client, email)
    client.send("/account", "/account", name="Asha", email="taken@over.example", **extra)
    text = client.page("/account").text
    assert email in text
    assert "Confirm your e-mail address" in text
    assert "Roles User Member" in text.replace("  ", " ")


@pytest.mark.requirement("S2-08")
def test_the_session_cookie_is_for_this_port_and_out_of_reach_of_scripts(
    client: CheckedClient,
) -> None:
    email = new_address()
    somebody(email)
    line = cookie_line(client.send("/sign-in", "/sign-in", email=email, password=PASSWORD))
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Path=/" in line
    assert "Domain" not in line


def test_a_cookie_planted_before_signing_in_is_worth_nothing_after(client: CheckedClient) -> None:
    email = new_address()
    somebody(email)
    client.set_cookie(COOKIE, "x" * 43)
    sign_in(client, email)
    mine = client.get_cookie(COOKIE)
    assert mine is not None
    assert mine.value != "x" * 43
    assert accounts.person_for("x" * 43) is None


def test_flask_logins_remember_cookie_opens_nothing(client: CheckedClient, app: Flask) -> None:
    user_id = somebody()
    from flask_login.utils import encode_cookie  # noqa: PLC0415 - only this test forges one

    client.set_cookie("remember_token", encode_cookie(user_id, app.secret_key))
    assert client.get("/account").status_code == 303
    email = new_address()
    somebody(email)
    sign_in(client, email)
    assert email in client.page("/account").text, "nor does it keep anybody out"


def test_a_known_and_an_unknown_address_get_the_same_page(client: CheckedClient) -> None:
    email, nobody = new_address(), new_address()
    somebody(email)
    pages = [
        client.send("/sign-in", "/sign-in", email=who, password="not the password at all")
        for who in (email, nobody)
    ]
    assert [page.status_code for page in pages] == [401, 401]
    known, unknown = (
        strip(page.get_data(as_text=True), who)
        for page, who in zip(pages, (email, nobody), strict=True)
    )
    assert known == unknown


def test_after_five_wrong_passwords_the_page_says_how_long_to_wait(client: CheckedClient) -> None:
    email = new_address()
    somebody(email)
    for _ in range(5):
        client.send("/sign-in", "/sign-in", email=email, password="not the password at all")
    stopped = client.send("/sign-in", "/sign-in", email=email, password=PASSWORD)
    assert stopped.status_code == 429
    assert "Too many tries. Wait 15 minutes" in stopped.get_data(as_text=True)


@pytest.mark.requirement("S2-08")
def test_signing_out_ends_the_session_and_the_old_cookie_is_dead(client: CheckedClient) -> None:
    email = new_address()
    somebody(email)
    sign_in(client, email)
    old = client.get_cookie(COOKIE)
    assert old is not None
    answer = client.send("/account", "/sign-out")
    assert answer.headers["Location"] == "/sign-in"
    client.set_cookie(COOKIE, old.value)
    assert client.get("/account").headers["Location"].startswith("/sign-in")


def test_a_form_without_its_token_changes_nothing(client: CheckedClient) -> None:
    email = new_address()
    somebody(email)
    sign_in(client, email)
    for path, fields in [
        ("/account", {"name": "Mallory", "timezone": "UTC"}),
        ("/account/password", {"current": PASSWORD, "new": "seven llamas hum softly"}),
        ("/account/sessions/revoke-others", {}),
        ("/sign-out", {}),
    ]:
        assert client.post(path, data=fields).status_code == 400
    assert "Asha Raman" in client.page("/account").text


def test_a_form_sent_from_another_site_is_refused(client: CheckedClient) -> None:
    page = client.page("/sign-in")
    fields = page.form("/sign-in").fields
    answer = client.post("/sign-in", data=fields, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


@pytest.mark.requirement("S2-78")
@pytest.mark.parametrize(
    "path",
    ["/account", "/account/password", "/account/email", "/account/sessions", "/merchant", "/home"],
)
def test_pages_of_ones_own_ask_to_sign_in_and_come_back(client: CheckedClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/sign-in?next={path}")


def strip(html: str, email: str) -> str:
    """Return a page without what differs by chance: its address field and its tokens."""
    html = html.replace(email, "somebody")
    return re.sub(
        r'(content|value)="[A-Za-z0-9_.\-]{60,}"', "", re.sub(r"(req|form)_\w+", "", html)
    )
