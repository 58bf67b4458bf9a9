"""Letters: templates/emails/<name>.txt, whose first line is `Subject: …`, and <name>.html.

Values are escaped in the HTML twin; a name that is missing is an error, not a gap in the letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    select_autoescape,
)

from webapp.kernel import words

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
LONGEST_SUBJECT = 150
_SUBJECT = re.compile(r"Subject: *(?P<subject>[^\n]+)\n+(?P<text>.+)", re.DOTALL)
_NAME = re.compile(r"[a-z][a-z_]*")


class NoSuchLetter(LookupError):
    """There is no template of that name, or its text has no subject line: a fault of ours."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter ready to be sent; the subject is one line."""

    subject: str
    text: str
    html: str


def render(template: str, **facts: object) -> Letter:
    """Write the letter `template` with `facts`; raises NoSuchLetter, or what Jinja raises."""
    if not _NAME.fullmatch(template):
        raise NoSuchLetter(template)
    try:
        plain = _environment().get_template(f"emails/{template}.txt").render(facts)
        page = _environment().get_template(f"emails/{template}.html")
    except TemplateNotFound as missing:
        raise NoSuchLetter(template) from missing
    found = _SUBJECT.match(plain.lstrip())
    if found is None:
        raise NoSuchLetter(f"{template}: its text begins with no subject line")
    subject = " ".join(found["subject"].split())[:LONGEST_SUBJECT]
    return Letter(subject, found["text"].strip() + "\n", page.render(facts | {"subject": subject}))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": words.money_text,
        "money_short": words.money_short,
        "moment": words.moment_text,
    }
    return environment
