"""The names that machines use are never shown bare."""

from __future__ import annotations

import re

import pytest

from supervisor.settings import ROOT
from webapp.gateway.calls import Kind
from webapp.web.shared.names import WORDS, in_words


def test_every_call_to_the_provider_has_words_of_its_own() -> None:
    assert {str(kind) for kind in Kind} <= set(WORDS["call"])


def test_everybody_who_can_act_has_a_name_for_people() -> None:
    sources = [path for part in ("webapp", "jobs", "demo") for path in (ROOT / part).rglob("*.py")]
    kinds = {kind for one in sources for kind in re.findall(r'Actor\("(\w+)"', one.read_text())}
    assert {"api_key", "admin", "system"} <= kinds <= set(WORDS["actor"])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("user.signed_in", "Signed in"),
        ("refund.frozen_again", "Refund frozen again"),
        ("", ""),
    ],
)
def test_a_name_without_words_is_written_out_plainly(name: str, says: str) -> None:
    assert in_words(name, "act") == says


def test_all_words_begin_large_and_have_nothing_of_the_machine() -> None:
    for area, words in WORDS.items():
        for name, says in words.items():
            assert "_" not in says, name
            assert says[0].isupper() or area == "consumer", name
