"""The documents keep up: every decision is in the index, every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.rules import ROOMS
from tests.architecture.source import ROOT, sources

DOCS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
DECISIONS = ROOT / "docs" / "decisions"
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
LARGE_ROOM = 1_500


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_every_link_in_a_document_leads_to_a_file(path: Path) -> None:
    linked = LINK.findall(path.read_text())
    assert [one for one in linked if not (path.parent / one).exists()] == []


def test_the_index_of_decisions_lists_each_by_its_own_title() -> None:
    index = (DECISIONS / "README.md").read_text()
    listed = {file: title for title, file in re.findall(r"\[([^\]]+)\]\(([\w-]+\.md)\)", index)}
    titles = {
        path.name: path.read_text().splitlines()[0].removeprefix("# ")
        for path in DECISIONS.glob("*.md")
        if path.name != "README.md"
    }
    assert listed == titles


def test_a_room_past_1500_lines_is_questioned_in_a_decision() -> None:
    sizes = {
        room: sum(len(source.text.splitlines()) for source in sources(f"webapp/{room}"))
        for room in ROOMS
    }
    asked = {room for room, lines in sizes.items() if lines > LARGE_ROOM}
    told = {re.sub(r"^the-|-stays-one-room$", "", path.stem) for path in DECISIONS.glob("*room.md")}
    assert asked <= told


@pytest.mark.requirement("S0-35")
def test_the_licence_is_mit_and_the_readme_says_so() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert licence.startswith("MIT License")
    assert "WITHOUT WARRANTY OF ANY KIND" in licence
    assert "MIT, see [LICENSE](LICENSE)" in (ROOT / "README.md").read_text()


def test_the_readme_opens_with_what_it_is_a_picture_and_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    opening = text[:1_500]
    assert opening.startswith("# Paydeck\n")
    assert re.search(r"!\[[^\]]{20,}\]\(docs/[\w-]+\.png\)", opening)
    assert "make run" in opening
    assert "make test" in opening


def test_every_rule_of_the_linter_that_is_off_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert 'select = ["ALL"]' in text
    off = re.findall(r'^ {4}"([A-Z]+\d+)",?[^\S\n]*(?:# (.*))?$', text, re.MULTILINE)
    inline = re.findall(r'^"[^"]+" = \["([A-Z]+\d+)"\] *(?:# (.*))?$', text, re.MULTILINE)
    assert len(off) > 20
    assert [rule for rule, reason in [*off, *inline] if len(reason.split()) < 2] == []
