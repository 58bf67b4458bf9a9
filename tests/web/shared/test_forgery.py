"""No form is taken from another site or without its token: every address that takes one."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.builders import a_merchant, a_person, an_admin, browser_of
from tests.stories import scalar
from tests.web.routes import address_of, rules

TABLES = (
    "app_user", "merchant", "shop_order", "checkout_session", "payment", "attempt", "transfer",
    "provider_operation", "move", "fact", "audit_entry", "idempotency_key", "sign_in_session",
    "message",
)  # fmt: skip


@pytest.fixture
def posts(app: Flask) -> list[Rule]:
    """Every rule that changes something."""
    found = rules(app, "POST")
    assert len(found) >= 25, "the map was read"
    return found


def counts() -> dict[str, int]:
    """Return how many rows there are of everything that a form can write."""
    return {table: scalar(f"SELECT count(*) FROM {table}") for table in TABLES}


def test_nothing_but_forms_changes_anything(app: Flask) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        assert rules(app, method) == []


def test_without_its_token_every_form_is_refused(app: Flask, posts: list[Rule]) -> None:
    owner = a_person()
    a_merchant(owner)
    browsers = [app.test_client(), browser_of(app, owner), browser_of(app, an_admin())]
    before = counts()
    for rule in posts:
        for browser in browsers:
            response = browser.post(address_of(rule), data={"email": "a@people.example"})
            assert response.status_code == 400, (rule.rule, response.status_code)
            assert "This form is out of date" in response.get_data(as_text=True), rule.rule
            response = browser.post(address_of(rule), data={"csrf_token": "forged"})
            assert response.status_code == 400, (rule.rule, response.status_code)
    assert counts() == before


@pytest.mark.requirement("S2-83")
@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8001"},
        {"Origin": "http://localhost:8000.evil.example"},
        {"Origin": "https://localhost:8000"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_its_token(
    app: Flask, posts: list[Rule], sent: dict[str, str]
) -> None:
    browser = browser_of(app, an_admin())
    token = browser.page("/account").form("/sign-out").fields["csrf_token"]
    before = counts()
    for rule in posts:
        response = browser.post(address_of(rule), data={"csrf_token": token}, headers=sent)
        assert response.status_code == 403, (rule.rule, response.status_code)
        assert "sent from another site" in response.get_data(as_text=True)
    assert counts() == before


def test_our_own_origin_is_taken(app: Flask) -> None:
    client = app.test_client()
    fields = client.page("/sign-in").form("/sign-in").fields  # type: ignore[attr-defined]
    given = {**fields, "email": "nobody@people.example", "password": "wrong wrong wrong"}
    headers = {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}
    response = client.post("/sign-in", data=given, headers=headers)
    assert response.status_code not in {400, 403} or "out of date" not in response.text


def test_a_token_of_another_browser_is_refused(app: Flask) -> None:
    one, other = app.test_client(), app.test_client()
    token = one.page("/sign-in").form("/sign-in").fields["csrf_token"]  # type: ignore[attr-defined]
    other.get("/sign-in")
    given = {"csrf_token": token, "email": "a@people.example", "password": "x"}
    response = other.post("/sign-in", data=given)
    assert response.status_code == 400
    assert "out of date" in response.text
