"""The demo's own receiver keeps what came, checks its signature and answers as it is told."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import a_merchant, an_order
from tests.webhooks.hooks import BY, Server, an_endpoint, query, states, tell
from webapp import webhooks
from webapp.kernel import db
from webapp.webhooks import Answer, Came, Endpoint, Request, Verdict


@pytest.fixture
def endpoint(app: Flask) -> Endpoint:
    """An endpoint at the built-in receiver, with one event on its way."""
    db.use_scope(db.OWNER)
    shop = a_merchant()
    made = an_endpoint(shop, "order.created", is_built_in=True)
    an_order(shop)
    tell()
    return made


@pytest.fixture
def program(app: Flask) -> FlaskClient:
    """A program at the portal's doors."""
    return FlaskClient(app, use_cookies=False)


def posted(program: FlaskClient, request: Request) -> Came:
    """Carry a post to the portal's own door."""
    path = request.url.removeprefix("http://127.0.0.1:8000")
    answer = program.post(path, data=request.body, headers=dict(request.headers))
    failed = None if answer.status_code == 200 else f"status {answer.status_code}"
    return Came(answer.status_code, 0.01, headers=dict(answer.headers), error=failed)


def test_what_came_is_kept_with_whether_it_was_signed(
    endpoint: Endpoint, program: FlaskClient
) -> None:
    server = Server(lambda request: posted(program, request))
    assert server.drain() == 1
    assert states() == [("order.created", "delivered", 1)]
    forged = {**server.got[0].headers, "webhook-signature": "v1,AAAA"}
    posted(program, Request(endpoint.url, forged, server.got[0].body))
    with db.scoped(db.Scope(merchant_id=endpoint.merchant_id, livemode=False)):
        kept = webhooks.receipts_of(endpoint.id)
    assert [(one.is_signed, one.answered) for one in kept] == [(False, 400), (True, 200)]
    assert kept[0].body == kept[1].body == server.got[0].body.decode()


def test_the_receiver_is_reached_where_the_portal_is_now(endpoint: Endpoint) -> None:
    webhooks.use(receiver="http://127.0.0.1:8123")
    server = Server()
    assert server.drain() == 1
    webhooks.use(receiver="http://127.0.0.1:8000")
    assert endpoint.url.startswith("http://127.0.0.1:8000/")
    assert server.got[0].url == endpoint.url.replace(":8000/", ":8123/")


@pytest.mark.parametrize(
    ("answer", "status", "state"),
    [
        (Answer.ERROR, 500, "enabled"),
        (Answer.BUSY, 503, "enabled"),
        (Answer.MOVED, 302, "enabled"),
        (Answer.GONE, 410, "disabled"),
    ],
)
def test_it_answers_as_it_is_told(
    endpoint: Endpoint, program: FlaskClient, answer: Answer, status: int, state: str
) -> None:
    scope = db.Scope(merchant_id=endpoint.merchant_id, livemode=False)
    endpoint_id = endpoint.id
    with db.scoped(scope):
        webhooks.set_answer(endpoint_id, answer, by=BY)
    came: list[Came] = []
    Server(lambda request: came.append(posted(program, request)) or came[-1]).drain()  # type: ignore[func-returns-value]
    assert [one.status for one in came] == [status]
    assert states() == [("order.created", "due", 1)]
    assert query("SELECT status FROM webhook_endpoint") == [(state,)]


@pytest.mark.parametrize(
    ("answer", "verdict", "state"),
    [
        (Answer.OK, Verdict.REFUSED, "discarded"),
        (Answer.TRUSTING, Verdict.TAKEN, "delivered"),
        (Answer.ERROR, Verdict.UNCLEAR, "discarded"),
    ],
)
def test_a_tampered_test_is_refused_by_one_that_checks(
    endpoint: Endpoint, program: FlaskClient, answer: Answer, verdict: Verdict, state: str
) -> None:
    Server(lambda request: posted(program, request)).drain()
    scope = db.Scope(merchant_id=endpoint.merchant_id, livemode=False)
    merchant_id, endpoint_id = endpoint.merchant_id or "", endpoint.id
    with db.scoped(scope):
        webhooks.set_answer(endpoint_id, answer, by=BY)
        fresh = webhooks.tampered_event(endpoint_id, "payment.success", by=BY)
        assert webhooks.delivery_of(merchant_id, fresh).verdict is Verdict.WAITING
    Server(lambda request: posted(program, request)).drain()
    with db.scoped(scope):
        row = webhooks.delivery_of(merchant_id, fresh)
        newest, _first = webhooks.receipts_of(endpoint_id)
    assert (row.verdict, row.delivery.state, row.delivery.tries) == (verdict, state, 1)
    assert newest.is_signed is False


def test_a_slow_one_takes_longer_than_anybody_waits() -> None:
    assert webhooks.REPLIES[Answer.SLOW].after_seconds > webhooks.TOTAL_SECONDS


def test_there_is_nothing_where_no_receiver_is(endpoint: Endpoint, program: FlaskClient) -> None:
    assert program.post("/demo/receiver/we_none", data=b"{}").status_code == 404
    other = an_endpoint(endpoint.merchant_id or "", "order.created")
    assert program.post(f"/demo/receiver/{other.id}", data=b"{}").status_code == 404
