"""What holds of every operation of the API: who may, how it is called, what is told of it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from flask import Flask

from webapp import accounts, api
from webapp.api import openapi
from webapp.api.caller import Needs
from webapp.api.routing import Key

PIECE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*|<string:[a-z_]+>")
#: What is answered without being an operation: the document itself.
BESIDES = {"api.openapi_json"}


def test_every_address_of_the_api_is_an_operation_that_says_who_may(portal: Flask) -> None:
    doors = tuple(f"{door.name}." for door in api.BLUEPRINTS)
    found = {
        rule.endpoint for rule in portal.url_map.iter_rules() if rule.endpoint.startswith(doors)
    }
    assert found - BESIDES == api.OPERATIONS.keys()
    assert [name for name, one in api.OPERATIONS.items() if one.needs == Needs()] == []


@pytest.mark.requirement("S2-111")
def test_there_are_more_than_sixty_operations_in_the_document() -> None:
    paths = openapi.document()["paths"]
    told = [(path, method) for path, methods in paths.items() for method in methods]
    assert len(told) == len(api.OPERATIONS) >= 60


def test_scopes_and_acts_are_known_ones() -> None:
    for operation in api.OPERATIONS.values():
        needs = operation.needs
        assert needs.scope is None or needs.scope in accounts.SCOPES, operation.name
        if needs.scope:
            act = "read" if operation.method == "GET" else "write"
            assert needs.scope.endswith(f":{act}"), operation.name


def test_addresses_are_kebab_case_and_do_not_end_in_a_stroke() -> None:
    for operation in api.OPERATIONS.values():
        pieces = operation.rule.strip("/").split("/")
        assert [one for one in pieces if not PIECE.fullmatch(one)] == [], operation.rule


def test_what_is_done_takes_a_key_and_what_is_read_takes_none() -> None:
    for operation in api.OPERATIONS.values():
        assert (operation.method == "GET") == (operation.key is Key.NONE) or (
            operation.needs.anyone or not operation.needs.scope
        ), operation.name


def test_models_that_differ_have_names_that_differ() -> None:
    models = {
        model
        for operation in api.OPERATIONS.values()
        for model in (operation.gives, operation.body)
        if model is not None
    }
    names = Counter(model.__name__ for model in models)
    assert [name for name, times in names.items() if times > 1] == []


def test_every_operation_is_told_with_examples_that_are_valid() -> None:
    for operation in api.OPERATIONS.values():
        told = openapi.document()["paths"][openapi.path_of(operation)][operation.method.lower()]
        assert told["summary"], operation.name
        assert told["description"], operation.name
        assert not told["summary"].endswith("."), operation.name
        example = operation.gives.EXAMPLE  # type: ignore[attr-defined]
        operation.gives.model_validate(example)
        if operation.body is not None:
            operation.body.model_validate(operation.body.EXAMPLE)
            assert operation.body.EXAMPLE
