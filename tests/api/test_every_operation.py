"""What every operation refuses and how it is described, tried along the table of operations."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from tests.api import promised
from tests.api.desk import a_shop, a_user
from tests.api.fuzzing import callers_of, main_role
from tests.builders import a_person, an_admin
from webapp import api
from webapp.api import answer_headers, openapi
from webapp.api.caller import MERCHANT_HEADER
from webapp.api.routing import Key

GAP = re.compile(r"<string:[a-z_]+>")


def test_the_document_is_valid_openapi() -> None:
    document = openapi.document()
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_operation_declares_its_errors_and_who_may() -> None:
    for operation in api.OPERATIONS.values():
        told = openapi.document()["paths"][openapi.path_of(operation)][operation.method.lower()]
        assert {"400", "401", "429", "500", "503"} <= told["responses"].keys(), operation.name
        for status, reference in told["responses"].items():
            if int(status) >= 400:
                name = reference["$ref"].rpartition("/")[2]
                answer = openapi.document()["components"]["responses"][name]
                (media,) = answer["content"].values()
                assert media["schema"]["$ref"].endswith("/Error"), operation.name
        is_open = operation.needs.anyone and operation.before is None
        assert bool(told["security"]) != is_open, operation.name
        assert ("Needs no credentials." in told["description"]) == is_open, operation.name


def test_what_an_operation_does_not_know_is_refused(app: Flask) -> None:
    shop = a_shop(app)
    member = a_user(app, shop.owner, **{MERCHANT_HEADER: shop.merchant_id})
    callers = callers_of(shop, a_user(app, a_person()), a_user(app, an_admin()), member)
    wrong: dict[str, tuple[object, ...]] = {}
    for operation in api.OPERATIONS.values():
        program = callers[main_role(operation)]
        path = GAP.sub("nothing", operation.address)
        body: dict[str, Any] = {"json": operation.body.EXAMPLE} if operation.body else {}
        answer = program.ask(operation.method, f"{path}?colour=red", root=True, **body)
        error = answer.get_json()["error"]
        if (error["code"], error["param"]) != ("parameter_unknown", "colour"):
            wrong[operation.name] = (answer.status_code, error["code"], error["param"])
        if operation.method != "GET":
            sent = {**(operation.body.EXAMPLE if operation.body else {}), "colour": "red"}
            answer = program.ask(operation.method, path, root=True, json=sent)
            error = answer.get_json()["error"]
            if (error["code"], error["param"]) != ("parameter_unknown", "colour"):
                wrong[f"{operation.name}, body"] = (answer.status_code, error["code"])
    assert wrong == {}


def test_a_filter_without_a_value_is_refused_and_never_taken_for_none(app: Flask) -> None:
    """A program whose variable is empty would be shown everybody's."""
    shop = a_shop(app)
    member = a_user(app, shop.owner, **{MERCHANT_HEADER: shop.merchant_id})
    callers = callers_of(shop, a_user(app, a_person()), a_user(app, an_admin()), member)
    tried = []
    for operation in api.OPERATIONS.values():
        fields = operation.query.model_fields if operation.query else {}
        needed = {one.alias or name for name, one in fields.items() if one.is_required()}
        for name, field in fields.items():
            sent = field.alias or name
            if sent.endswith("[]"):
                continue
            rest = "".join(f"&{one}=2026-01-01" for one in sorted(needed - {sent}))
            path = f"{GAP.sub('nothing', operation.address)}?{sent}={rest}"
            answer = callers[main_role(operation)].ask(operation.method, path, root=True)
            error = answer.get_json().get("error") or {}
            assert (answer.status_code, error.get("param")) == (400, sent), path
            tried.append((operation.name, sent))
    assert ("list_payments", "customer") in tried
    assert ("list_requests", "path") in tried
    for path, methods in openapi.document()["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            schema = parameter["schema"]
            if parameter["in"] == "query" and schema.get("type") == "string":
                assert schema.get("minLength") == 1 or "enum" in schema, (path, parameter["name"])


def test_answers_are_held_to_the_headers_that_the_document_promises(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer of every test here is; this says that it would be seen."""
    program, body = a_shop(app).program(), {"amount": 50_000, "currency": "INR"}
    made = program.post("/orders", body, **{"Idempotency-Key": "once"})
    again = program.post("/orders", body, **{"Idempotency-Key": "once"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == made.headers["Request-Id"]
    assert promised.what_is_wrong(app, again) == []
    told = answer_headers.DESCRIBED
    changes: list[tuple[str, str, object]] = [
        ("Idempotent-Replayed", "required", True),
        ("RateLimit-Limit", "schema", {"type": "integer", "maximum": 1}),
        ("Request-Id", "schema", {"type": "string", "pattern": "^ord_"}),
    ]
    for name, part, value in changes:
        with monkeypatch.context() as patch:
            patch.setitem(told[name], part, value)
            assert len(promised.what_is_wrong(app, made)) == 1, name
    made.headers.add("Retry-After", "1")
    del made.headers["Original-Request"]
    assert sorted(promised.what_is_wrong(app, made)) == [
        "Original-Request is missing",
        "retry-after came unannounced",
    ]


def test_a_deed_for_a_merchant_needs_its_key_everywhere(app: Flask) -> None:
    program = a_shop(app).program()
    needing = [one for one in api.OPERATIONS.values() if one.key is Key.REQUIRED]
    assert len(needing) > 5
    for operation in needing:
        if main_role(operation) != "secret" or operation.before is not None:
            continue
        answer = program.client.open(
            GAP.sub("nothing", operation.address),
            method=operation.method,
            json=operation.body.EXAMPLE if operation.body else None,
            headers={"Authorization": f"Bearer {program.token}"},
        )
        assert answer.get_json()["error"]["code"] == "key_missing", operation.name
