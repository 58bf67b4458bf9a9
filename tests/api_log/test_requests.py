"""The log of requests: one row each, its merchant's alone, after the answer, for thirty days."""

from __future__ import annotations

import datetime as dt
import json
import runpy
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, text

from tests.api.desk import Shop, a_shop, a_user, nobody
from tests.builders import a_person
from tests.portal import Committed
from tests.stories import behind, scalar
from webapp import api_log
from webapp.api_log import ApiRequest, RequestFilter
from webapp.kernel import clock, db
from webapp.kernel.paging import PageRequest

PRICE = {"amount": 50_000, "currency": "INR"}


def kept(shop: Shop, asked: RequestFilter | None = None) -> list[ApiRequest]:
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        page = api_log.requests_of(
            shop.merchant_id, livemode=False, asked=asked or RequestFilter(), page=PageRequest()
        )
        return list(page.rows)


def test_a_request_is_kept_with_its_answer_and_what_it_was_about(app: Flask) -> None:
    shop = a_shop(app)
    answer = shop.program().post("/orders", {**PRICE, "customer_email": "asha@people.example"})
    (row,) = kept(shop)
    assert row.id == answer.headers["Request-Id"]
    assert (row.method, row.path, row.status) == ("POST", "/api/v1/orders", 201)
    assert row.object_id == answer.get_json()["id"]
    assert json.loads(row.request_body)["amount"] == 50_000
    assert "asha" not in row.request_body
    assert json.loads(row.response_body)["id"] == row.object_id
    assert (row.is_replay, row.error_code, row.user_id) == (False, None, None)
    assert row.idempotency_key is not None
    assert row.key_id is not None


def test_refusals_and_replays_are_kept_as_such(app: Flask) -> None:
    shop = a_shop(app)
    program = shop.program()
    for _ in range(2):
        program.post("/orders", PRICE, **{"Idempotency-Key": "one"})
    program.get("/orders/ord_nothing")
    newest, replay, first = kept(shop)
    assert (newest.status, newest.error_code) == (404, "order_not_found")
    assert newest.object_id == "ord_nothing"
    assert (first.is_replay, replay.is_replay) == (False, True)


def test_they_are_found_by_what_they_were(app: Flask) -> None:
    shop = a_shop(app)
    program = shop.program()
    order = program.post("/orders", PRICE).get_json()["id"]
    program.get("/orders", limit=101)
    failed = RequestFilter(has_failed=True)
    assert [row.error_code for row in kept(shop, failed)] == ["parameter_invalid"]
    assert [row.status for row in kept(shop, RequestFilter(method="POST"))] == [201]
    assert len(kept(shop, RequestFilter(object_id=order))) == 1
    assert len(kept(shop, RequestFilter(path="/api/v1/ord"))) == 2
    assert kept(shop, RequestFilter(path="%")) == []
    soon = clock.now() + dt.timedelta(hours=1)
    assert kept(shop, RequestFilter(since=soon)) == []
    assert len(kept(shop, RequestFilter(until=soon))) == 2


def test_nobodys_requests_are_not_kept(app: Flask) -> None:
    before = scalar("SELECT count(*) FROM api_request")
    nobody(app).get("/orders")
    assert scalar("SELECT count(*) FROM api_request") == before


def test_a_person_without_a_merchant_has_requests_of_their_own(app: Flask) -> None:
    person = a_person()
    a_user(app, person).get("/orders")
    assert scalar(f"SELECT count(*) FROM api_request WHERE user_id = '{person.id}'") == 1


def test_nobody_reads_or_writes_the_requests_of_another_merchant(committed: Committed) -> None:
    mine, theirs = a_shop(committed.app), a_shop(committed.app)
    for shop in (mine, theirs):
        shop.program().get("/orders")
    (their_row,) = kept(theirs)
    with (
        db.scoped(db.Scope(merchant_id=mine.merchant_id, livemode=False)),
        pytest.raises(api_log.RequestNotFound),
    ):
        api_log.request_of(theirs.merchant_id, their_row.id)
    with committed.connect() as web:
        web.execute("SELECT set_config('app.merchant', %s, true)", [mine.merchant_id])
        web.execute("SELECT set_config('app.livemode', 'false', true)")
        assert [row[0] for row in web.execute("SELECT merchant_id FROM api_request")] == [
            mine.merchant_id
        ]


def test_it_costs_one_statement_after_the_answer_and_no_waiting_for_the_disk(app: Flask) -> None:
    program = a_shop(app).program()
    said: list[str] = []
    engine = db.session.get_bind()

    def listen(_c: object, _k: object, statement: str, *_more: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    try:
        program.get("/orders")
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    logged = [one for one in said if "api_request" in one]
    assert len(logged) == 1
    assert "'synchronous_commit', 'off'" in logged[0]


def test_a_log_that_cannot_be_written_fails_no_request(committed: Committed) -> None:
    program = a_shop(committed.app).program()
    with committed.connect("postgres") as owner:
        owner.execute("REVOKE INSERT ON api_request FROM paydeck_web")
    answer = program.post("/orders", PRICE)
    assert answer.status_code == 201


def test_a_request_is_forgotten_after_thirty_days(app: Flask) -> None:
    shop = a_shop(app)
    shop.program().get("/orders")
    with clock.standing_at(clock.now() + dt.timedelta(days=29)), db.scoped(behind()):
        api_log.sweep()
    assert len(kept(shop)) == 1
    with clock.standing_at(clock.now() + dt.timedelta(days=31)), db.scoped(behind()):
        assert api_log.sweep() >= 1
    assert kept(shop) == []


def test_however_many_requests_are_old_one_run_forgets_them(app: Flask) -> None:
    shop = a_shop(app)
    program = shop.program()
    for _ in range(5):
        program.get("/orders")
    with clock.standing_at(clock.now() + dt.timedelta(days=31)), db.scoped(behind()):
        assert api_log.sweep(at_once=2) >= 5
    assert kept(shop) == []


@pytest.mark.parametrize("column", ["object_id", "idempotency_key"])
def test_what_was_asked_about_one_thing_is_found_without_a_walk_through_all(
    committed: Committed, column: str
) -> None:
    shop = a_shop(committed.app)
    many = (
        "INSERT INTO api_request (id, merchant_id, livemode, method, path, query, status,"
        " duration_ms, at, request_body, response_body, object_id, version, idempotency_key,"
        " is_replay) SELECT 'req_' || n, %s, false, 'GET', '/', '', 200, 1, now(), '', '',"
        " 'pay_' || n, '1', 'key ' || n, false FROM generate_series(1, 5000) AS n"
    )
    asked = (
        "EXPLAIN SELECT id FROM api_request WHERE merchant_id = %s AND NOT livemode"
        f" AND {column} = 'x' ORDER BY id DESC LIMIT 25"
    )
    with committed.connect("postgres") as owner:
        owner.execute(many, [shop.merchant_id])
        owner.execute("ANALYZE api_request")
        plan = str(owner.execute(asked, [shop.merchant_id]).fetchall())
    assert f"ix_api_request_{column}" in plan


def test_what_is_kept_is_never_changed(app: Flask) -> None:
    a_shop(app).program().get("/orders")
    for role in ("paydeck_web", "paydeck_admin", "paydeck_worker"):
        may = text("SELECT has_table_privilege(:role, 'api_request', 'UPDATE')")
        assert db.session.scalar(may, {"role": role}) is False


def test_what_was_kept_with_passwords_and_tokens_in_it_is_emptied(app: Flask) -> None:
    """What the migration does once, to rows that were written before they were masked."""
    shop = a_shop(app)
    program = shop.program()
    sent = {
        "/api/v1/users/me/password": '{"current":"Kettle-1","new":"Lantern-2"}',
        "/api/v1/auth/tokens": '{"secret_word":"Kettle-1"}',
        "/api/v1/payments": '{"checkout":"Zt5nq0vJ8m"}',
        "/payments/initiate": '{"payment_details":{"vpa":"asha@upi"}}',
        "/api/v1/orders": '{"amount":5}',
    }
    for _ in sent:
        program.get("/orders")
    rows = [row.id for row in kept(shop)]
    old = "UPDATE api_request SET path = :path, request_body = :body WHERE id = :id"
    migrations = Path(__file__).parents[2] / "migrations" / "versions"
    found = runpy.run_path(str(migrations / "0024_kept_too_much.py"))
    with db.transaction(db.OWNER) as session:
        for id_, (path, body) in zip(rows, sent.items(), strict=True):
            session.execute(text(old), {"id": id_, "path": path, "body": body})
        session.execute(text(found["WIPE"]))
    left = {row.path: row.request_body for row in kept(shop)}
    assert left == dict.fromkeys(sent, "") | {"/api/v1/orders": '{"amount":5}'}
