"""The board never hides what is late or old behind what is new, and counts what there is."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.builders import a_payment, an_admin, answered, browser_of, inr, succeeded
from tests.checked_client import CheckedClient
from tests.dead_letters.piles import a_call, a_message, run
from tests.refunds.builders import asked
from tests.stories import behind
from tests.web.admin.test_desk import BOARD, html
from webapp import payments
from webapp.kernel import clock, db
from webapp.payments import Status
from webapp.web.admin import janitor_rows

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def desk(app: Flask) -> CheckedClient:
    """The admin's browser."""
    return browser_of(app, an_admin())


def money_aside() -> str:
    """Return the id of money that came and was too little for its order."""
    payment_id = a_payment(Status.PROCESSING)
    answered(payment_id, succeeded(inr(10_00)))
    with db.scoped(behind()):
        return payments.anomalies_of_payment(payment_id)[-1].id


def test_the_oldest_refund_and_money_are_never_cut_off_the_board_and_all_are_counted(
    desk: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(janitor_rows, "AT_MOST", 2)
    payment_id = a_payment(Status.CAPTURED)
    refund_ids = [asked(payment_id, inr(1_00)) for _ in range(4)]
    money_ids = [money_aside() for _ in range(4)]
    on_board = html(desk, f"{BOARD}?kind=refund")
    assert [one for one in refund_ids if one in on_board] == refund_ids[:2]
    assert "The 2 most urgent of 4." in on_board
    on_board = html(desk, f"{BOARD}?kind=money")
    assert [one for one in money_ids if one in on_board] == money_ids[:2]
    assert "The 2 most urgent of 4." in on_board
    assert "4 amounts are set aside" in html(desk, "/admin")


def test_a_check_that_is_late_comes_before_a_deadline_that_is_near(
    desk: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(janitor_rows, "AT_MOST", 1)
    near, late = a_payment(Status.PROCESSING), a_payment(Status.PROCESSING)
    now = clock.now()
    moments = "UPDATE payment SET check_at = :check, deadline_at = :deadline WHERE id = :id"
    run(moments, id=near, check=now + dt.timedelta(minutes=1), deadline=now + HOUR)
    run(moments, id=late, check=now - HOUR, deadline=now + 9 * HOUR)
    on_board = html(desk, f"{BOARD}?kind=payment")
    assert late in on_board
    assert near not in on_board


def test_what_waits_for_a_person_does_not_hide_what_is_late(
    desk: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(janitor_rows, "AT_MOST", 2)
    for _ in range(3):
        a_call()
        a_message()
    hour_ago = "clock_now() - interval '1 hour'"
    payment_id = a_payment(Status.PROCESSING)
    run(f"UPDATE provider_operation SET due_at = {hour_ago} WHERE subject_id = :i", i=payment_id)
    stuck = a_message()
    run(f"UPDATE provider_event SET due_at = {hour_ago} WHERE event_id = :id", id=stuck)
    assert payment_id in html(desk, f"{BOARD}?kind=call")
    assert stuck in html(desk, f"{BOARD}?kind=message")
