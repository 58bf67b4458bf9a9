"""What holds of every template: it is used, exists, escapes, is short, and its forms are ours."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.architecture.source import ROOT, sources
from webapp.notifications import letters

PORTAL = ROOT / "templates"
SANDBOX = ROOT / "sandbox" / "templates"
TEMPLATES = sorted([*PORTAL.rglob("*.*"), *SANDBOX.rglob("*.*")])
LONGEST = 150
NAMED = re.compile(r"\{%-?\s*(?:extends|include|from|import)\s+\"([\w/-]+\.\w+)\"")
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
POSTING = re.compile(r"method=\"post\"", re.IGNORECASE)
TRUSTING = re.compile(r"\|\s*safe\b|\bautoescape\s+false|Markup\(")
INLINE = re.compile(r"\sstyle=|\son[a-z]+=\"|<style|<script(?![^>]*\bsrc=)")
ADDRESS = re.compile(r"url_for\(\s*['\"]([\w.]+)['\"]")
ASSET = re.compile(r"asset\(['\"]((?!vendor/)[\w/.-]+)['\"]\)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def words(*roots: str) -> Iterator[str]:
    """Give every string that the code names, those put together with a prefix included."""
    for source in sources(*roots):
        for node in source.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def asked_for() -> set[Path]:
    """Return the templates that code and other templates name."""
    found = {PORTAL / word for word in words("webapp") if word.endswith((".html", ".txt"))}
    found |= {PORTAL / "account" / word for word in words("webapp/web/account") if "." in word}
    found |= {SANDBOX / word for word in words("sandbox") if word.endswith(".html")}
    letter = {word for word in words("webapp") if re.fullmatch(r"[a-z]+(_[a-z]+)*", word)}
    found |= {path for path in (PORTAL / "emails").iterdir() if path.stem in letter}
    for path in TEMPLATES:
        home = SANDBOX if path.is_relative_to(SANDBOX) else PORTAL
        found |= {home / one for one in NAMED.findall(path.read_text())}
    return found | set((PORTAL / "components" / "samples").iterdir())


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_is_short_escapes_and_fakes_nothing(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST
    assert TRUSTING.findall(text) == []


@pytest.mark.parametrize("path", sorted(PORTAL.rglob("*.html")), ids=name)
def test_every_form_that_is_posted_carries_its_token(path: Path) -> None:
    forms = FORM.findall(path.read_text())
    posted = [form for form in forms if POSTING.search(form.split(">", 1)[0])]
    assert [form.split("\n")[0] for form in posted if 'name="csrf_token"' not in form] == []
    assert [form for form in posted if 'value="{{ csrf_token() }}"' not in form] == []


@pytest.mark.parametrize("path", sorted(SANDBOX.iterdir()), ids=name)
def test_no_page_of_the_provider_styles_or_scripts_inline(path: Path) -> None:
    assert INLINE.findall(path.read_text()) == []


def test_every_template_is_used() -> None:
    assert [name(path) for path in TEMPLATES if path not in asked_for()] == []


def test_every_template_that_is_named_is_there() -> None:
    folders = "|".join(sorted(path.name for path in PORTAL.iterdir()))
    named = {word for word in words("webapp") if re.fullmatch(rf"({folders})/.+\.\w+", word)}
    for path in TEMPLATES:
        if path.is_relative_to(PORTAL):
            named |= set(NAMED.findall(path.read_text()))
    assert len(named) > 60
    assert [one for one in sorted(named) if not (PORTAL / one).is_file()] == []


def test_every_letter_that_is_sent_has_its_two_forms() -> None:
    stems = {path.stem for path in (PORTAL / "emails").iterdir()}
    assert [stem for stem in stems if not (PORTAL / "emails" / f"{stem}.txt").is_file()] == []
    assert [stem for stem in stems if not (PORTAL / "emails" / f"{stem}.html").is_file()] == []
    assert letters.TEMPLATES == PORTAL


def test_every_address_that_a_template_or_a_view_asks_for_exists(portal: Flask) -> None:
    asked: dict[str, str] = {}
    for path in PORTAL.rglob("*.html"):
        asked |= dict.fromkeys(ADDRESS.findall(path.read_text()), name(path))
    for source in sources("webapp/web"):
        asked |= dict.fromkeys(ADDRESS.findall(source.text), source.name)
    assert len(asked) > 40
    unknown = {one: place for one, place in asked.items() if one not in portal.view_functions}
    assert unknown == {}


def test_every_static_file_that_a_template_links_exists() -> None:
    linked = {one for path in PORTAL.rglob("*.html") for one in ASSET.findall(path.read_text())}
    assert linked
    assert [one for one in sorted(linked) if not (ROOT / "static" / one).is_file()] == []
