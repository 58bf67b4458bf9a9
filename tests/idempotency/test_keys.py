"""Keys and request hashes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp import idempotency
from webapp.kernel.errors import Conflict, Invalid

printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=255)


@given(printable)
def test_one_to_255_printable_ascii_characters_are_a_key(key: str) -> None:
    assert idempotency.check_key(key) == key


@pytest.mark.parametrize("key", ["", "a" * 256, "a\n", "\t", "ключ", "a\x00b", "a\x7f", "é", "💳"])
def test_anything_else_is_not(key: str) -> None:
    with pytest.raises(idempotency.KeyMalformed) as refused:
        idempotency.check_key(key)
    assert (refused.value.code, refused.value.param) == ("key_malformed", "Idempotency-Key")


def test_a_missing_key_is_told_apart_from_a_malformed_one() -> None:
    with pytest.raises(idempotency.KeyMissing) as refused:
        idempotency.check_key(None)
    assert refused.value.code == "key_missing"


def test_each_refusal_is_of_its_kind() -> None:
    assert issubclass(idempotency.KeyReused, Invalid)
    assert issubclass(idempotency.KeyInUse, Conflict)


@given(st.lists(st.binary(max_size=20), max_size=5), st.lists(st.binary(max_size=20), max_size=5))
def test_only_the_same_parts_hash_the_same(one: list[bytes], other: list[bytes]) -> None:
    same = idempotency.request_hash(*one) == idempotency.request_hash(*other)
    assert same == (one == other)


def test_text_hashes_as_its_bytes() -> None:
    assert idempotency.request_hash("POST", "₹") == idempotency.request_hash(b"POST", "₹".encode())
