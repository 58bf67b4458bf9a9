"""Address rules compiled once a process: most tests make a portal of their own, all alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing.rules import Rule

Builder = Callable[..., tuple[str, str]]
_compile: Callable[[Rule, bool], Builder] = Rule._compile_builder  # noqa: SLF001 - wrapped below
_compiled: dict[tuple[object, ...], Builder] = {}


def remember() -> None:
    """Have the function that builds a rule's address made once, however many portals have the rule.

    It is made of the rule's text, its parts and its defaults alone: with some three hundred
    rules it was most of the time that a portal takes to be made.
    """

    def compiled(rule: Rule, append_unknown: bool = True) -> Builder:  # noqa: FBT001, FBT002 - theirs
        parts: Any = rule._trace  # noqa: SLF001 - what the function is made of
        made_of = (rule.rule, tuple(parts), repr(rule.defaults), append_unknown)
        if made_of not in _compiled:
            _compiled[made_of] = _compile(rule, append_unknown)
        return _compiled[made_of]

    Rule._compile_builder = compiled  # type: ignore[method-assign,assignment]  # noqa: SLF001
