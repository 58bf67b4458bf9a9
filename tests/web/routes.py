"""Every address of the portal, from its own map, with ids that nobody has filled in."""

from __future__ import annotations

import re

from flask import Flask
from werkzeug.routing import Rule

#: Routes by which no browser of ours comes: files, and the provider's signed messages.
NOT_PAGES = frozenset({"static", "inbound.stripe", "receiver.receive"})
#: The door for programs, which has tests of its own.
PROGRAMS = ("api.", "api_root.")
GAP = re.compile(r"<[^>]+>")


def address_of(rule: Rule, *, filled: str = "nothing") -> str:
    """Return a rule's address with something in each of its gaps."""
    path, gaps = GAP.subn(filled, rule.rule)
    assert gaps == len(rule.arguments)
    return path


def rules(app: Flask, method: str) -> list[Rule]:
    """Return the portal's rules for a method, in the order of their addresses."""
    found = [
        rule
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or set())
        and rule.endpoint not in NOT_PAGES
        and not rule.endpoint.startswith(PROGRAMS)
    ]
    return sorted(found, key=lambda rule: rule.rule)
