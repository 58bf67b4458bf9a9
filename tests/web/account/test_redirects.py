"""Where signing in may lead: paths of our own and nothing else, in any spelling."""

from __future__ import annotations

import pytest

from tests.accounts.people import PASSWORD, new_address, somebody
from tests.checked_client import CheckedClient
from webapp.web.account.redirects import own_path

ELSEWHERE = [
    "https://evil.example", "http:evil.example", "//evil.example", "///evil.example",
    "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "\t//evil.example",
    " //evil.example", "/%09/evil.example", "/%5cevil.example", "/%5Cevil.example",
    "/%2fevil.example", "/%2Fevil.example", "%2f%2fevil.example", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "evil.example", "@evil.example",
    "http://localhost:8000@evil.example", "http://localhost:8000.evil.example",
    "https:/evil.example", "https:evil.example", "/\n/evil.example", "/\r/evil.example",
    "/\u0000/evil.example", "\u2028//evil.example", "/\\/evil.example", "\\/evil.example",
    "/a\\..\\evil", "ftp://evil.example", "http://localhost:8000/account", "x" * 2000, "",
    "?next=//x", "#//evil.example", ".", "..", "./evil", "mailto:x@evil.example",
    "//localhost:8000/x", "/%0d%0aSet-Cookie:x=y", "/\r\nSet-Cookie: x=y", "//%5cevil.example",
    "/%255c/../evil\\", "http://[::1]/", "https://evil.example/%2e%2e", "////evil.example",
    "/ /evil.example\u007f",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_an_address_elsewhere_is_not_followed(target: str) -> None:
    assert own_path(target) is None


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/account",
        "/merchant/payments?status=captured&q=a%20b",
        "/home/payments/pay_01",
        "/a/b#c",
    ],
)
def test_a_path_of_our_own_is_followed(target: str) -> None:
    assert own_path(target) == target


@pytest.mark.parametrize("target", ELSEWHERE[:12])
def test_signing_in_with_an_address_elsewhere_leads_home(
    client: CheckedClient, target: str
) -> None:
    email = new_address()
    somebody(email)
    answer = client.send("/sign-in", "/sign-in", email=email, password=PASSWORD, next=target)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/home")


def test_signing_in_leads_back_to_the_page_that_was_wanted(client: CheckedClient) -> None:
    email = new_address()
    somebody(email)
    wanted = client.get("/account/sessions").headers["Location"]
    answer = client.send(wanted, "/sign-in", email=email, password=PASSWORD)
    assert answer.headers["Location"] == "/account/sessions"


def test_a_wanted_page_elsewhere_is_not_even_kept_in_the_form(client: CheckedClient) -> None:
    assert client.page("/sign-in?next=//evil.example").form("/sign-in").fields["next"] == ""
