"""The Python client in front of the portal under test, or of a server that a test answers for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import httpx
from flask import Flask, g

from paydeck import Paydeck, Retries
from paydeck.resource import Resource
from tests.api.desk import Shop, an_address
from webapp.kernel import db

KEY = "sk_test_of_nobody"
URL = "https://pay.example.com"


class Door(httpx.BaseTransport):
    """Carries requests to the portal of this process, each from an address of its own."""

    def __init__(self, app: Flask) -> None:
        self._wsgi = httpx.WSGITransport(app, remote_addr=an_address())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the portal; its log is written and its scope left before this returns."""
        db.end_reads()
        for name in list(g):
            g.pop(name)
        answer = self._wsgi.handle_request(request)
        body = answer.read()
        answer.close()
        db.use_scope(db.NOBODY)
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


def a_client(shop: Shop, **key: Any) -> Paydeck:
    """Return a client with a fresh key of a shop, asking the portal under test."""
    token = shop.program(**key).token
    return Paydeck(token, "http://localhost", http=httpx.Client(transport=Door(shop.app)))


class Script:
    """A server that gives these answers one after another, and keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer the next one; an exception is raised instead."""
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options: Any) -> Paydeck:
        """Return a client of this server; its waits are kept and not waited for."""
        pace = Retries(sleep=self.waits.append, chance=lambda: 1.0)
        http = httpx.Client(transport=httpx.MockTransport(self), follow_redirects=True)
        return Paydeck(KEY, URL, http=http, **{"retries": pace, **options})


def refused(status: int, code: str, **headers: str) -> httpx.Response:
    """Return an answer in the API’s envelope."""
    kinds = {
        401: "authentication_error",
        402: "card_error",
        403: "permission_error",
        409: "idempotency_error" if code == "key_in_use" else "invalid_request_error",
        422: "idempotency_error",
        429: "rate_limit_error",
    }
    kind = kinds.get(status, "api_error" if status >= 500 else "invalid_request_error")
    told = {"type": kind, "code": code, "message": "No.", "param": "amount", "request_id": "req_1"}
    return httpx.Response(status, json={"error": told}, headers=headers)


def fine(**body: object) -> httpx.Response:
    """Return an answer of 200."""
    return httpx.Response(200, json=body)


def all_calls() -> set[tuple[str, str]]:
    """Return method and path of every call that the client has, each id being `x1`."""
    asked: set[tuple[str, str]] = set()

    def note(request: httpx.Request) -> httpx.Response:
        asked.add((request.method, request.url.path))
        return fine(object="list", data=[], has_more=False, url="/")

    client = Paydeck(KEY, URL, http=httpx.Client(transport=httpx.MockTransport(note)))
    for resource in vars(client).values():
        if isinstance(resource, Resource):
            for _name, call in inspect.getmembers(resource, inspect.ismethod):
                if not call.__name__.startswith("_"):
                    call(*["x1" for _ in _ids_of(call)])
    return asked


def _ids_of(call: Callable[..., object]) -> list[str]:
    told = inspect.signature(call).parameters.values()
    return [one.name for one in told if one.kind is one.POSITIONAL_OR_KEYWORD]
