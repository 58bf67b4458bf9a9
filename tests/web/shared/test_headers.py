"""Every answer carries the headers, whatever it answers: pages, files, refusals and faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.builders import a_checkout, a_merchant, a_person, an_admin, browser_of
from tests.checked_client import CheckedClient
from tests.portal import cloned, dispose, environment
from tests.web.routes import address_of, rules
from webapp import config
from webapp.app import create_app
from webapp.front import REFUSED
from webapp.kernel import db

SOCKET = "http://localhost:8001 ws://localhost:8001"
PROVIDER = "http://127.0.0.1:8002"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    f" font-src 'self'; connect-src 'self' {SOCKET}; manifest-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
CHECKOUT_POLICY = (
    POLICY.replace("form-action 'self'", f"form-action 'self' {PROVIDER}")
    + f"; frame-src {PROVIDER}"
)
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
BODY_LIMIT = 256 * 1024


def carries(response: TestResponse, policy: str = POLICY) -> None:
    """Assert that an answer has every header, and none that gives something away."""
    where = (response.request.method, response.request.path, response.status_code)
    found = {name: response.headers.get(name) for name in ALWAYS}
    assert found == ALWAYS, where
    assert response.headers.getlist("Content-Security-Policy") == [policy], where
    assert "Access-Control-Allow-Origin" not in response.headers, where
    assert "X-Powered-By" not in response.headers, where


def is_not_kept(response: TestResponse) -> None:
    """Assert that nobody on the way keeps the answer."""
    assert response.headers["Cache-Control"] == "no-store", response.request.path


@pytest.mark.requirement("S2-83")
def test_every_page_carries_them_whoever_asks(app: Flask) -> None:
    """As nobody, as a shopper, as a merchant's owner and as an admin: each address of the map."""
    owner = a_person()
    a_merchant(owner)
    people = (a_person(), owner, an_admin())
    browsers = [app.test_client(), *(browser_of(app, person) for person in people)]
    for rule in rules(app, "GET"):
        checkout = rule.endpoint.startswith("checkout.")
        for browser in browsers:
            response = browser.get(address_of(rule), headers={"X-Fragment": "1"})
            assert response.status_code < 500, (rule.rule, response.status_code)
            carries(response, CHECKOUT_POLICY if checkout else POLICY)
            if rule.endpoint != "parts.show":
                is_not_kept(response)


def test_the_open_checkout_alone_may_frame_the_provider(app: Flask, client: CheckedClient) -> None:
    link = a_checkout(a_merchant())
    response = client.get(f"/checkout/{link.token}")
    assert response.status_code == 200
    carries(response, CHECKOUT_POLICY)
    is_not_kept(response)


@pytest.mark.parametrize("path", ["/nothing", "/admin/nothing", "/checkout/", "/%00", "/..%2f.."])
def test_what_is_not_there_is_refused_with_them(client: CheckedClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code in {404, 303}
    carries(response)
    is_not_kept(response)


def test_a_wrong_method_is_refused_with_them(client: CheckedClient) -> None:
    for method in ("put", "delete", "patch"):
        response = getattr(client, method)("/sign-in")
        assert response.status_code == 405
        carries(response)


@pytest.mark.parametrize("path", ["/sign-in", "/", "/health", "/static/css/base.css"])
def test_trace_is_answered_nowhere(client: CheckedClient, path: str) -> None:
    response = client.open(path, method="TRACE", headers={"X-Fragment": "1", "Cookie": "a=secret"})
    assert response.status_code == 405
    assert b"secret" not in response.data


def test_head_answers_as_get_without_a_body(client: CheckedClient) -> None:
    for path in ("/sign-in", "/health", "/ready", "/register"):
        response = client.head(path, headers={"X-Fragment": "1"})
        assert response.status_code == 200
        assert response.data == b""
        carries(response)


def test_options_names_methods_and_allows_no_other_origin(client: CheckedClient) -> None:
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    headers = {**asks, "X-Fragment": "1"}
    response = client.options("/sign-in", headers=headers)
    assert response.status_code == 200
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    carries(response)


@pytest.mark.requirement("S2-85")
@pytest.mark.parametrize("path", ["/sign-in", "/register", "/inbound/stripe"])
def test_a_body_beyond_the_limit_is_refused(client: CheckedClient, path: str) -> None:
    response = client.post(path, data={"email": "x" * BODY_LIMIT})
    assert response.status_code == 413
    carries(response)
    assert client.post(path, data={"email": "x" * 1000}).status_code != 413


@pytest.mark.parametrize(("status", "path"), [(408, "/sign-in"), (413, "/sign-in"), (400, "/")])
def test_what_the_front_has_refused_is_told_in_a_page(
    client: CheckedClient, status: int, path: str
) -> None:
    response = client.post(path, environ_overrides={REFUSED: status})
    assert response.status_code == status
    assert f'class="mono">{response.headers["X-Request-Id"]}' in response.get_data(as_text=True)
    carries(response)


@pytest.mark.requirement("S2-85")
def test_a_form_of_too_many_fields_is_refused(client: CheckedClient) -> None:
    many = {f"field{number}": "x" for number in range(201)}
    response = client.post("/sign-in", data=many, content_type="multipart/form-data")
    assert response.status_code == 413


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:8000"])
def test_another_host_is_refused(client: CheckedClient, host: str) -> None:
    response = client.get("/sign-in", headers={"Host": host})
    assert response.status_code == 400
    carries(response)
    assert host not in response.get_data(as_text=True)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "localhost"])
def test_our_own_hosts_are_answered(client: CheckedClient, host: str) -> None:
    assert client.get("/ready", headers={"Host": host}).status_code == 200


def test_static_files_carry_them_and_are_kept(client: CheckedClient) -> None:
    response = client.get("/static/js/portal.js")
    assert response.status_code == 200
    carries(response, FILE_POLICY)
    assert "max-age=" in response.headers["Cache-Control"]
    response.close()
    assert client.get("/static/nothing.js").status_code == 404
    for path in ("/static/../webapp/app.py", "/static/%2e%2e/webapp/app.py", "/static//etc/passwd"):
        assert client.get(path).status_code in {301, 308, 404}


@pytest.mark.requirement("S2-86")
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_fault_of_ours_says_nothing_of_its_cause(
    app: Flask, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    def broken() -> str:
        raise RuntimeError("SELECT secret FROM payment WHERE password = 'hunter2'")

    monkeypatch.setitem(app.view_functions, "account.register", broken)
    client = app.test_client()
    response = client.get("/register", headers={"Accept": accept})
    said = response.get_data(as_text=True)
    assert response.status_code == 500
    carries(response)
    is_not_kept(response)
    for secret in ("SELECT", "hunter2", "Traceback", "RuntimeError", "webapp/", ".py"):
        assert secret not in said
    assert response.headers["X-Request-Id"] in said, "what to quote to support"


@pytest.mark.requirement("S2-86", "S2-82")
def test_a_fault_of_the_database_shows_no_statement(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        from sqlalchemy import text  # noqa: PLC0415 - the view's own

        db.session.execute(text("SELECT hunter2 FROM no_such_table"))
        return ""

    monkeypatch.setitem(app.view_functions, "account.register", broken)
    response = app.test_client().get("/register")
    said = response.get_data(as_text=True)
    assert response.status_code == 500
    for secret in ("SELECT", "hunter2", "no_such_table", "psycopg", "Background on this error"):
        assert secret not in said


@pytest.fixture(scope="module")
def secure(stores: Stores) -> Iterator[Flask]:
    """The portal as people reach it by https."""
    with cloned(stores) as database:
        env = environment(stores, database) | {"PUBLIC_URL": "https://pay.example.com"}
        app = create_app(config.read(env), ROUTES)
        yield app
        dispose(app)


def test_by_https_cookies_are_bound_to_host_and_wire(secure: Flask) -> None:
    settings = secure.extensions["paydeck_settings"]
    response = secure.test_client().get("/sign-in", base_url="https://pay.example.com")
    assert response.status_code == 200
    (cookie,) = response.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-paydeck_443_form=")
    assert settings.session_cookie == "__Host-paydeck_443_session"
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts
    assert not any(part.lower().startswith("domain") for part in parts)
    hsts = "max-age=31536000; includeSubDomains"
    assert response.headers["Strict-Transport-Security"] == hsts


def test_by_http_cookies_carry_the_port_and_no_script_reads_them(client: CheckedClient) -> None:
    response = client.get("/sign-in")
    (cookie,) = response.headers.getlist("Set-Cookie")
    assert cookie.startswith("paydeck_8000_form=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Strict-Transport-Security" not in response.headers


def test_with_the_providers_own_keys_the_checkout_alone_loads_its_script(stores: Stores) -> None:
    from webapp.web.shared.security import policy  # noqa: PLC0415 - one test's own

    given = config.read(environment(stores, "postgres"))
    live = replace(given, provider_api_base=config.STRIPE_API_BASE)
    everywhere = policy(live, is_checkout=False)
    checkout = policy(live, is_checkout=True)
    assert "stripe" not in everywhere
    assert everywhere == POLICY
    rules_of = dict(rule.split(" ", 1) for rule in checkout.split("; "))
    assert rules_of["script-src"] == "'self' https://js.stripe.com"
    assert rules_of["frame-src"] == "https://js.stripe.com https://hooks.stripe.com"
    assert "unsafe" not in checkout
    assert "*" not in checkout
