"""Requests to the API, beside a bare Flask route that answers JSON and does nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from bench.report import Report
from bench.world import World
from webapp import accounts
from webapp.accounts import KeyKind
from webapp.kernel import db
from webapp.outbox import Actor

ROUNDS = 5
A_ROUND = 200
PLENTY = 1_000_000
_keys = count(1)


def measure(report: Report, world: World) -> None:
    """Measure reading and creating an order, in rounds that alternate with the bare route."""
    app = world.web
    settings = replace(app.extensions["paydeck_settings"], api_rate_per_key=PLENTY)
    app.extensions["paydeck_settings"] = settings
    asks = _asks(world)
    rates: dict[str, list[float]] = {name: [] for name in asks}
    cpu: dict[str, list[float]] = {name: [] for name in asks}
    for ask in asks.values():
        for _ in range(20):
            ask()
    for _ in range(ROUNDS):
        for name, ask in asks.items():
            rate, milliseconds = _round(ask)
            rates[name].append(rate)
            cpu[name].append(milliseconds)
    for name in asks:
        report.add(f"API, {name}", "requests/s", rates[name])
        report.add(f"API, {name}, CPU of this process", "ms", cpu[name])
    for name in list(asks)[1:]:
        report.ratio(f"API: {name} ÷ bare route", sum(rates[name]) / sum(rates["bare route"]))


def _asks(world: World) -> dict[str, Callable[[], None]]:
    client = FlaskClient(world.web, world.web.response_class)
    bare = FlaskClient(_bare(), world.web.response_class)
    sent = {"Authorization": f"Bearer {_key(world)}"}
    order = {"amount": 50_000, "currency": "INR", "description": "Tea"}

    def ask(method: str, path: str, **more: Any) -> int:
        answer = client.open(path, method=method, headers={**sent, **more.pop("add", {})}, **more)
        answer.get_data()
        answer.close()
        return answer.status_code

    def create() -> None:
        key = {"Idempotency-Key": f"bench-{next(_keys)}"}
        assert ask("POST", "/api/v1/orders", json=order, add=key) == 201

    create()
    first = client.get("/api/v1/orders", headers=sent).get_json()["data"][0]["id"]

    def read() -> None:
        assert ask("GET", f"/api/v1/orders/{first}") == 200

    def page() -> None:
        assert ask("GET", "/api/v1/orders") == 200

    def nothing() -> None:
        bare.get("/").get_data()

    return {
        "bare route": nothing,
        "read an order": read,
        "list ten orders": page,
        "create an order": create,
    }


def _bare() -> Flask:
    app = Flask("bare")

    @app.get("/")
    def index() -> dict[str, object]:
        return {"object": "order", "id": "ord_1", "amount": 50_000, "currency": "INR"}

    return app


def _key(world: World) -> str:
    scope = db.Scope(merchant_id=world.merchant_id, livemode=False)
    with world.web.app_context(), db.scoped(scope):
        made = accounts.create_key(
            world.merchant_id,
            livemode=False,
            kind=KeyKind.SECRET,
            name="bench",
            by=Actor("merchant_user", world.user_id),
        )
    return made.token


def _round(ask: Callable[[], None]) -> tuple[float, float]:
    """Return requests a second, and milliseconds of CPU for each."""
    began, used = time.perf_counter(), time.process_time()
    for _ in range(A_ROUND):
        ask()
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    return A_ROUND / seconds, cpu / A_ROUND * 1000
