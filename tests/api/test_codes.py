"""The catalogue of errors is complete, and each code and decline has its words on a page."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace

import pytest
from flask import Flask

import webapp
from tests.checked_client import CheckedClient
from webapp import payments
from webapp.api import catalogue

TYPES = {400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 503}


def every_module() -> None:
    for module in pkgutil.walk_packages(webapp.__path__, "webapp."):
        importlib.import_module(module.name)


def test_every_refusal_of_the_code_has_its_advice() -> None:
    every_module()
    codes = {kind.code for kind in catalogue.refusals()}
    assert len(codes) > 60
    assert sorted(codes - catalogue.ADVICE.keys()) == []


def test_no_advice_is_about_a_code_that_there_is_not() -> None:
    every_module()
    assert sorted(catalogue.ADVICE.keys() - catalogue.entries().keys()) == []


def test_every_code_is_told_in_sentences_with_a_status_that_is_one() -> None:
    for entry in catalogue.entries().values():
        assert entry.happened.endswith((".", "?")), entry.code
        assert entry.advice.endswith("."), entry.code
        assert entry.status in TYPES, entry.code


@pytest.mark.parametrize("code", ["refund_exceeds_available", "key_reused", "fault"])
def test_a_code_has_a_page_that_says_what_to_do(client: CheckedClient, code: str) -> None:
    page = client.page(f"/docs/errors/{code}")
    assert code in page.title
    assert catalogue.ADVICE[code].split(". ")[0] in page.text


def test_every_code_is_linked_from_one_page(client: CheckedClient) -> None:
    links = set(client.page("/docs/errors").links)
    assert {f"/docs/errors/{code}" for code in catalogue.entries()} <= links


def test_a_code_that_there_is_not_has_no_page(client: CheckedClient) -> None:
    client.page("/docs/errors/nothing", status=404)


def test_every_decline_is_told_for_shopper_and_merchant_with_whose_step_it_is(
    client: CheckedClient,
) -> None:
    page = client.page("/docs/declines")
    for advice in payments.CATALOGUE.values():
        assert advice.code in page.text
        assert advice.shopper_says in page.text
        assert advice.merchant_says in page.text


def test_the_explorer_only_reads_where_the_installation_is_live(
    app: Flask, client: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = "nothing that changes something can be sent from here."
    usual = client.page("/docs/api")
    assert "paste a test key" in usual.text
    assert says not in usual.text
    settings = app.extensions["paydeck_settings"]
    live = replace(settings, stripe_secret_key="sk_live_1")
    monkeypatch.setitem(app.extensions, "paydeck_settings", live)
    answer = client.get("/docs/api").get_data(as_text=True)
    assert "data-only-reads" in answer
    assert says in " ".join(answer.split())
    assert "paste a test key" not in answer
