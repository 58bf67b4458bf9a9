"""Small stories of deliveries leave nothing wrong, and find every bug that is planted."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from tests.simulation import deliveries
from tests.simulation.bugs_of_webhooks import BUGS, Patch

STORIES = int(os.environ.get("WEBHOOK_STORIES", "8"))
#: Within so many stories each planted bug is found.
ENOUGH = 6


@pytest.mark.parametrize("seed", range(STORIES))
def test_a_story_of_losses_and_deaths_leaves_nothing_wrong(app: Flask, seed: int) -> None:
    town = deliveries.play(seed)
    assert town.wrong == []
    assert town.counts["take"] > 0


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_found(
    app: Flask, bug: Callable[[Patch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bug(monkeypatch)
    assert any(_finds(seed) for seed in range(ENOUGH))


def test_every_planted_bug_says_what_it_does_wrong() -> None:
    assert len(BUGS) >= 5
    assert all((bug.__doc__ or "").strip().endswith(".") for bug in BUGS)


def _finds(seed: int) -> bool:
    """Whether a story goes wrong, or is stopped by a guard of the database."""
    try:
        return bool(deliveries.play(seed).wrong)
    except DBAPIError:
        return True
