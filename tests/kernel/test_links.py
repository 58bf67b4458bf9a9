"""A signed link names what we signed, for the purpose for which we signed it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kernel import crypto, links
from webapp.kernel.errors import NotFound

PART = st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]), max_size=20)


@pytest.fixture(autouse=True)
def ring() -> Iterator[None]:
    """A key ring of the test's own; the process's is put back."""
    before = list(crypto._ring)  # noqa: SLF001 - the process has one, and no way to ask for it
    crypto.use(crypto.KeyRing((("k1", b"1" * 32),), b"2" * 32))
    yield
    crypto._ring[:] = before  # noqa: SLF001 - as above


@given(st.lists(PART, min_size=1, max_size=4))
def test_a_link_opens_to_its_parts_and_fits_into_an_address(parts: list[str]) -> None:
    link = links.signed("receipt", *parts)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", link)
    if any(parts):
        assert links.opened("receipt", link) == tuple(parts)


@given(st.text(max_size=60))
def test_what_we_did_not_sign_opens_nothing(link: str) -> None:
    with pytest.raises(NotFound):
        links.opened("receipt", link)


def test_every_changed_letter_is_noticed() -> None:
    link = links.signed("receipt", "mer_1", "test", "pay_1")
    for place, letter in enumerate(link):
        other = "A" if letter != "A" else "B"
        with pytest.raises(NotFound):
            links.opened("receipt", f"{link[:place]}{other}{link[place + 1 :]}")
    for cut in (link[:-1], link[1:], f"{link}A", f"A{link}", "", ".", link.replace(".", "")):
        with pytest.raises(NotFound):
            links.opened("receipt", cut)


def test_a_link_is_for_one_purpose_and_one_key() -> None:
    link = links.signed("receipt", "pay_1")
    with pytest.raises(NotFound):
        links.opened("invoice", link)
    crypto.use(crypto.KeyRing((("k1", b"1" * 32),), b"3" * 32))
    with pytest.raises(NotFound):
        links.opened("receipt", link)
