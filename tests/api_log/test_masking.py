"""What is kept of bodies and queries: readable, and without what nobody may read again."""

from __future__ import annotations

import json

import pytest

from webapp.api_log import HIDDEN, masked_body, masked_query

SECRETS = {
    "token": "sk_test_8d7f6a5b4c3d2e1f0a9b",
    "password": "Kettle-Harbour-42",
    "client_secret": "cs_1",
    "cvc": "737",
    "CVV2": "999",
    "card_number": "4242424242424242",
    "number": "4242 4242 4242 4242",
    "email": "asha@people.example",
    "name": "Asha Raman",
    "note": "card 4242-4242-4242-4242, please",
    "refresh_token": "abc",
    "signature": "v1,abc",
    "checkout": "Zt5nq0vJ8mXw2bY7cR4dK1sP6gH9fL3aEuViOoTyQx0",
    "vpa": "asha@upi",
}


def test_no_secret_card_number_or_personal_data_is_kept() -> None:
    kept = masked_body(json.dumps({"card": SECRETS, "list": [SECRETS]}).encode())
    for value in SECRETS.values():
        assert value not in kept
    assert "4242" not in kept


def test_a_card_number_written_as_a_number_or_as_a_name_is_not_kept() -> None:
    kept = masked_body(b'{"reference": 4242424242424242, "4242424242424242": 1}')
    assert "4242424242424242" not in kept


def test_what_is_no_secret_stays_as_it_was() -> None:
    body = {"amount": 50_000, "currency": "INR", "metadata": {"basket": "7"}, "email": None}
    assert json.loads(masked_body(json.dumps(body).encode())) == body


def test_a_long_body_is_cut_and_another_is_told_by_its_size() -> None:
    long = masked_body(json.dumps({"description": "चाय " * 5_000}).encode())
    assert len(long.encode()) <= 8_192
    assert long.endswith("cut")
    assert masked_body(b"\xff\xfe<xml>") == "(7 bytes that are not JSON)"
    assert masked_body(b'{"data": "' + b"x" * 65_526) == "(longer than 64 KB)"
    assert masked_body(b"") == ""
    assert "\x00" not in masked_body(b'{"a": "x\\u0000y"}')


@pytest.mark.parametrize("depth", [39, 60, 5_000, 200_000])
def test_what_is_nested_too_deeply_ends_in_no_fault(depth: int) -> None:
    kept = masked_body(b"[" * depth + b'"4242424242424242"' + b"]" * depth)
    assert "4242424242424242" not in kept


def test_a_query_keeps_its_shape_and_loses_its_secrets() -> None:
    kept = masked_query("created[gte]=5&email=asha@people.example&q=4242424242424242&token=x%00")
    assert kept.startswith("created[gte]=5&")
    for hidden in ("asha", "4242", "%00", "token=x"):
        assert hidden not in kept
    assert HIDDEN in kept
