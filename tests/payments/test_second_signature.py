"""Much money set aside is booked when two people want the same, as with refunds."""

from __future__ import annotations

import psycopg
import pytest
from flask import Flask

from tests.builders import (
    GUEST,
    a_link,
    a_merchant,
    an_order,
    answered,
    card_tried,
    inr,
    succeeded,
)
from tests.payments.test_decisions import as_shop, paid_too_little, settled
from tests.portal import Committed
from tests.refunds.builders import CLERK, a_member_of, an_approver
from tests.stories import behind, scalar
from webapp import orders, payments
from webapp.kernel import db
from webapp.outbox import Actor
from webapp.payments import Anomaly

MUCH = inr(60_000_00)


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    assert app
    return a_merchant()


def much(shop: str) -> Anomaly:
    """Have much come, and yet less than its order asks for."""
    order = an_order(shop, inr(70_000_00), email=GUEST)
    payment_id = card_tried(a_link(order))
    answered(payment_id, succeeded(MUCH))
    return now(payment_id)


def now(payment_id: str) -> Anomaly:
    with db.scoped(behind()):
        [found] = payments.anomalies_of_payment(payment_id)
        db.session.expunge(found)
        return found


def accept(anomaly: Anomaly, by: Actor) -> str:
    """Accept it at the merchant's counter; returns how it then stands."""
    with db.scoped(as_shop(anomaly)):
        return str(payments.accept_anomaly(anomaly.id, by=by).status)


def test_one_person_proposes_and_only_another_one_decides(shop: str) -> None:
    anomaly = much(shop)
    assert [accept(anomaly, CLERK) for _ in range(3)] == ["open", "open", "open"]
    assert settled(anomaly).status == "open"
    moves = "SELECT count(*) FROM move WHERE subject_id = :id"
    assert scalar(moves, id=anomaly.id) == 2, "opened, and proposed once"
    second = an_approver(shop)
    assert accept(anomaly, second) == "applying"
    found = settled(anomaly)
    assert (found.status, found.proposed_by, found.approved_by) == (
        "accepted",
        CLERK.id,
        second.id,
    )


def test_up_to_the_limit_one_person_is_enough(shop: str) -> None:
    anomaly = paid_too_little(shop)
    assert accept(anomaly, CLERK) == "applying"


def test_another_wish_is_a_new_proposal_and_no_second_signature(shop: str) -> None:
    anomaly, second = much(shop), an_approver(shop)
    other = an_order(shop, MUCH, email=GUEST)
    accept(anomaly, CLERK)
    with db.scoped(as_shop(anomaly)):
        assert payments.apply_to_order(anomaly.id, other.id, by=second).status == "open"
    found = now(anomaly.payment_id)
    assert (found.proposed_order_id, found.proposed_by) == (other.id, second.id)


def test_what_could_not_be_booked_begins_without_signatures_again(shop: str) -> None:
    anomaly = much(shop)
    accept(anomaly, CLERK)
    accept(anomaly, an_approver(shop))
    with db.scoped(behind()):
        order_id = payments.anomaly(anomaly.id).target_order_id or ""
    with db.scoped(as_shop(anomaly)):
        orders.cancel(order_id, by=CLERK)
    found = settled(anomaly)
    assert (found.status, found.proposed_by, found.approved_by) == ("open", None, None)


def test_the_database_takes_no_second_signature_of_whoever_may_not(committed: Committed) -> None:
    with committed.app.app_context():
        shop = a_merchant()
        anomaly = much(shop)
        accept(anomaly, CLERK)
        clerk = a_member_of(shop, "support")
    wanted = (
        "UPDATE anomaly SET status = 'applying', version = version + 1,"
        " target_order_id = proposed_order_id, approved_by = %s WHERE id = %s"
    )
    for who, code in ((clerk, "PD005"), (CLERK.id, "PD005")):
        with committed.connect("paydeck_worker") as worker, pytest.raises(psycopg.Error) as no:
            worker.execute(wanted, (who, anomaly.id))
        assert no.value.sqlstate == code
    unsigned = wanted.replace("approved_by = %s", "note = note")
    with committed.connect("paydeck_worker") as worker, pytest.raises(psycopg.Error) as no:
        worker.execute(unsigned.replace("note = note", "closed_at = NULL"), (anomaly.id,))
    assert no.value.sqlstate == "23514", "a check refuses it"
