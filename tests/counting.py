"""Counting the statements that a piece of work sends to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def statements() -> Iterator[list[str]]:
    """Give a list that fills with every statement sent inside the block.

    COMMITs are not in it, nor the one that sets the tests' clock.
    """
    sent: list[str] = []

    def note(*facts: Any) -> None:
        statement = " ".join(str(facts[2]).split())
        if "app.fake_now" not in statement:
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)
