"""Admins look at refunds and approve them, and decide what becomes of money set aside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.builders import (
    GUEST,
    SHOPPER,
    Someone,
    a_link,
    a_merchant,
    a_payment,
    an_admin,
    an_order,
    answered,
    browser_of,
    card_tried,
    declined,
    inr,
    succeeded,
)
from tests.checked_client import CheckedClient
from tests.refunds.builders import a_paid_payment, asked, paid_out, released, told
from tests.stories import scalar
from webapp import payments, refunds
from webapp.gateway import Outcome, Result
from webapp.kernel import db, ids
from webapp.outbox import Actor
from webapp.payments import Status
from webapp.refunds import Limits

LIST = "/admin/refunds"
ASIDE = "/admin/anomalies"


@pytest.fixture
def root(app: Flask) -> Someone:
    """An admin."""
    assert app
    return an_admin()


@pytest.fixture
def desk(app: Flask, root: Someone) -> CheckedClient:
    """The admin's browser."""
    return browser_of(app, root)


@pytest.fixture
def low_limit() -> Iterator[None]:
    """Have every refund wait for a second person."""
    kept = refunds.limits()
    refunds.use(Limits(undo=kept.undo, approval={"INR": 0}))
    yield
    refunds.use(kept)


def status_of(refund_id: str) -> str:
    return str(scalar("SELECT status FROM refund WHERE id = :id", id=refund_id))


def anomaly_status(anomaly_id: str) -> str:
    return str(scalar("SELECT status FROM anomaly WHERE id = :id", id=anomaly_id))


def audited(action: str, subject_id: str) -> int:
    counted = scalar(
        "SELECT count(*) FROM audit_entry WHERE action = :action AND subject_id = :id",
        action=action,
        id=subject_id,
    )
    return int(counted)


def late_money(merchant_id: str) -> str:
    """Have money come for an order that was cancelled before; returns the anomaly's id."""
    link = a_link(an_order(merchant_id, email=GUEST))
    payment_id = card_tried(link)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"), declined())
    with db.scoped(link.scope()):
        payments.cancel_order(link.ref.order_id, by=SHOPPER)
    answered(payment_id, succeeded(inr(1_000_00)))
    return str(scalar("SELECT id FROM anomaly WHERE payment_id = :id", id=payment_id))


@pytest.mark.usefixtures("low_limit")
def test_an_admin_approves_as_the_second_person(desk: CheckedClient) -> None:
    refund_id = asked(a_paid_payment(), inr(250_00))
    assert f"{LIST}/{refund_id}" in desk.page(f"{LIST}?status=requested").links
    assert desk.send(f"{LIST}/{refund_id}", "/approve").status_code == 303
    assert status_of(refund_id) == "approved"
    assert audited("refund.viewed", refund_id) == 1
    assert audited("refund.approved", refund_id) == 1
    released()
    told(refund_id, paid_out(amount=inr(250_00)))
    page = desk.page(f"{LIST}/{refund_id}")
    assert "7412034567" in page.text
    [payment_page] = [one for one in page.links if one.startswith("/admin/payments/pay_")]
    story = desk.page(payment_page)
    assert "The money went back Refund of ₹250.00" in story.text
    assert f"{LIST}/{refund_id}" in story.links
    assert '<span title="refund">Give money back</span>' in desk.get(f"{LIST}/{refund_id}").text


@pytest.mark.usefixtures("low_limit")
def test_who_asked_does_not_approve_even_as_an_admin(desk: CheckedClient, root: Someone) -> None:
    refund_id = asked(a_paid_payment(), inr(250_00), by=Actor("merchant_user", root.id))
    page = desk.page(f"{LIST}/{refund_id}")
    assert "another person has to approve it" in page.text
    assert desk.send(f"{LIST}/{refund_id}", "/approve").status_code == 403
    assert status_of(refund_id) == "requested"


@pytest.mark.usefixtures("low_limit")
def test_refusing_needs_a_reason(desk: CheckedClient) -> None:
    refund_id = asked(a_paid_payment(), inr(250_00))
    assert desk.send(f"{LIST}/{refund_id}", "/refuse", because=" ").status_code == 400
    assert status_of(refund_id) == "requested"
    assert desk.send(f"{LIST}/{refund_id}", "/refuse", because="Unclear.").status_code == 303
    assert status_of(refund_id) == "cancelled"


def test_asking_the_provider_about_a_refund_plans_one_question(desk: CheckedClient) -> None:
    refund_id = asked(a_paid_payment(), inr(250_00))
    released()
    for _ in range(3):
        assert desk.send(f"{LIST}/{refund_id}", "/check").status_code == 303
    questions = scalar(
        "SELECT count(*) FROM provider_operation WHERE subject_id = :id"
        " AND kind = 'look_up_refund'",
        id=refund_id,
    )
    assert questions == 1


@pytest.mark.parametrize("query", ["status=paid", "status=%00", "older=' OR 1=1"])
def test_a_filter_that_is_not_ours_is_refused(desk: CheckedClient, query: str) -> None:
    assert desk.get(f"{LIST}?{query}").status_code == 400


@pytest.mark.parametrize("path", [f"{LIST}/{{}}", f"{ASIDE}/{{}}", f"{ASIDE}/{{}}/live"])
def test_what_is_not_there_is_not_found_and_not_audited(desk: CheckedClient, path: str) -> None:
    before = scalar("SELECT count(*) FROM audit_entry")
    for subject in ("nothing", "re_' OR 1=1 --", ids.new("refund")):
        assert desk.get(path.format(subject)).status_code == 404
    assert scalar("SELECT count(*) FROM audit_entry") == before


def test_money_set_aside_is_given_back_once(desk: CheckedClient) -> None:
    anomaly_id = late_money(a_merchant())
    assert f"{ASIDE}/{anomaly_id}" in desk.page(ASIDE).links
    page = desk.page(f"{ASIDE}/{anomaly_id}")
    assert "₹1,000.00 from suspense to refunds on their way" in page.text
    form = page.form("/give-back")
    for _ in range(2):
        assert desk.post(form.action, data=form.fields).status_code == 303
    assert scalar("SELECT count(*) FROM refund WHERE anomaly_id = :id", id=anomaly_id) == 1
    assert anomaly_status(anomaly_id) == "refunding"
    page = desk.page(f"{ASIDE}/{anomaly_id}")
    assert any(link.startswith(f"{LIST}/re_") for link in page.links)
    assert not any(form.action.endswith("/apply") for form in page.forms)


def test_money_set_aside_pays_an_open_order_of_that_amount(desk: CheckedClient) -> None:
    merchant_id = a_merchant()
    anomaly_id = late_money(merchant_id)
    page = desk.page(f"{ASIDE}/{anomaly_id}")
    assert "No open order of this shopper asks for exactly this amount." in page.text
    order = an_order(merchant_id, email=GUEST)
    assert desk.send(f"{ASIDE}/{anomaly_id}", "/apply", order="ord_nothing").status_code == 400
    assert anomaly_status(anomaly_id) == "open"
    assert desk.send(f"{ASIDE}/{anomaly_id}", "/apply", order=order.id).status_code == 303
    assert anomaly_status(anomaly_id) == "applying"
    assert audited("anomaly.applied", anomaly_id) == 1


def test_only_an_amount_that_was_too_small_is_accepted(desk: CheckedClient) -> None:
    anomaly_id, payment_id = late_money(a_merchant()), a_payment(Status.PROCESSING)
    answered(payment_id, succeeded(inr(900_00)))
    page = desk.page(f"{ASIDE}/{anomaly_id}")
    assert "Only an amount that was too small can be accepted as it is." in page.text
    assert desk.send(f"{ASIDE}/{anomaly_id}", "/accept").status_code == 409
    short = str(scalar("SELECT id FROM anomaly WHERE payment_id = :id", id=payment_id))
    assert desk.send(f"{ASIDE}/{short}", "/accept").status_code == 303
    assert anomaly_status(short) == "applying"


@pytest.mark.parametrize("act", ["give-back", "apply", "accept"])
def test_a_decision_without_its_token_changes_nothing(desk: CheckedClient, act: str) -> None:
    anomaly_id = late_money(a_merchant())
    assert desk.post(f"{ASIDE}/{anomaly_id}/{act}", data={}).status_code == 400
    assert anomaly_status(anomaly_id) == "open"


def test_under_a_freeze_nothing_is_said_to_leave_in_a_moment(
    desk: CheckedClient, root: Someone
) -> None:
    refund_id = asked(a_paid_payment(), inr(250_00))
    with db.scoped(db.ADMIN):
        refunds.freeze(because="The books are being looked at.", by=Actor("admin", root.id))
    for path in (f"{LIST}/{refund_id}", "/admin/janitor?kind=refund"):
        said = desk.page(path).text
        assert "it leaves once they are let go again" in said
        assert "in a moment" not in said
