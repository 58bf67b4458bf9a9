"""What holds of every answer: headers, version, envelope and limits; and who may see it."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from flask import Flask

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.api.desk import Program, a_shop, an_address, nobody
from tests.portal import cloned, environment
from webapp import config
from webapp.api import cors, limits
from webapp.api.routing import OPERATIONS
from webapp.app import create_app
from webapp.kernel import cache, clock, db, wake

PRICE = {"amount": 50_000, "currency": "INR"}
TYPES = {
    "invalid_request_error",
    "card_error",
    "idempotency_error",
    "authentication_error",
    "permission_error",
    "rate_limit_error",
    "api_error",
}


def error_of(answer: Any) -> dict[str, Any]:
    """Return the error of an answer, which has the one shape."""
    assert answer.mimetype == "application/json", answer.text
    error: dict[str, Any] = answer.get_json()["error"]
    assert list(error) == [
        "type", "code", "decline_code", "message", "param", "doc_url", "request_id",
    ]  # fmt: skip
    assert error["type"] in TYPES
    assert error["doc_url"] == f"http://localhost:8000/docs/errors/{error['code']}"
    assert error["message"].endswith((".", "?"))
    return error


def test_every_answer_names_its_request_and_version(app: Flask) -> None:
    program = a_shop(app).program()
    for path in ("/orders", "/orders/ord_nothing", "/openapi.json"):
        answer = program.get(path)
        assert answer.headers["Request-Id"].startswith("req_")
        assert answer.headers["Request-Id"] == answer.headers["X-Request-Id"]
        assert answer.headers["Paydeck-Version"] == "2026-11-01"
        assert answer.headers["Cache-Control"] == "no-store"
    assert error_of(program.get("/orders/x"))["request_id"].startswith("req_")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/orders", 405),
        ("GET", "/api/nothing", 404),
        ("GET", "/payments/initiate", 405),
    ],
)
def test_so_does_an_answer_where_no_operation_is(
    app: Flask, method: str, path: str, status: int
) -> None:
    answer = nobody(app).ask(method, path, root=True)
    assert answer.status_code == status
    assert answer.headers["Request-Id"] == error_of(answer)["request_id"]
    assert answer.headers["Paydeck-Version"] == "2026-11-01"
    assert answer.headers["RateLimit-Limit"] == str(limits.PER_ADDRESS)
    assert answer.headers["RateLimit-Remaining"] == str(limits.PER_ADDRESS - 1)
    assert int(answer.headers["RateLimit-Reset"]) in range(1, 61)
    assert ("Allow" in answer.headers) == (status == 405)


def test_whoever_asks_where_nothing_is_is_held_to_their_limit(stores: Stores) -> None:
    with cloned(stores) as database:
        env = environment(stores, database) | {"API_RATE_PER_KEY": "3"}
        app = create_app(config.read(env), ROUTES)
        with app.app_context():
            shop = a_shop(app)
            one, other, visitor = shop.program(), shop.program(), nobody(app)
            visitor.address = an_address()
            guesser = Program(visitor.client, "sk_test_" + "A" * 43, address=visitor.address)
            with clock.standing_at(clock.now().replace(second=10, microsecond=0)):
                asked = [one.get("/ordres"), one.ask("PUT", "/orders"), one.get("/orders")]
                assert [answer.status_code for answer in asked] == [404, 405, 200]
                left = [answer.headers["RateLimit-Remaining"] for answer in asked]
                assert left == ["2", "1", "0"]
                refused = one.get("/ordres")
                assert (refused.status_code, error_of(refused)["code"]) == (429, "rate_limited")
                assert refused.headers["Retry-After"] == "50"
                assert other.get("/ordres").status_code == 404
                for asked_before in range(limits.PER_ADDRESS):
                    answer = (guesser if asked_before % 2 else visitor).get("/ordres")
                    assert answer.status_code == 404
                assert visitor.ask("PUT", "/orders").status_code == 429
                assert guesser.get("/ordres").status_code == 429
            db.session.remove()
            for engine in db.db.engines.values():
                engine.dispose()


def test_a_request_that_is_refused_before_anybody_is_asked_for_counts_too(app: Flask) -> None:
    visitor = nobody(app)
    visitor.address = an_address()
    with clock.standing_at(clock.now().replace(second=0)):
        for asked in range(limits.PER_ADDRESS):
            answer = visitor.get("/orders/a%00b")
            assert answer.status_code == 400
            assert answer.headers["RateLimit-Remaining"] == str(99 - asked)
        assert visitor.get("/orders/a%00b").status_code == 429


def test_where_nothing_is_stays_told_while_the_database_is_away(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = a_shop(app).program()

    def be_busy(*_args: object, **_named: object) -> None:
        raise db.NoConnectionFree

    monkeypatch.setattr("webapp.accounts.key_for", be_busy)
    answer = program.get("/ordres")
    assert (answer.status_code, error_of(answer)["code"]) == (404, "address_unknown")
    assert answer.headers["RateLimit-Limit"] == str(limits.PER_ADDRESS)


@pytest.mark.parametrize("headers", [{"Transfer-Encoding": "chunked"}, {}])
def test_a_form_of_no_told_length_is_no_empty_body(app: Flask, headers: dict[str, str]) -> None:
    program = a_shop(app).program()
    answer = program.ask(
        "POST",
        "/orders",
        input_stream=io.BytesIO(b"amount=100&currency=INR"),
        headers={"Content-Type": "application/x-www-form-urlencoded", **headers},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 415
    assert error_of(answer)["code"] == "body_not_json"


def test_a_version_that_never_was_is_refused(app: Flask) -> None:
    program = a_shop(app).program()
    for sent in ("2020-01-01", "newest", ""):
        answer = program.ask("GET", "/orders", headers={"Paydeck-Version": sent})
        assert error_of(answer)["code"] == "version_unknown"
    answer = program.ask("GET", "/orders", headers={"Paydeck-Version": "2026-11-01"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "address_unknown"),
        ("GET", "/orders/", 404, "address_unknown"),
        ("PUT", "/orders", 405, "method_not_allowed"),
        ("DELETE", "/openapi.json", 405, "method_not_allowed"),
        ("GET", "/orders/ord_nothing", 404, "order_not_found"),
        ("GET", "/orders/a%00b", 400, "invalid"),
    ],
)
def test_what_is_not_there_is_told_in_json_too(
    app: Flask, method: str, path: str, status: int, code: str
) -> None:
    answer = a_shop(app).program().ask(method, path, headers={"Accept": "text/html"})
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    if status == 405:
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "body_unreadable"),
        (b"[]", "application/json", 400, "body_unreadable"),
        (b'"text"', "application/json", 400, "body_unreadable"),
        (b"null", "application/json", 400, "body_unreadable"),
        (b'{"amount": NaN}', "application/json", 400, "body_unreadable"),
        (b'{"amount": 1, "amount": 2}', "application/json", 400, "body_unreadable"),
        (b'{"description": "a\\u0000b"}', "application/json", 400, "body_unreadable"),
        (b'{"description": "\\ud800"}', "application/json", 400, "body_unreadable"),
        (b"\xff\xfe", "application/json", 400, "body_unreadable"),
        (b"[" * 100_000, "application/json", 400, "body_unreadable"),
        (b'{"amount": ' + b"9" * 5_000 + b"}", "application/json", 400, "body_unreadable"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400, "body_unreadable"),
        (b"amount=1", "application/x-www-form-urlencoded", 415, "body_not_json"),
        (b"{}", "text/plain", 415, "body_not_json"),
        (b"{}", "", 415, "body_not_json"),
        (b'{"a": "' + b"x" * 262_144 + b'"}', "application/json", 413, "body_too_large"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    app: Flask, data: bytes, kind: str, status: int, code: str
) -> None:
    answer = a_shop(app).program().ask("POST", "/orders", data=data, content_type=kind)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("1e9999999999999999999999", "more than 400 places"),
        ("-1E-9999999999999999999999", "more than 400 places"),
        ("0e9999999999999999999999", "more than 400 places"),
        ("1.5e999999999", "more than 400 places"),
        ("1e-401", "more than 400 places"),
        ("1." + "0" * 500, "more than 400 places"),
        ("9" * 401, "more than 400 places"),
        ("9" * 5_000, "more than 400 places"),
        ("NaN", "NaN"),
        ("-Infinity", "Infinity"),
        ('{"b":' * 40 + "1" + "}" * 40, "too deeply"),
        ("[" * 100_000, None),
        ('"\\udfff"', "cannot be stored"),
        ('{"\\ud800": 1}', "cannot be stored"),
        ('{"b": 1, "b": 2}', "twice"),
    ],
)
@pytest.mark.parametrize("root", [False, True])
def test_a_value_that_no_computer_reads_is_refused_in_a_sentence_whoever_asks(
    app: Flask, value: str, says: str | None, *, root: bool
) -> None:
    path = "/api/payments/charge" if root else "/auth/tokens"
    data = f'{{"amount": {value}}}'
    asked = {"data": data, "content_type": "application/json", "root": root}
    answer = nobody(app).ask("POST", path, **asked)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "body_unreadable")
    assert says is None or says in error["message"]


@pytest.mark.parametrize("value", ["1e400", "1e-400", "0.5", "9" * 400, "0e1"])
def test_a_number_that_can_be_read_is_told_as_a_wrong_value_of_its_field(
    app: Flask, value: str
) -> None:
    data = f'{{"amount": {value}, "currency": "INR"}}'
    answer = (
        a_shop(app).program().ask("POST", "/orders", data=data, content_type="application/json")
    )
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["param"]) == (
        400,
        "parameter_invalid",
        "amount",
    )


def test_a_fault_of_ours_is_told_without_its_cause(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = a_shop(app).program()

    def break_down(*_args: object, **_named: object) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr("webapp.orders.orders_of", break_down)
    answer = program.get("/orders")
    assert (answer.status_code, error_of(answer)["code"]) == (500, "fault")
    assert "secret cause" not in answer.text


def test_a_database_that_is_busy_is_told_as_passing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = a_shop(app).program()

    def be_busy(*_args: object, **_named: object) -> None:
        raise db.NoConnectionFree

    monkeypatch.setattr("webapp.orders.orders_of", be_busy)
    answer = program.get("/orders")
    assert (answer.status_code, error_of(answer)["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.requirement("S2-03")
def test_an_address_without_a_key_asks_a_hundred_times_a_minute(app: Flask) -> None:
    """Whether it sends nothing or credentials that are none: guessing keys counts too."""
    minute = clock.now().replace(second=10, microsecond=0)
    visitor, other = nobody(app), nobody(app)
    visitor.address, other.address = an_address(), an_address()
    guesser = Program(visitor.client, "sk_test_" + "A" * 43, address=visitor.address)
    with clock.standing_at(minute):
        for asked in range(limits.PER_ADDRESS):
            answer = (guesser if asked % 2 else visitor).get("/orders")
            assert answer.status_code == 401
            assert answer.headers["RateLimit-Remaining"] == str(99 - asked)
        refused = visitor.get("/orders")
        assert (refused.status_code, error_of(refused)["code"]) == (429, "rate_limited")
        assert refused.headers["RateLimit-Limit"] == "100"
        assert refused.headers["RateLimit-Remaining"] == "0"
        assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"] == "50"
        assert other.get("/orders").status_code == 401
    with clock.standing_at(minute + dt.timedelta(seconds=limits.WINDOW_SECONDS)):
        assert visitor.get("/orders").status_code == 401


def test_a_key_has_a_limit_of_its_own_and_is_not_held_to_its_addresss(stores: Stores) -> None:
    with cloned(stores) as database:
        env = environment(stores, database) | {"API_RATE_PER_KEY": "3"}
        app = create_app(config.read(env), ROUTES)
        with app.app_context():
            shop = a_shop(app)
            one, other = shop.program(), shop.program()
            with clock.standing_at(clock.now().replace(second=0)):
                statuses = [one.get("/orders").status_code for _ in range(4)]
                assert statuses == [200, 200, 200, 429]
                assert other.get("/orders").status_code == 200
            db.session.remove()
            for engine in db.db.engines.values():
                engine.dispose()


def test_a_publishable_key_has_its_limit_for_each_address_that_sends_it(stores: Stores) -> None:
    with cloned(stores) as database:
        env = environment(stores, database) | {"API_RATE_PER_KEY": "2"}
        app = create_app(config.read(env), ROUTES)
        with app.app_context():
            one = a_shop(app).program(kind="publishable")
            other = Program(one.client, one.token, address=an_address())
            one.address = an_address()
            with clock.standing_at(clock.now().replace(second=0)):
                statuses = [one.get("/orders").status_code for _ in range(3)]
                assert statuses == [403, 403, 429]
                assert other.get("/orders").status_code == 403
            db.session.remove()
            for engine in db.db.engines.values():
                engine.dispose()


def test_addresses_of_one_ipv6_network_are_counted_together(app: Flask) -> None:
    """Whoever has one has more of them than there are requests."""
    visitor, other = nobody(app), nobody(app)
    with clock.standing_at(clock.now().replace(second=0)):
        for number in range(limits.PER_ADDRESS):
            visitor.address = f"2001:db8:17:{number % 200:x}::{number + 1:x}"
            assert visitor.get("/orders").status_code == 401
        visitor.address = "2001:db8:17:ff::1"
        assert visitor.get("/orders").status_code == 429
        other.address = "2001:db8:17:1ff::1"
        assert other.get("/orders").status_code == 401


def test_a_request_in_no_version_that_we_know_counts_too(app: Flask) -> None:
    visitor = nobody(app)
    visitor.address = an_address()
    asked = {"headers": {"Paydeck-Version": "1999-01-01"}}
    with clock.standing_at(clock.now().replace(second=0)):
        statuses = [
            visitor.ask("GET", "/orders", **asked).status_code
            for _ in range(limits.PER_ADDRESS + 1)
        ]
    assert statuses == [400] * limits.PER_ADDRESS + [429]


def test_without_valkey_requests_are_answered_and_counted_still(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = a_shop(app).program()
    visitor = nobody(app)
    visitor.address = an_address()
    monkeypatch.setattr(wake, "_client", [wake.connect("redis://127.0.0.1:1")])
    monkeypatch.setattr(cache, "_away_since", [])
    with clock.standing_at(clock.now().replace(second=0)):
        assert program.post("/orders", PRICE).status_code == 201
        answers = [visitor.get("/orders").status_code for _ in range(101)]
    assert answers == [401] * 100 + [429]


def test_pages_of_other_origins_may_call_what_a_publishable_key_opens_and_nothing_else(
    app: Flask,
) -> None:
    program = a_shop(app).program()
    page = {"Origin": "https://shop.example"}
    for operation in OPERATIONS.values():
        path = operation.address.replace("<string:", "").replace(">", "")
        for method in ("OPTIONS", operation.method):
            answer = program.ask(method, path, headers=page, root=True)
            is_open = answer.headers.get("Access-Control-Allow-Origin") == "*"
            shared = [one for one in OPERATIONS.values() if one.address == operation.address]
            assert is_open == any(cors.open_to_pages(one) for one in shared), operation.name
            assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_foreign_page_may_call_with_a_key_since_no_cookie_counts(app: Flask) -> None:
    program = a_shop(app).program()
    headers = {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}
    assert program.ask("POST", "/orders", json=PRICE, headers=headers).status_code == 201
