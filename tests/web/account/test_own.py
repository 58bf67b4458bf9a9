"""One's own pages: profile, address, password, browsers; and getting back in."""

from __future__ import annotations

import pytest

from tests.accounts.people import PASSWORD, as_user, new_address, somebody
from tests.checked_client import CheckedClient
from tests.web.account.letters import letters_to, link_in
from tests.web.account.test_entry import COOKIE, another, sign_in
from webapp import accounts
from webapp.kernel import db

NEW = "seven llamas hum softly"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko)"
    " Version/19.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def me(client: CheckedClient) -> str:
    """A person, signed in at `client`; their address."""
    email = new_address()
    somebody(email)
    sign_in(client, email)
    return email


@pytest.mark.requirement("S2-10")
def test_the_profile_is_changed_and_shown(client: CheckedClient, me: str) -> None:
    answer = client.send(
        "/account", "/account", name="Asha R.", phone="+91 98765 43210", timezone="Asia/Tokyo"
    )
    assert answer.status_code == 303
    page = client.page("/account")
    assert page.form("/account").fields == {
        **page.form("/account").fields,
        "name": "Asha R.",
        "phone": "+919876543210",
        "timezone": "Asia/Tokyo",
    }
    assert "JST" in page.text, "moments are shown in the new zone"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"phone": "call me"}, "Enter a phone number such as"),
        ({"name": " "}, "Enter your name."),
        ({"timezone": "Nowhere"}, "Not a valid choice"),
    ],
)
def test_a_wrong_profile_is_refused_by_field_and_changes_nothing(
    client: CheckedClient, me: str, fields: dict[str, str], says: str
) -> None:
    answer = client.send("/account", "/account", **({"name": "Changed", "phone": ""} | fields))
    assert answer.status_code == 400
    assert says in answer.get_data(as_text=True)
    assert "Account of Asha Raman" in client.page("/account").text.replace(
        "Account of  ", "Account of "
    )


def test_changing_the_password_keeps_this_browser_and_signs_the_others_out(
    client: CheckedClient, me: str
) -> None:
    other = another(client)
    sign_in(other, me)
    before = client.get_cookie(COOKIE)
    answer = client.send("/account/password", "/account/password", current=PASSWORD, new=NEW)
    assert answer.headers["Location"] == "/account"
    after = client.get_cookie(COOKIE)
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert [mail.template for mail in letters_to(me)] == ["password_changed"]


@pytest.mark.parametrize(
    ("current", "new", "says"),
    [
        ("not the password", NEW, "That is not your current password."),
        (PASSWORD, "short", "Use at least 12 characters"),
        (PASSWORD, "asha raman is my name", "Leave your name"),
        ("", NEW, "Enter your current password."),
    ],
)
def test_a_refused_change_of_password_leaves_the_old_one(
    client: CheckedClient, me: str, current: str, new: str, says: str
) -> None:
    answer = client.send("/account/password", "/account/password", current=current, new=new)
    assert answer.status_code == 400
    assert says in answer.get_data(as_text=True)
    sign_in(another(client), me)


@pytest.mark.requirement("S2-10")
def test_a_new_address_counts_when_its_link_is_pressed_and_the_old_one_is_told(
    client: CheckedClient, me: str
) -> None:
    wanted = new_address()
    client.send("/account/email", "/account/email", email=wanted, current=PASSWORD)
    assert me in client.page("/account").text
    link = link_in(letters_to(wanted)[0])
    assert client.send(link, link).headers["Location"] == "/account"
    assert wanted in client.page("/account").text
    assert [mail.template for mail in letters_to(me)] == ["email_changed"]
    client.page(link, status=410)


def test_a_taken_address_is_answered_like_a_free_one(client: CheckedClient, me: str) -> None:
    taken, free = new_address(), new_address()
    somebody(taken)
    answers = [
        client.send("/account/email", "/account/email", email=who, current=PASSWORD)
        for who in (taken, free)
    ]
    assert {answer.headers["Location"] for answer in answers} == {"/account"}
    assert [mail.template for mail in letters_to(taken)] == ["already_registered"]


@pytest.mark.requirement("S2-12")
def test_ones_browsers_are_listed_and_one_is_signed_out(client: CheckedClient, me: str) -> None:
    phone = another(client)
    fields = phone.page("/sign-in").form("/sign-in").fields
    phone.post("/sign-in", data={**fields, "email": me, "password": PASSWORD},
               headers={"User-Agent": IPHONE})  # fmt: skip
    page = client.page("/account/sessions")
    assert "Safari on iPhone" in page.text
    assert "this browser" in page.text
    revoking = [form.action for form in page.forms if form.action.endswith("/revoke")]
    assert len(revoking) == 2
    other = next(action for action in revoking if action.split("/")[-2] != this_session(client))
    client.post(other, data=page.form(other).fields)
    assert phone.get("/account").status_code == 303
    assert client.get("/account").status_code == 200


def test_somebody_elses_browser_is_not_there(client: CheckedClient, me: str) -> None:
    stranger = another(client)
    email = new_address()
    somebody(email)
    sign_in(stranger, email)
    theirs = this_session(stranger)
    token = client.page("/account/sessions").form("/revoke").fields["csrf_token"]
    answers = [
        client.post(f"/account/sessions/{one}/revoke", data={"csrf_token": token})
        for one in (theirs, "ses_unknown")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert stranger.get("/account").status_code == 200


def test_a_forgotten_password_is_chosen_anew_by_a_mailed_link(client: CheckedClient) -> None:
    email = new_address()
    user_id = somebody(email, verified=False)
    sent = client.send("/password/forgot", "/password/forgot", email=email)
    assert sent.headers["Location"] == "/password/sent"
    link = link_in(letters_to(email)[-1])
    weak = client.send(link, link, password="password1234")
    assert weak.status_code == 400
    assert client.send(link, link, password=NEW).headers["Location"] == "/sign-in"
    sign_in(client, email, NEW)
    with db.scoped(as_user(user_id)):
        assert accounts.user_of(user_id).is_verified, "the link showed whose address it is"
    client.page(link, status=410)


@pytest.mark.parametrize(
    ("registered", "lookalike"),
    [
        ("asha@strasse.example", "asha@straße.example"),
        ("jessica@shop.example", "jeſſica@shop.example"),
        ("office@shop.example", "oﬀice@shop.example"),
    ],
)
def test_no_link_goes_to_an_address_that_only_looks_like_the_registered_one(
    client: CheckedClient, registered: str, lookalike: str
) -> None:
    somebody(registered)
    client.send("/password/forgot", "/password/forgot", email=lookalike)
    assert [mail.template for mail in letters_to(lookalike)] == ["no_account"]
    client.send("/password/forgot", "/password/forgot", email=registered.upper())
    assert [mail.template for mail in letters_to(registered)][-1] == "reset_password"
    assert letters_to(registered.upper()) == [], "however it was typed, it goes where it is known"


def test_asking_for_a_link_tells_nothing_about_an_address(client: CheckedClient) -> None:
    known, unknown = new_address(), new_address()
    somebody(known)
    answers = [
        client.send("/password/forgot", "/password/forgot", email=who) for who in (known, unknown)
    ]
    assert len({(answer.status_code, answer.headers["Location"]) for answer in answers}) == 1
    assert [mail.template for mail in letters_to(known)] == ["reset_password"]
    assert [mail.template for mail in letters_to(unknown)] == ["no_account"]


def test_links_lead_to_our_own_address_whatever_host_was_asked_for(client: CheckedClient) -> None:
    email = new_address()
    somebody(email)
    form = client.page("/password/forgot").form("/password/forgot")
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    client.post("/password/forgot", data={**form.fields, "email": email}, headers=headers)
    (letter,) = letters_to(email)
    assert "evil.example" not in letter.text_body
    link_in(letter)


@pytest.mark.requirement("S2-11")
def test_the_link_of_the_first_mail_is_sent_again_on_request(client: CheckedClient) -> None:
    email = new_address()
    somebody(email, verified=False)
    sign_in(client, email)
    client.send("/account", "/account/verification")
    link = link_in(letters_to(email)[-1])
    client.send(link, link)
    assert "Send the link again" not in client.page("/account").text


@pytest.mark.parametrize(
    ("agent", "words"),
    [(FIREFOX, "Firefox on Linux"), (IPHONE, "Safari on iPhone"), ("", "An unknown browser"),
     ("<script>alert(1)</script>" * 50, "An unknown browser"), ("curl/8.0", "curl")],
)  # fmt: skip
def test_a_browser_is_named_in_words_and_never_repeated(agent: str, words: str) -> None:
    from webapp.web.account.devices import describe  # noqa: PLC0415 - pure, beside its page

    assert describe(agent) == words


def this_session(client: CheckedClient) -> str:
    """Return the session id behind a client's cookie."""
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    person = accounts.person_for(cookie.value)
    assert person is not None
    return person.session_id
