"""The board never hides what is late or old behind what is new, and counts what there is."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask, current_app

from tests.builders import (
    Someone,
    a_merchant,
    a_payment,
    an_admin,
    answered,
    browser_of,
    inr,
    succeeded,
)
from tests.checked_client import CheckedClient
from tests.corrections.test_corrections import acting, shifted
from tests.corrections.test_corrections import asked as correction_asked
from tests.dead_letters.piles import a_call, a_message, run
from tests.refunds.builders import asked
from tests.stories import behind, scalar
from tests.web.admin.test_desk import BOARD, html
from webapp import payments, refunds
from webapp.kernel import clock, db
from webapp.outbox import SYSTEM
from webapp.payments import Status
from webapp.web.admin import janitor_rows
from webapp.web.admin.janitor_rows import Row

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


def test_a_payment_that_lives_on_through_a_fresh_link_is_not_late(desk: CheckedClient) -> None:
    payment_id = a_payment(Status.AWAITING_METHOD)
    with db.scoped(behind()):
        order = payments.any_payment(payment_id).order
        shop = db.Scope(merchant_id=order.merchant_id, livemode=False)
    first = rows_of("payment")[payment_id].deadline
    assert first is not None
    with clock.standing_at(first - dt.timedelta(minutes=1)):
        with db.scoped(shop):
            payments.fresh_link(order.id)
        row = rows_of("payment")[payment_id]
        assert row.deadline is not None
        assert row.deadline > first
    with clock.standing_at(first + dt.timedelta(minutes=5)):
        assert not rows_of("payment")[payment_id].is_late


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


def rows_of(kind: str) -> dict[str, Row]:
    """Return what the board shows of a kind, by id."""
    with current_app.test_request_context(), db.scoped(db.ADMIN):
        rows, counts = janitor_rows.board(kind)
    assert counts[kind] == len(rows)
    return {row.id: row for row in rows}


def moved_at(anomaly_id: str) -> dt.datetime:
    """Return when money set aside moved the last time."""
    moved: dt.datetime = scalar("SELECT max(at) FROM move WHERE subject_id = :id", id=anomaly_id)
    return moved


def a_waiting_correction(asks: Someone) -> str:
    """Return the id of a correction that an admin asked for and nobody decided on."""
    merchant_id = a_merchant()
    payment_id = a_payment(Status.CAPTURED, merchant_id)
    booked = "SELECT id FROM transfer WHERE reference = :it"
    transfer_id = str(scalar(booked, it=f"payment.captured:{payment_id}"))
    return correction_asked(shifted(transfer_id, merchant_id), acting(asks)).id


def test_a_correction_that_waits_is_on_the_board_until_its_deadline(desk: CheckedClient) -> None:
    correction_id = a_waiting_correction(an_admin())
    for address in (BOARD, f"{BOARD}?kind=correction"):
        said = html(desk, address)
        assert f"/admin/corrections/{correction_id}" in said
        assert "It is withdrawn; nothing is booked." in said
    row = rows_of("correction")[correction_id]
    deadline = scalar("SELECT deadline_at FROM correction WHERE id = :id", id=correction_id)
    assert (row.owner, row.deadline, row.needs_person) == ("An admin", deadline, True)


def test_money_that_its_merchant_decides_about_becomes_an_admins_after_a_week(
    desk: CheckedClient,
) -> None:
    anomaly_id = money_aside()
    row = rows_of("money")[anomaly_id]
    assert (row.owner, row.next_check, row.is_late) == ("The merchant", None, False)
    assert row.deadline == moved_at(anomaly_id) + payments.DECIDE_WITHIN
    assert "An admin decides in the merchant’s place." in html(desk, f"{BOARD}?kind=money")
    with clock.standing_at(row.begun_at + payments.DECIDE_WITHIN + HOUR):
        row = rows_of("money")[anomaly_id]
        assert (row.owner, row.is_late) == ("An admin", True)


def test_money_on_its_way_back_waits_for_what_its_refund_waits_for(desk: CheckedClient) -> None:
    anomaly_id = money_aside()
    with db.scoped(behind()):
        refund = refunds.refund_set_aside(anomaly_id, by=SYSTEM)
        wanted = (refund.leaves_at, refund.deadline_at)
    row = rows_of("money")[anomaly_id]
    assert (row.owner, row.next_check, row.deadline) == ("Paydeck", *wanted)
    assert "It goes back to the shopper." in html(desk, f"{BOARD}?kind=money")


def test_money_nobody_asked_for_is_late_when_it_does_not_go_back_by_itself(
    desk: CheckedClient,
) -> None:
    payment_id = a_payment(Status.PROCESSING)
    answered(payment_id, succeeded(inr(2_000_00)))
    with db.scoped(behind()):
        anomaly_id = payments.anomalies_of_payment(payment_id)[-1].id
    row = rows_of("money")[anomaly_id]
    assert row.next_check == moved_at(anomaly_id)
    assert not row.is_late
    with clock.standing_at(row.begun_at + HOUR):
        assert rows_of("money")[anomaly_id].is_late
