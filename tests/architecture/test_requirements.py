"""Requirements: the marks are known numbers, and what the roadmap calls proven has a test."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from tests.architecture.source import ROOT, sources

KNOWN = re.compile(r"S[0-4]-\d{2,3}[a-g]?")
LISTED = re.compile(r"S[0-4]-\d{2,3}[a-g]?(?: to S[0-4]-\d{2,3})?")
LAST = {"S0": 35, "S1": 21, "S2": 123, "S3": 19, "S4": 108}
ROADMAP = ROOT / "docs" / "roadmap.md"


def marks() -> dict[str, list[str]]:
    """Return for each requirement the tests that carry its number, by file and line."""
    found = defaultdict(list)
    for source in sources("tests", "e2e"):
        for node in source.nodes:
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
                for word in node.args:
                    found[str(ast.literal_eval(word))].append(f"{source.name}:{node.lineno}")
    return found


def section(title: str) -> set[str]:
    """Return the numbers in one section of the roadmap, ranges written out."""
    text = ROADMAP.read_text()
    assert f"## {title}\n" in text, f"the roadmap has no section {title!r}"
    body = text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return {number for one in LISTED.findall(body) for number in written_out(one)}


def written_out(words: str) -> list[str]:
    """Return `S2-01 to S2-03` as its three numbers, and any other as itself."""
    first, _, last = words.partition(" to ")
    if not last:
        return [first]
    source, low = first.split("-")
    other, high = last.split("-")
    assert source == other, f"a range stays in one source: {words}"
    return [f"{source}-{number:02d}" for number in range(int(low), int(high) + 1)]


def test_a_range_is_written_out() -> None:
    assert written_out("S2-09 to S2-11") == ["S2-09", "S2-10", "S2-11"]
    assert written_out("S4-32e") == ["S4-32e"]


def test_every_mark_is_a_number_that_there_is() -> None:
    assert len(marks()) > 50
    wrong = {
        number: places
        for number, places in marks().items()
        if not KNOWN.fullmatch(number) or int(re.findall(r"\d+", number)[1]) > LAST[number[:2]]
    }
    assert wrong == {}


def test_what_the_roadmap_calls_proven_has_a_test() -> None:
    claimed = section("Proven requirements")
    assert claimed
    missing = sorted(claimed - marks().keys())
    assert missing == [], f"no test carries {', '.join(missing)}"


def test_nothing_is_both_proven_and_not() -> None:
    assert section("Not proven yet") & section("Proven requirements") == set()
