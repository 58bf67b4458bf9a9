"""Sealed data opens in its own place alone, keys can be changed, indexes and hashes are keyed."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kernel import crypto

OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
HERE = "payment:pii:pay_1"


@pytest.fixture(autouse=True)
def ring() -> Iterator[None]:
    """A key ring of the test's own; the process's is put back."""
    before = list(crypto._ring)  # noqa: SLF001 - the process has one, and no way to ask for it
    crypto.use(crypto.KeyRing((("k1", OLD),), OTHER))
    yield
    crypto._ring[:] = before  # noqa: SLF001 - as above


def flipped(sealed: str, place: int) -> str:
    """Return a sealed text with one bit of its body changed."""
    key_id, _, body = sealed.partition(".")
    raw = bytearray(base64.urlsafe_b64decode(body))
    raw[place] ^= 1
    return f"{key_id}.{base64.urlsafe_b64encode(bytes(raw)).decode()}"


@pytest.mark.requirement("S4-43")
@given(st.text())
def test_what_is_sealed_opens_again(plain: str) -> None:
    assert crypto.unseal(crypto.seal(plain, context=HERE), context=HERE) == plain


def test_sealing_twice_gives_two_texts_and_neither_shows_the_plain_one() -> None:
    one, other = (crypto.seal("meera@people.example", context=HERE) for _ in range(2))
    assert one != other
    assert "meera" not in one
    assert b"meera" not in base64.urlsafe_b64decode(one.partition(".")[2])


@pytest.mark.requirement("S4-42")
@pytest.mark.parametrize(
    "elsewhere",
    ["payment:pii:pay_2", "payment:amount:pay_1", "customer:pii:pay_1", "", "payment:pii:pay_1 "],
)
def test_a_value_copied_into_another_row_or_column_does_not_open(elsewhere: str) -> None:
    sealed = crypto.seal("x", context=HERE)
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(sealed, context=elsewhere)


@pytest.mark.parametrize("place", [0, 11, 12, 20, -1, -16])
def test_one_changed_bit_is_noticed(place: int) -> None:
    sealed = crypto.seal("1000 INR", context=HERE)
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(flipped(sealed, place), context=HERE)


@pytest.mark.parametrize(
    "sealed", ["", "k1", "k1.", "k1.AAAA", "k9.AAAA", ".AAAA", "k1.!!!!", "k1.é", "x" * 100]
)
def test_what_was_never_sealed_does_not_open(sealed: str) -> None:
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(sealed, context=HERE)


@pytest.mark.requirement("S4-43")
def test_keys_are_changed_without_losing_what_the_old_one_sealed() -> None:
    old = crypto.seal("x", context=HERE)
    crypto.use(crypto.KeyRing((("k2", NEW), ("k1", OLD)), OTHER))
    new = crypto.seal("x", context=HERE)
    assert (old[:3], new[:3]) == ("k1.", "k2.")
    assert crypto.unseal(old, context=HERE) == crypto.unseal(new, context=HERE) == "x"
    crypto.use(crypto.KeyRing((("k2", NEW),), OTHER))
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(old, context=HERE)


def test_another_key_of_the_same_name_opens_nothing() -> None:
    sealed = crypto.seal("x", context=HERE)
    crypto.use(crypto.KeyRing((("k1", NEW),), OTHER))
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(sealed, context=HERE)


@pytest.mark.parametrize("keys", [(), (("k1", b"short"),), (("k1", OLD), ("k2", b"x" * 33))])
def test_a_ring_has_keys_of_the_right_length(keys: tuple[tuple[str, bytes], ...]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        crypto.KeyRing(keys, OTHER)


def test_equal_values_are_found_by_purpose_and_key_and_not_read_back() -> None:
    index = crypto.blind_index("meera@people.example", purpose="email")
    assert index == crypto.blind_index("meera@people.example", purpose="email")
    assert index != crypto.blind_index("meera@people.example", purpose="phone")
    assert index != crypto.blind_index("asha@people.example", purpose="email")
    crypto.use(crypto.KeyRing((("k1", OLD),), NEW))
    assert index != crypto.blind_index("meera@people.example", purpose="email")


@pytest.mark.requirement("S4-42")
@given(st.lists(st.text(max_size=8), min_size=1, max_size=5), st.data())
def test_a_records_hash_knows_every_part_and_where_it_ends(
    parts: list[str], data: st.DataObject
) -> None:
    whole = crypto.record_hash(*parts)
    assert whole == crypto.record_hash(*parts)
    assert whole != crypto.record_hash(*parts, "")
    place = data.draw(st.integers(0, len(parts) - 1))
    changed = [*parts[:place], f"{parts[place]}x", *parts[place + 1 :]]
    assert whole != crypto.record_hash(*changed)


def test_parts_that_run_together_are_other_parts() -> None:
    assert crypto.record_hash("ab", "c") != crypto.record_hash("a", "bc")
    assert crypto.record_hash("1:a") != crypto.record_hash("1", "a")


def test_a_records_hash_is_keyed() -> None:
    before = crypto.record_hash("pay_1", 1000)
    crypto.use(crypto.KeyRing((("k1", OLD),), NEW))
    assert crypto.record_hash("pay_1", 1000) != before


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("meera.pillai@people.example", "m•••@people.example"),
        ("m@people.example", "m•••@people.example"),
        ("@people.example", "•••@people.example"),
        ("no address", "•••"),
        ("", "•••"),
    ],
)
def test_addresses_are_masked(address: str, masked: str) -> None:
    assert crypto.mask_email(address) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [("Meera Pillai", "M. P."), ("Meera", "M."), ("  asha   raman ", "a. r."), ("", "•••"),
     ("美咲", "美."), ("   ", "•••")],
)  # fmt: skip
def test_names_are_masked(name: str, masked: str) -> None:
    assert crypto.mask_name(name) == masked
