"""Payments through the door: found, explained, unmasked on the record, exported."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from tests.web.merchant.test_orders import without_ids
from tests.web.merchant.world import (
    SHOPPER,
    Shop,
    a_colleague,
    a_shop,
    an_order,
    begun,
    declined,
    paid,
)
from webapp import audit, payments
from webapp.kernel import db
from webapp.payments import PaymentFilter

LIST = "/merchant/payments"


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def shown(shop: Shop, query: str) -> list[str]:
    """Ids of the payments on a list, newest first."""
    links = shop.client.page(f"{LIST}?{query}").links
    return [link.rpartition("/")[2] for link in links if link.startswith(f"{LIST}/pay_")]


def number_of(shop: Shop, payment_id: str) -> str:
    with db.scoped(shop.scope()):
        return payments.payment_of(shop.id, payment_id).order.number


def test_a_paid_payment_adds_up_to_what_the_merchant_receives(shop: Shop) -> None:
    page = shop.client.page(f"{LIST}/{paid(shop)}")
    assert "Paid by Visa •••• 4242 ₹ 1,000 .00" in page.text
    assert "Platform fee 2 % − ₹ 20 .00" in page.text
    assert "You receive ₹ 980 .00" in page.text
    assert "The money has been taken and is the merchant’s, less the fee." in page.text


def test_a_declined_payment_says_why_and_that_no_money_moved(shop: Shop) -> None:
    page = shop.client.page(f"{LIST}/{declined(shop)}")
    assert "The last try: Not enough money on the card." in page.text
    assert "No money has moved." in page.text
    assert "insufficient_funds" in page.text
    assert "The shopper" in page.text


@pytest.mark.requirement("S2-28")
def test_a_payment_under_way_says_whom_we_wait_for_and_what_then(shop: Shop) -> None:
    page = shop.client.page(f"{LIST}/{begun(shop, an_order(shop))}")
    assert "We wait for The payment provider" in page.text
    assert "Next check" in page.text
    assert "It is never charged a second time." in page.text


def test_the_part_that_changes_is_the_same_on_the_page_and_alone(shop: Shop) -> None:
    payment_id = paid(shop)
    part = shop.client.get(f"{LIST}/{payment_id}/live", headers={"X-Fragment": "1"})
    assert part.status_code == 200
    text = part.get_data(as_text=True)
    assert text.lstrip().startswith("<div")
    assert f'data-live="merchant:{shop.id}:test"' in text
    assert 'data-live-version="3"' in text


@pytest.mark.parametrize("path", ["", "/live"])
def test_another_merchants_payment_is_as_if_it_were_not_there(shop: Shop, path: str) -> None:
    theirs = paid(a_shop(shop.app))
    missing = theirs[:-4] + "0000"
    answers = [shop.client.get(f"{LIST}/{one}{path}") for one in (theirs, missing)]
    assert [answer.status_code for answer in answers] == [404, 404]
    bodies = [without_ids(answer.get_data(as_text=True)) for answer in answers]
    assert bodies[0] == bodies[1]


def test_lists_exports_and_searches_show_ones_own_payments_alone(shop: Shop) -> None:
    theirs = paid(a_shop(shop.app))
    mine = paid(shop)
    assert shown(shop, "") == [mine]
    assert shown(shop, f"q={theirs}") == []
    assert shown(shop, f"q={SHOPPER}") == [mine]
    assert theirs not in shop.client.get(f"{LIST}/export.csv").get_data(as_text=True)


def test_a_payment_is_found_by_all_that_one_knows_of_it(shop: Shop) -> None:
    other = declined(shop)
    wanted = paid(shop, 4_321_50)
    order = number_of(shop, wanted)
    for typed in (wanted, order, f"%23{order}", "4242", "4,321.50", "%E2%82%B94321.50"):
        assert shown(shop, f"q={typed}") == [wanted], typed
    assert shown(shop, f"q={SHOPPER}") == [wanted, other]
    assert shown(shop, "q=nobody@example.com") == []


def test_filters_narrow_the_list_and_can_be_taken_off_again(shop: Shop) -> None:
    rupees, yen = paid(shop), paid(shop, 5_000, "JPY")
    failed = declined(shop)
    assert shown(shop, "status=paid") == [yen, rupees]
    assert shown(shop, "status=open") == [failed]
    assert shown(shop, "currency=JPY") == [yen]
    assert shown(shop, "method=wallet") == []
    page = shop.client.page(f"{LIST}?currency=JPY&status=paid")
    assert f"{LIST}?status=paid" in page.links
    assert "Remove filter Currency: JPY" in shop.client.get(f"{LIST}?currency=JPY").get_data(
        as_text=True
    )


def test_nothing_found_is_not_nothing_there(shop: Shop) -> None:
    assert "No payments yet" in shop.client.page(LIST).text
    paid(shop)
    assert "No payment matches" in shop.client.page(f"{LIST}?currency=JPY").text


def test_a_day_that_is_none_is_refused_with_what_would_be_right(shop: Shop) -> None:
    answer = shop.client.get(f"{LIST}?since=yesterday")
    assert answer.status_code == 400
    assert "2026-11-21" in answer.get_data(as_text=True)


def test_the_shopper_is_masked_until_somebody_looks_on_the_record(shop: Shop) -> None:
    payment_id = paid(shop)
    address = f"{LIST}/{payment_id}"
    assert SHOPPER not in shop.client.get(address).get_data(as_text=True)
    assert SHOPPER not in shop.client.get(LIST).get_data(as_text=True)
    answer = shop.client.send(address, "/unmask")
    assert answer.status_code == 200
    assert SHOPPER in answer.get_data(as_text=True)
    with db.scoped(db.ADMIN):
        [entry] = audit.entries_about("payment", payment_id)
    assert (entry.action, entry.actor_id) == ("payment.unmasked", shop.owner_id)
    assert SHOPPER not in str(entry.data)


def test_a_viewer_cannot_unmask_or_export_and_nothing_is_recorded(shop: Shop) -> None:
    payment_id = paid(shop)
    viewer = a_colleague(shop, "viewer")
    page = viewer.page(f"{LIST}/{payment_id}")
    assert "Your role (viewer) cannot see personal data" in page.text
    token = page.form("/unmask").fields["csrf_token"]
    answer = viewer.post(f"{LIST}/{payment_id}/unmask", data={"csrf_token": token})
    assert answer.status_code == 403
    assert SHOPPER not in answer.get_data(as_text=True)
    assert viewer.get(f"{LIST}/export.csv").status_code == 403
    with db.scoped(db.ADMIN):
        assert audit.entries_about("payment", payment_id) == []


def test_the_export_is_the_list_with_every_row_masked_in_both_units(shop: Shop) -> None:
    made = [paid(shop, 1_00 + place, description="=1+1") for place in range(30)]
    declined(shop)
    answer = shop.client.get(f"{LIST}/export.csv?status=paid")
    text = answer.get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["payment"] for row in rows] == made[::-1]
    assert (rows[-1]["amount"], rows[-1]["amount_minor"]) == ("1.00", "100")
    assert {row["description"] for row in rows} == {"'=1+1"}
    assert SHOPPER not in text
    assert rows[0]["customer"] == "m•••@example.com"
    assert rows[0]["created_utc"].endswith("Z")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")


def test_taking_an_export_away_is_on_the_record_without_what_was_searched(shop: Shop) -> None:
    paid(shop)
    shop.client.get(f"{LIST}/export.csv?status=paid&q={SHOPPER}").get_data()
    with db.scoped(db.ADMIN):
        [entry] = audit.entries_about("merchant", shop.id)
    assert (entry.action, entry.data) == ("payments.exported", {"filters": {"status": "paid"}})


def test_a_slow_reader_of_an_export_holds_no_connection(shop: Shop) -> None:
    payment_id = paid(shop)
    with db.scoped(shop.scope()):
        rows = payments.every_payment_of(shop.id, livemode=False, asked=PaymentFilter())
        assert next(rows).payment.id == payment_id
        assert not db.session().in_transaction()
