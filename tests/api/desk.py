"""A merchant's program at the API, and what the tests ask it with."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api import promised
from tests.builders import PASSWORD, Someone, a_merchant, a_person
from webapp import accounts
from webapp.kernel import db
from webapp.outbox import Actor

_keys = count(1)
_addresses = count(1)


def an_address() -> str:
    """Return a network address from which no other test asks."""
    number = next(_addresses)
    return f"10.{number // 62_500 % 250}.{number // 250 % 250}.{number % 250}"


@dataclass
class Program:
    """Something that calls the API with one credential."""

    client: FlaskClient
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    address: str | None = None

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """Send one request below /api/v1 or, with `root`, at the very path.

        Where a key is needed it is sent with a fresh one; each request comes from an address of
        its own, unless the program has one. Every answer is held to the headers that the document
        promises for it.
        """
        headers = dict(self.headers)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            headers["Idempotency-Key"] = f"test-{next(_keys)}"
        headers |= more.pop("headers", {})
        prefix = "" if more.pop("root", False) else "/api/v1"
        db.end_reads()
        for name in list(g):
            g.pop(name)
        asks = {"method": method, "headers": headers, **more}
        asks["environ_base"] = {"REMOTE_ADDR": self.address or an_address()}
        answer = self.client.open(f"{prefix}{path}", **asks)
        answer.get_data()
        answer.close()
        wrong = promised.what_is_wrong(self.client.application, answer)
        assert wrong == [], f"{method} {path} {answer.status_code}: {wrong}"
        db.use_scope(db.NOBODY)
        return answer

    def get(self, path: str, **query: Any) -> TestResponse:
        """Read."""
        return self.ask("GET", path, query_string=query)

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """Do."""
        sent = {"json": body} if body is not None else {}
        return self.ask("POST", path, headers=headers, **sent)

    def patch(self, path: str, body: dict[str, Any]) -> TestResponse:
        """Change."""
        return self.ask("PATCH", path, json=body)


@dataclass(frozen=True)
class Shop:
    """A merchant with its owner, and programs that call for them."""

    app: Flask
    owner: Someone
    merchant_id: str

    def program(self, *, kind: str = "secret", **more: Any) -> Program:
        """Return a program with a fresh key of this merchant."""
        scope = db.Scope(merchant_id=self.merchant_id, livemode=more.get("livemode", False))
        with db.scoped(scope):
            made = accounts.create_key(
                self.merchant_id,
                livemode=more.pop("livemode", False),
                kind=accounts.KeyKind(kind),
                name="tests",
                by=Actor("merchant_user", self.owner.id),
                **more,
            )
        return Program(FlaskClient(self.app, self.app.response_class), made.token)


def a_shop(app: Flask) -> Shop:
    """Return a merchant that no other test knows."""
    owner = a_person()
    return Shop(app, owner, a_merchant(owner))


def nobody(app: Flask) -> Program:
    """Return a program without a credential."""
    return Program(FlaskClient(app, app.response_class))


def a_user(app: Flask, person: Someone, **headers: str) -> Program:
    """Return a program with an access token of a person."""
    signed_in = accounts.sign_in(person.email, PASSWORD, device="a program", address="192.0.2.9")
    tokens = accounts.begin_tokens(signed_in)
    return Program(FlaskClient(app, app.response_class), tokens.access, headers)
