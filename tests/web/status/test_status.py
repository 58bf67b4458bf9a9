"""/health and /ready: their bodies, and what they say when something is away."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from tests.builders import a_merchant, a_person, an_admin, browser_of
from tests.checked_client import CheckedClient
from webapp import gateway
from webapp.kernel import db, wake
from webapp.web.status import checks


class Provider:
    """A provider that answers, or does not."""

    name = "stripe"

    def __init__(self, fault: gateway.ProviderError | None = None) -> None:
        self.asked = 0
        self._fault = fault

    def ping(self) -> None:
        """Answer as told."""
        self.asked += 1
        if self._fault:
            raise self._fault


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The provider is well and was not asked before."""
    well = Provider()
    monkeypatch.setattr(gateway, "provider", lambda: well)
    monkeypatch.setattr(checks, "_asked", [])
    return well


@pytest.mark.requirement("S4-28", "S4-80")
def test_health_says_how_each_dependency_is(client: CheckedClient) -> None:
    response = client.get("/health")
    body = response.get_json()
    assert response.status_code == 200
    assert set(body) == {"status", "timestamp", "checks"}
    assert body["status"] == "healthy"
    assert dt.datetime.fromisoformat(body["timestamp"]).tzinfo is not None
    assert set(body["checks"]) == {"database", "redis", "stripe"}
    for check in body["checks"].values():
        assert check["status"] == "healthy"
        assert check["error"] is None


@pytest.mark.requirement("S2-06", "S4-80")
@pytest.mark.parametrize("away", ["database", "redis", "stripe"])
def test_any_failure_is_degraded_and_named_without_secrets(
    client: CheckedClient, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    take_away(monkeypatch, away)
    response = client.get("/health")
    body = response.get_json()
    assert body["status"] == "degraded"
    assert body["checks"][away]["status"] == "unhealthy"
    assert body["checks"][away]["error"]
    for name in {"database", "redis", "stripe"} - {away}:
        assert body["checks"][name]["status"] == "healthy"
    for secret in ("postgresql", "password", "127.0.0.1", "Traceback"):
        assert secret not in response.text


def take_away(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Let a dependency not answer."""
    if what == "database":

        def gone() -> None:
            cause = ConnectionRefusedError("postgresql://user:password@127.0.0.1")
            raise DBAPIError("SELECT 1", {}, cause)

        monkeypatch.setattr(db, "ping", gone)
    elif what == "redis":
        monkeypatch.setattr(wake, "answers", lambda: False)
    else:
        fault = gateway.Unreachable("connection_refused", "no connection to 127.0.0.1")
        monkeypatch.setattr(gateway, "provider", lambda: Provider(fault))


@pytest.mark.requirement("S4-28")
def test_ready_needs_the_database_and_nothing_else(
    client: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(monkeypatch, "redis")
    take_away(monkeypatch, "stripe")
    assert client.get("/ready").status_code == 200
    take_away(monkeypatch, "database")
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.get_json()["status"] == "not ready"


def test_the_provider_is_not_asked_at_every_look(client: CheckedClient, provider: Provider) -> None:
    for _ in range(5):
        client.get("/health")
    assert provider.asked == 1


def test_the_bare_address_leads_everybody_to_their_work(app: Flask, client: CheckedClient) -> None:
    owner = a_person()
    a_merchant(owner)
    browsers = {
        "/sign-in": client,
        "/home": browser_of(app, a_person()),
        "/merchant": browser_of(app, owner),
        "/admin": browser_of(app, an_admin()),
    }
    for place, browser in browsers.items():
        response = browser.get("/")
        assert (response.status_code, response.location) == (303, place)
