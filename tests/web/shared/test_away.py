"""Pages while the database is away or busy: an answer that says so, and to come again."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.pool import QueuePool

from jobs.subscriptions import ROUTES
from tests.portal import Committed, dispose
from webapp import config
from webapp.app import create_app
from webapp.kernel import db

CHECKOUT = "/checkout/a-token-that-nobody-has-ever-been-given"
MOST_BESIDE = 10


def test_a_database_that_cannot_be_reached_is_answered_with_come_again(
    committed: Committed, tmp_path: Path
) -> None:
    settings: config.Settings = committed.app.extensions["paydeck_settings"]
    nowhere = f"postgresql+psycopg://paydeck_web@/paydeck?host={tmp_path}"
    app = create_app(replace(settings, database_url=nowhere), ROUTES)
    answer = app.test_client().get(CHECKOUT)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "Nothing is lost" in answer.text
    dispose(app)


@pytest.mark.requirement("S2-50")
def test_when_every_connection_is_in_use_a_page_says_to_come_again(committed: Committed) -> None:
    engine = db.db.engines[None]
    assert isinstance(engine.pool, QueuePool)
    with ExitStack() as held:
        for _ in range(engine.pool.size() + MOST_BESIDE):
            held.enter_context(engine.connect())
        answer = committed.app.test_client().get(CHECKOUT)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert committed.app.test_client().get(CHECKOUT).status_code == 404
