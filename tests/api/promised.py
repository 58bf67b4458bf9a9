"""Whether an answer carries the headers that the document promises for it, and none beyond them."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from webapp.api import answer_headers, openapi
from webapp.api.routing import OPERATIONS

#: Every header that the document speaks of anywhere, in lower case.
SPOKEN_OF = frozenset(
    name.removesuffix("-At-Times").lower() for name in answer_headers.DESCRIBED
) - {"content-disposition"}
UNSIGNED = frozenset({"OPTIONS"})


def what_is_wrong(app: Flask, answer: TestResponse) -> list[str]:
    """Return in which ways the headers of an answer are not those that were promised."""
    if answer.request.method in UNSIGNED:
        return []
    promised = _promised(app, answer)
    if promised is None:
        return [f"{answer.status_code} is not in the document"]
    wrong = [
        f"{name} came unannounced"
        for name in SPOKEN_OF - {name.lower() for name in promised}
        if name in answer.headers
    ]
    for name, told in promised.items():
        values = answer.headers.getlist(name)
        if not values and told["required"]:
            wrong.append(f"{name} is missing")
        if len(values) > 1:
            wrong.append(f"{name} came {len(values)} times")
        wrong.extend(f"{name}: {value}" for value in values if not _fits(value, told["schema"]))
    return wrong


def _promised(app: Flask, answer: TestResponse) -> dict[str, Any] | None:
    """Return what is said of each header; where no operation is, of those that come everywhere."""
    request = answer.request
    try:
        endpoint, _ = app.url_map.bind("localhost").match(request.path, request.method)
    except HTTPException:
        endpoint = ""
    operation = OPERATIONS.get(endpoint)
    if operation is None:
        names: list[str] = list(answer_headers.EVERYWHERE)
        names += {401: ["WWW-Authenticate"], 429: ["Retry-After"]}.get(answer.status_code, [])
        return {name: answer_headers.DESCRIBED[name] for name in names}
    path = openapi.document()["paths"][openapi.path_of(operation)]
    told = path[operation.method.lower()]["responses"].get(str(answer.status_code))
    if told is None:
        return None
    return {name: _found(header) for name, header in _found(told)["headers"].items()}


def _found(told: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference into the document refers to."""
    if "$ref" not in told:
        return told
    place: dict[str, Any] = openapi.document()
    for name in told["$ref"].removeprefix("#/").split("/"):
        place = place[name]
    return place


def _fits(value: str, schema: dict[str, Any]) -> bool:
    """Whether a header's text is what is said of it, in the few words that are used for headers."""
    if schema["type"] == "integer":
        least, most = schema.get("minimum", 0), schema.get("maximum", 10**9)
        return value.isdecimal() and least <= int(value) <= most
    return (
        re.search(schema.get("pattern", "."), value) is not None
        and value in schema.get("enum", [value])
        and value == schema.get("const", value)
    )
