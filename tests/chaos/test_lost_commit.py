"""A COMMIT whose answer is lost: we look at what came of it, and never do it blindly again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.chaos.proxy import BEFORE, LATE, WAYS, Proxy
from tests.gateway.working import (
    INTENT,
    Book,
    effects,
    make_applied_table,
    planned,
    row_of,
)
from tests.portal import Committed, dispose
from tests.provider_process import Sandbox, running_sandbox
from webapp import idempotency
from webapp.app import create_app
from webapp.gateway import operations
from webapp.idempotency import Answer
from webapp.kernel import db, ids

WORKER = "paydeck_worker"
ASKS = 40


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def proxy(stores: Stores) -> Iterator[Proxy]:
    with Proxy(stores.places.sockets / ".s.PGSQL.5432", seed=1) as running:
        yield running


@pytest.fixture
def worker(committed: Committed, proxy: Proxy, sandbox: Sandbox) -> Iterator[Flask]:
    """A worker whose way to the database leads through the proxy."""
    make_applied_table()
    settings = committed.as_worker()
    through = f"postgresql+psycopg://{WORKER}@127.0.0.1:{proxy.port}/{committed.database}"
    settings = replace(
        settings,
        database_url=f"{through}?sslmode=disable&gssencmode=disable",
        provider_api_base=sandbox.origin,
        provider_origin=sandbox.origin,
    )
    app = create_app(settings, ROUTES)
    with app.app_context(), db.scoped(db.WORKER):
        yield app
        db.session.remove()
    dispose(app)


def ask(key: str, runs: list[str]) -> Answer:
    """Ask once, with work whose effect is a row."""

    def work() -> Answer:
        runs.append(key)
        db.session.execute(text("INSERT INTO applied (operation_id) VALUES (:id)"), {"id": key})
        return Answer(201, b"done")

    return idempotency.once("user", "usr_1", False, key, "same", work)


@pytest.mark.requirement("S0-07", "S1-06")
@pytest.mark.parametrize("way", WAYS)
def test_a_request_whose_commit_was_cut_says_come_again_and_has_one_effect(
    worker: Flask, proxy: Proxy, way: str
) -> None:
    key, runs = ids.new("request"), []  # type: tuple[str, list[str]]
    db.ping()
    db.end_reads()
    proxy.arm(way, WORKER)
    with pytest.raises(db.DatabaseError) as lost:
        ask(key, runs)
    assert db.is_passing(lost.value)
    answer = None
    for _ in range(ASKS):
        try:
            answer = ask(key, runs)
            break
        except idempotency.KeyInUse:
            time.sleep(0.02)
    assert answer is not None
    assert answer.body == b"done"
    assert answer.replayed == (way != BEFORE)
    assert len(runs) == (2 if way == BEFORE else 1)
    assert effects(key) == 1


@pytest.mark.requirement("S1-13")
@pytest.mark.parametrize("way", WAYS)
def test_an_answer_of_the_provider_is_applied_once_though_its_commit_was_cut(
    worker: Flask, proxy: Proxy, way: str
) -> None:
    made, book = planned(INTENT), Book()
    cuts: list[str] = []

    def apply(operation: object, answer: object) -> None:
        if not cuts:
            cuts.append(way)
            proxy.arm(way, WORKER)
        book.apply(operation, answer)  # type: ignore[arg-type]

    operations.drain(apply)
    until = time.monotonic() + 15
    while row_of(made.id).state != "succeeded" and time.monotonic() < until:
        time.sleep(0.2)
        operations.drain(apply)
    assert row_of(made.id).state == "succeeded"
    assert effects(made.id) == 1
    assert [cut.way for cut in proxy.cuts] == [way]
    if way != LATE:  # then it depends on who is quicker
        assert len(book.answers) == (2 if way == BEFORE else 1)
