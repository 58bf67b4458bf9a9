"""The wall of money checks: each a sentence, broken ones with their rows, and the switch."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.builders import Someone, an_admin, browser_of
from tests.checked_client import CheckedClient
from tests.invariants.world import damage, everything_once, looked
from tests.stories import scalar
from webapp import invariants, refunds
from webapp.invariants import INVARIANTS
from webapp.kernel import clock, db

WALL = "/admin/invariants"


@pytest.fixture
def root(app: Flask) -> Someone:
    """An admin."""
    return an_admin()


@pytest.fixture
def desk(app: Flask, root: Someone) -> CheckedClient:
    """The admin's browser."""
    return browser_of(app, root)


@pytest.fixture
def world(app: Flask) -> str:
    """A merchant to whom everything has happened once, every check made."""
    merchant_id = everything_once()
    with db.scoped(db.WORKER):
        invariants.run_due(seconds=60)
    return merchant_id


def test_every_check_is_a_sentence_and_green(world: str, desk: CheckedClient) -> None:
    page = desk.page(WALL)
    for invariant in INVARIANTS:
        assert invariant.holds in page.text
    assert f"All {len(INVARIANTS)} checks hold" in page.text
    assert "Broken" not in page.text
    assert page.text.count("Holds") >= len(INVARIANTS)


def test_a_broken_one_stands_first_with_the_row_and_a_way_to_the_object(
    world: str, desk: CheckedClient
) -> None:
    payment_id = str(scalar("SELECT min(id) FROM payment WHERE status = 'captured'"))
    damage(f"UPDATE payment SET fee_minor = fee_minor + 1 WHERE id = '{payment_id}'")
    looked("payment_is_booked")
    page = desk.page(WALL)
    assert f"1 of {len(INVARIANTS)} checks is broken" in page.text
    assert "A captured payment is not booked as it was taken" in page.text
    assert f"/admin/payments/{payment_id}" in page.links
    assert desk.page(f"/admin/payments/{payment_id}").title
    assert "1 money check is broken" in desk.page("/admin").text
    assert (
        f"/admin/payments/{payment_id}" in desk.get(f"{WALL}/now", headers={"X-Fragment": "1"}).text
    )


def test_checks_that_have_stopped_are_not_called_green(world: str, desk: CheckedClient) -> None:
    with clock.standing_at(clock.now() + dt.timedelta(minutes=11)):
        page = desk.page(WALL)
    assert "have not been made lately" in page.text
    assert "checks hold" not in page.text


def test_before_the_first_look_nothing_is_claimed(desk: CheckedClient) -> None:
    page = desk.page(WALL)
    assert "have not been made lately" in page.text
    assert "Holds" not in page.text


def test_an_admin_has_every_check_made_now(world: str, desk: CheckedClient) -> None:
    with db.scoped(db.WORKER):
        assert not invariants.is_due()
    assert desk.send(WALL, "/check").status_code == 303
    with db.scoped(db.WORKER):
        assert invariants.is_due()
    assert scalar("SELECT count(*) FROM audit_entry WHERE action = 'invariants.asked'") == 1


def test_refunds_are_frozen_and_let_go_with_a_reason_on_record(
    desk: CheckedClient, root: Someone
) -> None:
    sent = desk.send(WALL, "/freeze-refunds", because="The books differ from the bank.")
    assert sent.status_code == 303
    with db.scoped(db.ADMIN):
        stop = refunds.frozen()
        assert stop is not None
        assert (stop.because, stop.by_id) == ("The books differ from the bank.", root.id)
    assert "Refunds are frozen" in desk.page(WALL).text
    assert "The books differ from the bank." in desk.page("/admin").text
    assert desk.send(WALL, "/unfreeze-refunds").status_code == 303
    with db.scoped(db.ADMIN):
        assert refunds.frozen() is None
    assert "Refunds are frozen" not in desk.page(WALL).text


@pytest.mark.parametrize("because", ["  ", "x" * 301, "card 4242 4242 4242 4242 was stolen"])
def test_a_freeze_without_a_proper_reason_is_refused(desk: CheckedClient, because: str) -> None:
    answer = desk.send(WALL, "/freeze-refunds", because=because)
    assert answer.status_code == 400
    text = answer.get_data(as_text=True)
    is_card = "4242" in because
    assert ('id="because-error"' in text, f'value="{because}"' in text) == (not is_card,) * 2
    with db.scoped(db.ADMIN):
        assert refunds.frozen() is None
