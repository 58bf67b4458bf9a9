"""The look keeps its promises: icons that exist, nothing inline, contrast, a light checkout."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.checked_client import CheckedClient
from webapp.web.shared.pills import PILLS

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
LISTED = set((ROOT / "scripts" / "icons.txt").read_text().split())
# mail readers drop style sheets, so mails alone carry their style with them
MAILS = {TEMPLATES / "layouts" / "email.html", *(TEMPLATES / "emails").iterdir()}
PAGES = sorted(set(TEMPLATES.rglob("*.html")) - MAILS)
CHECKOUT_LIMIT = 15_000
CHECKOUT_PAGE = 2_500
TEXT_ON_GROUND = [
    (text, ground)
    for text in ("ink", "ink-2", "ink-3", "accent", "warn", "bad", "link")
    for ground in ("paper", "surface")
] + [
    ("ink", "sunken"),
    ("ink-2", "sunken"),
    ("ink-3", "sunken"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("accent-hover", "accent-tint"),
    ("warn", "warn-tint"),
    ("bad", "bad-tint"),
    ("bar-ink", "bar"),
    ("bar-ink-2", "bar"),
    ("bar-ink-2", "bar-active"),
]
MARKS = ["c1", "c2", "c3", "c4", "c5", "prev", "edge", "warn-mark"]


def relative(path: Path) -> str:
    return str(path.relative_to(TEMPLATES))


def luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def tokens(scheme: int) -> dict[str, str]:
    sheet = (STATIC / "css" / "paydeck.css").read_text()
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", sheet)
    return {name: pair[scheme] for name, *pair in found}


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_every_icon_a_template_names_is_in_the_sprite(path: Path) -> None:
    named = re.findall(r'icon\("([a-z0-9-]+)"', path.read_text())
    named += re.findall(r'icon(?:_name)?="([a-z0-9-]+)"', path.read_text())
    assert set(named) <= LISTED


def test_every_icon_of_a_status_is_in_the_sprite() -> None:
    assert {pill.icon for pills in PILLS.values() for pill in pills.values()} <= LISTED


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_no_template_styles_or_scripts_inline(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=", text)
    assert not re.search(r"\son[a-z]+=\"", text)
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)", text)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(scheme: int) -> None:
    colours = tokens(scheme)
    weak = {
        (text, ground): round(contrast(colours[text], colours[ground]), 2)
        for text, ground in TEXT_ON_GROUND
        if contrast(colours[text], colours[ground]) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_marks_stand_out_from_the_card_they_are_drawn_on(scheme: int) -> None:
    colours = tokens(scheme)
    weak = {
        mark: round(contrast(colours[mark], colours["surface"]), 2)
        for mark in MARKS
        if contrast(colours[mark], colours["surface"]) < 3
    }
    assert weak == {}


def test_the_checkout_needs_less_than_15_kb_compressed() -> None:
    files = ["css/paydeck.css", "js/parts.js", "js/checkout.js", "vendor/icons.svg"]
    sizes = {file: len(gzip.compress((STATIC / file).read_bytes())) for file in files}
    assert sum(sizes.values()) + CHECKOUT_PAGE < CHECKOUT_LIMIT, sizes


def test_the_parts_page_shows_every_part(client: CheckedClient) -> None:
    page = client.get("/_parts").get_data(as_text=True)
    parts = {"button-danger", "field-error", "money-box", "radio-card", "pill-warning", "timeline"}
    parts |= {"breakdown-total", "row-link", "empty", "skeleton", "tile-value", "chart-title"}
    parts |= {"banner-danger", "explainer", "dialog", "toast", "stepper", "countdown", "copyable"}
    parts |= {"diff", "json", "tabs", "pagination", "chips", "ribbon", "live-badge", "avatar"}
    assert {part for part in parts if f'"{part}' not in page and f" {part}" not in page} == set()
    assert "₹99,99,99,999.00" in re.sub(r"<[^>]+>", "", page)
