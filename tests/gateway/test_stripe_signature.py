"""Whose message it is: signed by the provider, with our secret, just now."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.signing import signature
from tests.provider_process import WEBHOOK_SECRET
from webapp.gateway.errors import BadSignature
from webapp.gateway.stripe_signature import check

NOW = 1_800_000_000
BODY = b'{"id": "evt_1", "amount": 1000}'
OTHER = "whsec_another-installation"


def accepts(body: bytes, header: str, *, secrets: tuple[str, ...] = (WEBHOOK_SECRET,)) -> bool:
    try:
        check(body, header, secrets=secrets, now=NOW)
    except BadSignature:
        return False
    return True


def test_a_message_signed_by_the_providers_own_library_is_taken() -> None:
    assert accepts(BODY, signature(BODY, at=NOW))


@pytest.mark.parametrize(
    ("seconds", "is_taken"), [(-301, False), (-300, True), (0, True), (60, True), (61, False)]
)
def test_a_message_is_taken_for_five_minutes_and_a_minute_ahead(
    seconds: int,
    is_taken: bool,  # noqa: FBT001 - the expectation of a table
) -> None:
    assert accepts(BODY, signature(BODY, at=NOW + seconds)) is is_taken


def test_another_secret_does_not_sign_for_us() -> None:
    assert not accepts(BODY, signature(BODY, secret=OTHER, at=NOW))


def test_while_a_secret_is_replaced_both_are_taken() -> None:
    assert accepts(BODY, signature(BODY, at=NOW), secrets=(OTHER, WEBHOOK_SECRET))


@pytest.mark.parametrize(
    "body",
    [BODY[:-1], BODY + b" ", BODY.replace(b"1000", b"9000"), BODY.replace(b": ", b":"), b""],
    ids=["truncated", "longer", "changed", "written anew", "empty"],
)
def test_other_bytes_than_were_signed_are_refused(body: bytes) -> None:
    assert not accepts(body, signature(BODY, at=NOW))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        f"t={NOW}",
        "v1=00",
        f"t={NOW},v0=00",
        f"t=-{NOW},v1=00",
        f"t={NOW}.5,v1=00",
        "t=१८००००००००,v1=00",
        f"t={NOW},v1={'0' * 64}",
        f"t={NOW},v1=é",
    ],
)
def test_a_header_that_is_none_is_refused(header: str) -> None:
    assert not accepts(BODY, header)


def test_a_signature_does_not_serve_for_another_moment() -> None:
    _, _, code = signature(BODY, at=NOW - 400).partition(",")
    assert not accepts(BODY, f"t={NOW},{code}")
    assert not accepts(BODY, f"t={NOW},t={NOW - 400},{code}")


@given(st.text(max_size=3000))
def test_no_header_whatever_does_anything_but_be_refused(header: str) -> None:
    assert not accepts(BODY, header)
