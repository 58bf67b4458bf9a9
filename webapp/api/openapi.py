"""The OpenAPI 3.1 document, generated from the table of operations when it is first asked for.

flask-openapi3 is imported only then: no process pays for a document that nobody reads.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from functools import cache
from typing import Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from webapp.api import answer_headers, versions
from webapp.api.caller import MERCHANT_HEADER
from webapp.api.models import Error
from webapp.api.routing import OPERATIONS, Key, Operation, blueprint

TITLE = "Paydeck API"
#: Stands in each form of the explorer, which sends a fresh key in its place.
KEY_EXAMPLE = "a-key-of-your-own"
DESCRIPTION = """\
Orders, payments, refunds, wallets and everything about them. Amounts are whole minor units.
Send `Authorization: Bearer` with an API key (made on the developers’ pages, or by this API) or
with an access token of a person. Every answer carries `Request-Id`; every refusal has one shape
and a page that says what to do. What is sent with an `Idempotency-Key` happens once.
"""
SECURITY = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A secret or publishable API key: sk_test_…, pk_test_…",
    },
    "person": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of a person, from POST /api/v1/auth/tokens; 60 minutes.",
    },
}
ALWAYS = (400, 401, 403, 429, 500, 503)
MEANINGS = {
    400: "Something in the request is wrong; param says what.",
    401: "Nobody was named, or with a key or token that does not work.",
    402: "Refused by a bank, a limit or a balance; no money has moved.",
    403: "The caller is known and may not do this.",
    404: "There is no such object, or it is somebody else’s.",
    408: "The body did not come completely within 10 seconds.",
    409: "The object is not in a state in which this is possible, or the same key is running.",
    413: "The body is larger than 256 KB.",
    415: "The body is not JSON.",
    422: "The Idempotency-Key was used before with another request.",
    429: "Too many requests in this minute; Retry-After says when to go on.",
    500: "A fault on our side; nothing was changed.",
    503: "Not available at the moment; Retry-After says when to ask again.",
}
_GAP = re.compile(r"<(?:\w+:)?(\w+)>")


def path_of(operation: Operation) -> str:
    """Return an operation's address as the document writes it: `/api/v1/orders/{order_id}`."""
    return _GAP.sub(lambda gap: f"{{{gap[1]}}}", operation.address)


@cache
def document() -> dict[str, Any]:
    """Return the whole document, generated once a process."""
    library = importlib.import_module("flask_openapi3")
    app = library.OpenAPI(
        "paydeck-openapi",
        info=library.Info(title=TITLE, version=versions.NEWEST, description=DESCRIPTION),
        security_schemes=SECURITY,
        doc_ui=False,
    )
    door = library.APIBlueprint("api", "paydeck-openapi")
    for operation in OPERATIONS.values():
        declare = getattr(door, operation.method.lower())
        declare(
            operation.address,
            tags=[library.Tag(name=operation.tag)],
            operation_id=operation.name,
            security=_security(operation),
            responses={operation.status: _given(operation)},
        )(_stand_in(operation))
    app.register_api(door)
    made: dict[str, Any] = json.loads(json.dumps(app.api_doc))
    return _finished(made)


@blueprint.get("/openapi.json")
def openapi_json() -> Response:
    """Return the document to whoever asks."""
    return Response(_text(), mimetype="application/json")


@cache
def _text() -> str:
    return json.dumps(document(), ensure_ascii=False, separators=(",", ":"))


def _stand_in(operation: Operation) -> Any:
    """Return a view that is never called, annotated as the library reads views."""

    def view() -> None:
        """Stand for the real one."""

    told = inspect.getdoc(operation.view) or ""
    view.__name__ = operation.name
    view.__doc__ = told
    parts = {"header": _headers(operation), "query": operation.query, "body": operation.body}
    if gaps := _GAP.findall(operation.rule):
        fields: dict[str, Any] = {name: (str, Field(max_length=64)) for name in gaps}
        parts["path"] = create_model("Path", **fields)
    view.__annotations__ = {name: model for name, model in parts.items() if model is not None}
    return view


def _headers(operation: Operation) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "version": (
            str | None,
            Field(
                None,
                alias=versions.HEADER,
                description="The dated version to answer in; usually the key’s own.",
                json_schema_extra={"enum": list(versions.VERSIONS)},
            ),
        )
    }
    if operation.needs.scope:
        says = "For which merchant a person asks; keys leave it out."
        fields["merchant"] = (str | None, Field(None, alias=MERCHANT_HEADER, description=says))
    if operation.key is not Key.NONE:
        must = operation.key is Key.REQUIRED
        told = Field(
            *(() if must else (None,)),
            alias="Idempotency-Key",
            description="1 to 255 printable ASCII characters of your own; sent again, it answers"
            " as it did the first time. Kept 72 hours.",
            min_length=1,
            max_length=255,
            pattern=r"^[\x20-\x7e]+$",
            json_schema_extra={"example": KEY_EXAMPLE},
        )
        fields["key"] = (str if must else str | None, told)
    return create_model("Headers", __config__=ConfigDict(populate_by_name=False), **fields)


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    needs = operation.needs
    if needs.anyone:
        return [{"key": []}, {}] if operation.before is not None else []
    schemes: list[dict[str, list[str]]] = []
    if needs.scope:
        schemes.append({"key": []})
    return [*schemes, {"person": []}]


def _given(operation: Operation) -> type[BaseModel]:
    if not operation.is_list:
        return operation.gives
    return create_model(
        f"{operation.gives.__name__}List",
        object=(str, Field(json_schema_extra={"const": "list"})),
        data=(list[operation.gives], ...),  # type: ignore[name-defined]
        has_more=(bool, ...),
        url=(str, ...),
    )


def _finished(made: dict[str, Any]) -> dict[str, Any]:
    schemas = made["components"]["schemas"]
    for name in [name for name in schemas if name.startswith("ValidationError")]:
        del schemas[name]
    told = Error.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= told.pop("$defs") | {"Error": told}
    for schema in schemas.values():
        schema.pop("$defs", None)
    made["components"]["headers"] = answer_headers.DESCRIBED
    made["components"]["responses"] = {
        _name_of_refusal(status, is_kept=is_kept): _refusal(status, is_kept=is_kept)
        for status, is_kept in sorted(
            {
                (status, answer_headers.may_be_kept(operation, status))
                for operation in OPERATIONS.values()
                for status in refusals_of(operation)
            }
        )
    }
    for operation in OPERATIONS.values():
        _describe(made["paths"][path_of(operation)][operation.method.lower()], operation)
    return made


def _describe(entry: dict[str, Any], operation: Operation) -> None:
    told = inspect.getdoc(operation.view) or ""
    summary, _, description = told.partition("\n\n")
    entry["summary"] = summary.removesuffix(".")
    entry["description"] = " ".join(description.split()) + _who_may(operation)
    for parameter in entry.get("parameters", []):
        parameter["schema"] = _plain(parameter["schema"])
        if parameter["in"] == "query" and parameter["schema"].get("type") == "string":
            parameter["schema"].setdefault("minLength", 1)
    if operation.body is not None:
        sent = entry["requestBody"]
        sent["required"] = any(one.is_required() for one in operation.body.model_fields.values())
        sent["content"]["application/json"]["example"] = operation.body.EXAMPLE
    given = entry["responses"].pop(str(operation.status))
    given["description"] = "As asked."
    if operation.media == "application/json":
        given["content"]["application/json"]["example"] = example_of(operation)
    else:
        given["content"] = {operation.media: {"schema": {"type": "string"}}}
    given["headers"] = answer_headers.of_success(operation)
    entry["responses"] = {str(operation.status): given} | {
        str(status): _refusal_at(operation, status) for status in sorted(refusals_of(operation))
    }
    entry["security"] = _security(operation)


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema without null: what an address leaves out is not there."""
    kept = {name: value for name, value in schema.items() if name not in {"title", "anyOf"}}
    for choice in schema.get("anyOf", []):
        if choice != {"type": "null"}:
            kept = choice | kept
    if kept.get("default", 0) is None:
        del kept["default"]
    return kept


def example_of(operation: Operation) -> object:
    """Return an answer as an operation gives it."""
    one: object = getattr(operation.gives, "EXAMPLE", None)
    if not operation.is_list:
        return one
    return {"object": "list", "data": [one], "has_more": False, "url": operation.address}


def refusals_of(operation: Operation) -> set[int]:
    """Return the statuses with which an operation may refuse."""
    found = set(ALWAYS)
    if not operation.needs.anyone or operation.before is not None:
        found.add(403)
    if "<" in operation.rule or operation.body is not None:
        found.add(404)
    if operation.method != "GET":
        found |= {402, 408, 409, 413, 415}
    if operation.key is not Key.NONE:
        found.add(422)
    return found


def _name_of_refusal(status: int, *, is_kept: bool) -> str:
    return f"Refusal{status}{'Kept' if is_kept else ''}"


def _refusal_at(operation: Operation, status: int) -> dict[str, str]:
    is_kept = answer_headers.may_be_kept(operation, status)
    return {"$ref": f"#/components/responses/{_name_of_refusal(status, is_kept=is_kept)}"}


def _refusal(status: int, *, is_kept: bool) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {
        "description": MEANINGS[status],
        "headers": answer_headers.of_refusal(status, is_kept=is_kept),
        "content": {"application/json": {"schema": schema}},
    }


def _who_may(operation: Operation) -> str:
    """Return who may call; one that anyone may and that looks itself says so in its own words."""
    needs = operation.needs
    if needs.anyone:
        return " Needs no credentials." if operation.before is None else ""
    if needs.admin:
        return " For admins."
    keys = f" Keys need the scope `{needs.scope}`." if needs.scope else ""
    return keys + (" People ask for themselves." if needs.person else "")
