"""Corrections at the admins' door: found in the books, previewed, asked for and decided on."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import (
    Someone,
    a_merchant,
    a_payment,
    an_admin,
    an_imported_sale,
    browser_of,
)
from tests.checked_client import CheckedClient
from tests.refunds.test_destinations import set_aside
from tests.stories import scalar
from webapp import ledger
from webapp.kernel import db
from webapp.payments import Status


@pytest.fixture
def merchant(app: Flask) -> str:
    """A merchant."""
    return a_merchant()


@pytest.fixture
def booked(merchant: str) -> str:
    """The transfer that books a sale of ₹1,000.00 of theirs."""
    return an_imported_sale(merchant)


@pytest.fixture
def payment_id(merchant: str) -> str:
    """A captured payment of ₹1,000.00 of theirs."""
    return a_payment(Status.CAPTURED, merchant)


@pytest.fixture
def captured(payment_id: str) -> str:
    """The transfer that books that payment."""
    reference = f"payment.captured:{payment_id}"
    return str(scalar("SELECT id FROM transfer WHERE reference = :r", r=reference))


@pytest.fixture
def first(app: Flask) -> Someone:
    """The admin who asks."""
    return an_admin()


@pytest.fixture
def desk(app: Flask, first: Someone) -> CheckedClient:
    """The browser of the admin who asks."""
    return browser_of(app, first)


@pytest.fixture
def other(app: Flask) -> CheckedClient:
    """The browser of the admin who decides."""
    return browser_of(app, an_admin())


def asked(desk: CheckedClient, transfer_id: str, query: str = "") -> str:
    """Ask for a correction and return its address."""
    sent = desk.send(
        f"/admin/transfers/{transfer_id}/correct{query}",
        "/corrections",
        because="Booked for the wrong shop.",
    )
    assert sent.status_code == 303, sent.text[:500]
    return str(sent.location)


def adjusting(merchant_id: str, amount: str = "5.00") -> str:
    """Return the query that prepares giving a part of the fee back."""
    fees = ledger.fees(False, "INR").name
    payable = ledger.payable(merchant_id, False, "INR").name
    return f"?kind=adjustment&source={fees}&target={payable}&amount={amount}"


def owed(merchant_id: str) -> int:
    """Return what we owe a merchant, in paise."""
    with db.scoped(db.ADMIN):
        return ledger.balance(ledger.payable(merchant_id, False, "INR")).minor


def test_a_transfer_is_found_from_its_payment_and_shows_its_lines(
    desk: CheckedClient, payment_id: str, captured: str
) -> None:
    assert f"/admin/transfers/{captured}" in desk.page(f"/admin/books?q={payment_id}").links
    assert f"/admin/books?q={payment_id}" in desk.page(f"/admin/payments/{payment_id}").links
    page = desk.page(f"/admin/transfers/{captured}")
    assert "With the provider, from cards" in page.text
    assert "Owed to Lotus Tea House" in page.text
    assert f"/admin/payments/{payment_id}" in page.links
    assert scalar("SELECT count(*) FROM audit_entry WHERE action = 'transfer.viewed'") == 1


def test_the_booking_of_a_payment_is_not_undone_and_the_page_says_what_to_do(
    desk: CheckedClient, merchant: str, captured: str
) -> None:
    address = f"/admin/transfers/{captured}/correct"
    assert "Lines to book" in desk.page(address).text
    named = desk.page(f"{address}?kind=reversal")
    assert "Refund that payment instead" in named.text
    assert "Ask another admin" not in named.text
    asked(desk, captured, adjusting(merchant))
    assert owed(merchant) == 980_00


def test_undoing_is_previewed_asked_for_and_booked_by_another_admin(
    desk: CheckedClient, other: CheckedClient, merchant: str, booked: str
) -> None:
    preview = desk.page(f"/admin/transfers/{booked}/correct")
    assert "What it does to each account" in preview.text
    for figure in ("980.00", "1,000.00", "0.00"):
        assert figure in preview.text.replace(" ", "")
    address = asked(desk, booked)
    assert owed(merchant) == 980_00
    assert "1 correction waits" in other.page("/admin").text
    own = desk.page(address)
    assert "You asked for this correction" in own.text
    assert not any(form.action.endswith("/approve") for form in own.forms)
    assert other.send(address, "/approve").status_code == 303
    assert owed(merchant) == 0
    page = other.page(address)
    assert "It was approved and booked" in page.text
    first = other.page(f"/admin/transfers/{booked}")
    assert "Put right by" in first.text
    links = {link for link in first.links if link.startswith("/admin/transfers/tr_")}
    (undoes,) = links - {f"/admin/transfers/{booked}/correct"}
    second = other.page(undoes)
    assert "Undoes" in second.text
    assert f"/admin/transfers/{booked}" in second.links
    assert address in second.links


def test_money_set_aside_that_went_back_elsewhere_ends_from_its_page(
    desk: CheckedClient, other: CheckedClient, merchant: str
) -> None:
    _payment_id, anomaly_id = set_aside(merchant)
    page = desk.page(f"/admin/anomalies/{anomaly_id}")
    (way,) = [link for link in page.links if link.endswith("/correct?kind=reversal")]
    assert "went back in the provider’s own pages" in desk.page(way).text
    address = asked(desk, way.split("/")[3], "?kind=reversal")
    assert "went back in the provider’s own pages" in other.page(address).text
    other.send(address, "/approve")
    page = other.page(f"/admin/anomalies/{anomaly_id}")
    assert "the books were corrected" in page.text
    assert not any(link.endswith("/correct?kind=reversal") for link in page.links)


def test_lines_of_ones_own_are_previewed_and_booked(
    desk: CheckedClient, other: CheckedClient, merchant: str, booked: str
) -> None:
    query = adjusting(merchant)
    preview = desk.page(f"/admin/transfers/{booked}/correct{query}")
    assert "985.00" in preview.text.replace(" ", "")
    address = asked(desk, booked, query)
    other.send(address, "/approve")
    assert owed(merchant) == 985_00


def test_the_same_form_sent_twice_asks_once(desk: CheckedClient, booked: str) -> None:
    form = desk.page(f"/admin/transfers/{booked}/correct").form("/corrections")
    given = {**form.fields, "because": "Booked twice by hand."}
    answers = [desk.post(form.action, data=given) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert scalar("SELECT count(*) FROM correction") == 1


def test_a_second_correction_of_the_same_transfer_is_told_to_wait(
    desk: CheckedClient, other: CheckedClient, booked: str
) -> None:
    asked(desk, booked)
    sent = other.send(f"/admin/transfers/{booked}/correct", "/corrections", because="Once more.")
    assert sent.status_code == 409
    assert "already waits for a second person" in sent.text


def test_who_asked_cannot_approve_by_hand_either(
    desk: CheckedClient, merchant: str, booked: str
) -> None:
    address = asked(desk, booked)
    token = desk.page(address).form("/withdraw").fields["csrf_token"]
    for act in ("approve", "refuse"):
        refused = desk.post(f"{address}/{act}", data={"csrf_token": token, "because": "Mine."})
        assert refused.status_code == 403
    assert owed(merchant) == 980_00
    assert scalar("SELECT status FROM correction") == "requested"


def test_refusing_and_withdrawing_book_nothing(
    desk: CheckedClient, other: CheckedClient, merchant: str, booked: str
) -> None:
    address = asked(desk, booked)
    assert other.send(address, "/refuse", because="The shop is right.").status_code == 303
    assert "The shop is right." in desk.page(address).text
    again = asked(desk, booked)
    assert desk.send(again, "/withdraw").status_code == 303
    assert "It was withdrawn; nothing was booked" in desk.page(again).text
    assert owed(merchant) == 980_00
    listed = desk.page("/admin/corrections").links
    assert {address, again} <= set(listed)
    assert again not in desk.page("/admin/corrections?status=refused").links


@pytest.mark.parametrize("because", ["", "x", "x" * 301])
def test_a_correction_without_a_proper_reason_is_refused_by_the_field(
    desk: CheckedClient, booked: str, because: str
) -> None:
    sent = desk.send(f"/admin/transfers/{booked}/correct", "/corrections", because=because)
    assert sent.status_code == 422
    assert "Say why, in 3 to 300 characters" in sent.text
    assert scalar("SELECT count(*) FROM correction") == 0


@pytest.mark.parametrize(
    "typed",
    ["-5", "0", "abc", "1.234", "1e9", "9" * 30, "٥", "", "5.00;DROP TABLE entry", "\x00"],
)
def test_an_amount_that_is_none_is_named_and_asks_for_nothing(
    desk: CheckedClient, merchant: str, booked: str, typed: str
) -> None:
    fields = {
        "kind": "adjustment",
        "source": ledger.fees(False, "INR").name,
        "target": ledger.payable(merchant, False, "INR").name,
        "amount": typed,
    }
    shown = desk.get(f"/admin/transfers/{booked}/correct", query_string=fields)
    assert shown.status_code in {200, 400}
    assert "Ask another admin" not in shown.text
    token = desk.page("/admin/invariants").form("/check").fields["csrf_token"]
    given = {**fields, "csrf_token": token, "because": "Some reason.", "form_key": "form_1"}
    sent = desk.post(f"/admin/transfers/{booked}/corrections", data=given)
    assert sent.status_code in {400, 422}
    assert scalar("SELECT count(*) FROM correction") == 0


def test_an_account_that_is_not_the_transfers_is_refused(desk: CheckedClient, booked: str) -> None:
    rival = ledger.payable(a_merchant(), False, "INR").name
    for name in (rival, "nothing", "a/b/c", f"{rival}/x/y"):
        fees = ledger.fees(False, "INR").name
        for source, target in ((name, fees), (fees, name)):
            query = {"kind": "adjustment", "source": source, "target": target, "amount": "1"}
            page = desk.get(f"/admin/transfers/{booked}/correct", query_string=query)
            assert "Choose one of this transfer’s accounts" in page.text
            assert "Ask another admin" not in page.text


@pytest.mark.parametrize("subject", ["nothing", "tr_' OR 1=1 --", "x" * 3000])
@pytest.mark.parametrize(
    "path", ["/admin/transfers/{}", "/admin/transfers/{}/correct", "/admin/corrections/{}"]
)
def test_what_is_not_there_is_not_found(desk: CheckedClient, path: str, subject: str) -> None:
    assert desk.get(path.format(subject)).status_code == 404


def test_a_status_that_is_none_is_refused(desk: CheckedClient) -> None:
    assert desk.get("/admin/corrections?status=nothing").status_code == 400
