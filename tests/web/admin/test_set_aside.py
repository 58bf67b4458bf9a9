"""A fact that a consumer could not take is shown to admins, who can have it told again."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from tests.accounts.people import make_admin, new_address, signed_in, somebody
from tests.checked_client import CheckedClient
from webapp import audit, outbox
from webapp.kernel import db, ids


@pytest.fixture
def admin(app: Flask, client: CheckedClient) -> CheckedClient:
    """An admin's browser."""
    email = new_address()
    make_admin(somebody(email))
    cookie = app.extensions["paydeck_settings"].session_cookie
    client.set_cookie(cookie, signed_in(email).session_token)
    return client


@pytest.fixture
def fact_id(app: Flask) -> str:
    """A fact that was set aside."""
    made = ids.new("fact")
    with db.transaction(db.WORKER) as session:
        session.execute(
            text(
                "INSERT INTO fact (id, name, subject_kind, subject_id, version, snapshot, because,"
                " actor_kind, at) VALUES (:id, 'test.happened', 'test', 'tst_1', 1, '{}', 'It did',"
                " 'system', clock_now())"
            ),
            {"id": made},
        )
        session.add(
            outbox.Due(
                fact_id=made,
                consumer="notify",
                due_at=outbox.NEVER,
                tries=8,
                last_error="KeyError: 'order'",
            )
        )
    return made


def test_a_healthy_system_speaks_of_nothing_set_aside(admin: CheckedClient) -> None:
    assert "Tell again" not in admin.get("/admin/health").get_data(as_text=True)


def test_what_was_set_aside_is_shown_with_its_fault_and_told_again(
    admin: CheckedClient, fact_id: str
) -> None:
    page = admin.get("/admin/health").get_data(as_text=True)
    assert "test.happened" in page
    assert "KeyError" in page
    form = {"consumer": "notify", "fact": fact_id, "csrf_token": csrf_of(page)}
    assert admin.post("/admin/health/tell-again", data=form).status_code == 303
    with db.scoped(db.ADMIN):
        assert outbox.set_aside() == []
        assert outbox.waiting_counts()["notify"] == 1
        (entry,) = audit.entries_about("fact", fact_id)
        assert entry.action == "fact.told_again"
    assert admin.post("/admin/health/tell-again", data=form).status_code == 404


def test_others_may_not(app: Flask, client: CheckedClient, fact_id: str) -> None:
    email = new_address()
    somebody(email)
    cookie = app.extensions["paydeck_settings"].session_cookie
    client.set_cookie(cookie, signed_in(email).session_token)
    page = client.get("/home").get_data(as_text=True)
    form = {"consumer": "notify", "fact": fact_id, "csrf_token": csrf_of(page)}
    assert client.post("/admin/health/tell-again", data=form).status_code == 404
    with db.scoped(db.ADMIN):
        assert [one.fact_id for one in outbox.set_aside()] == [fact_id]


def csrf_of(page: str) -> str:
    """Return the form token of a page."""
    return page.partition('name="csrf-token" content="')[2].partition('"')[0]
