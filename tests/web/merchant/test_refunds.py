"""Refunds through the merchant's door: asked for once, previewed, undone, approved by another."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from tests.refunds.builders import bounced, paid_out, released, sent, told
from tests.stories import scalar
from tests.web.merchant.test_orders import without_ids
from tests.web.merchant.world import SHOPPER, Shop, a_colleague, a_shop, an_order, declined, paid
from webapp import audit, ledger, refunds
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.refunds import Limits
from webapp.web.shared.refund_words import POSTINGS

PAYMENTS = "/merchant/payments"
REFUNDS = "/merchant/refunds"
GOOD = {"amount": "250.00", "reason": "requested_by_customer", "destination": "original"}


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def panel(payment_id: str) -> str:
    return f"{PAYMENTS}/{payment_id}/refund"


def asked(shop: Shop, payment_id: str, **typed: str) -> str:
    """Fill the panel in and send it; returns the refund's id."""
    answer = shop.client.send(panel(payment_id), "/refunds", **(GOOD | typed))
    assert answer.status_code == 303, answer.get_data(as_text=True)[:3000]
    found = scalar("SELECT id FROM refund WHERE payment_id = :id ORDER BY id DESC", id=payment_id)
    return str(found)


def count() -> int:
    return int(scalar("SELECT count(*) FROM refund"))


def status_of(refund_id: str) -> str:
    return str(scalar("SELECT status FROM refund WHERE id = :id", id=refund_id))


def test_the_panel_is_prefilled_and_says_what_will_happen(shop: Shop) -> None:
    page = shop.client.page(panel(paid(shop)))
    fields = page.form("/refunds").fields
    assert fields["amount"] == "1000.00"
    assert fields["seen_available"] == "100000"
    assert "₹1,000.00 is left to refund." in page.text
    assert "The platform keeps its fee of ₹20.00 on this payment." in page.text
    assert "at the latest" in page.text
    assert "Nobody else needs to approve it." in page.text
    assert "When it leaves Your balance → Refunds on their way ₹ 1,000 .00" in page.text
    assert "Your balance: ₹980.00 now, −₹20.00 after it. Your balance goes below zero." in page.text


def test_a_refund_is_asked_for_and_can_be_undone_with_the_time_that_is_left(shop: Shop) -> None:
    payment_id = paid(shop)
    refund_id = asked(shop, payment_id, note="Two cups were broken.")
    page = shop.client.page(f"{PAYMENTS}/{payment_id}")
    assert "Leaves soon" in page.text
    assert "Can still be undone" in page.text
    assert "leaves in 0 min" in page.text
    assert "Left to refund ₹ 750 .00" in page.text
    assert shop.client.send(f"{PAYMENTS}/{payment_id}", "/undo").status_code == 303
    assert status_of(refund_id) == "cancelled"
    assert "Nothing was sent." in shop.client.page(f"{PAYMENTS}/{payment_id}").text


def test_the_same_form_sent_twice_refunds_once(shop: Shop) -> None:
    form = shop.client.page(panel(paid(shop))).form("/refunds")
    for _ in range(3):
        assert shop.client.post(form.action, data=form.fields | GOOD).status_code == 303
    assert count() == 1


def test_two_forms_that_saw_the_same_amount_refund_once(shop: Shop) -> None:
    payment_id = paid(shop)
    first, second = (shop.client.page(panel(payment_id)).form("/refunds") for _ in range(2))
    assert shop.client.post(first.action, data=first.fields | GOOD).status_code == 303
    answer = shop.client.post(second.action, data=second.fields | GOOD)
    assert answer.status_code == 409
    text = answer.get_data(as_text=True)
    assert "has changed meanwhile" in text
    assert "₹750.00 is left to refund." in text
    assert count() == 1


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"amount": ""}, "amount", "Enter an amount."),
        ({"amount": "0"}, "amount", "above zero"),
        ({"amount": "−5"}, "amount", "above zero"),
        ({"amount": "1000.01"}, "amount", "more than is left"),
        ({"amount": "1e2"}, "amount", "in digits"),
        ({"amount": "10.005"}, "amount", "at most 2 after the point"),
        ({"amount": "4242424242424242"}, "amount", "card number"),
        ({"amount": "9" * 500}, "amount", "at most"),
        ({"reason": ""}, "reason", "Choose why"),
        ({"reason": "because"}, "reason", "Choose why"),
        ({"destination": "moon"}, "destination", "Choose where"),
        ({"destination": ""}, "destination", "Choose where"),
        ({"note": "x" * 501}, "note", "500 characters"),
        ({"note": "4242 4242 4242 4242"}, "note", "card number"),
        ({"note": "abc\u202edef"}, "note", "cannot be printed"),
        ({"destination": "order_credit"}, "target_order", "Enter the number of the order"),
        (
            {"destination": "order_credit", "target_order": "99999"},
            "target_order",
            "no unpaid order of that number",
        ),
        ({"seen_available": "lots"}, "seen_available", "out of date"),
        ({"seen_available": ""}, "seen_available", "out of date"),
    ],
)
def test_a_wrong_form_is_refused_by_field_and_refunds_nothing(
    shop: Shop, typed: dict[str, str], field: str, says: str
) -> None:
    answer = shop.client.send(panel(paid(shop)), "/refunds", **(GOOD | typed))
    assert answer.status_code in {400, 409}
    text = answer.get_data(as_text=True)
    assert "Nothing was refunded" in text
    assert says in text
    assert f'href="#{field}"' in text
    assert count() == 0


def test_a_form_without_its_token_or_key_refunds_nothing(shop: Shop) -> None:
    form = shop.client.page(panel(paid(shop))).form("/refunds")
    for missing in ("csrf_token", "form_key"):
        given = {name: value for name, value in (form.fields | GOOD).items() if name != missing}
        assert shop.client.post(form.action, data=given).status_code == 400
    assert count() == 0


def test_the_preview_changes_nothing_and_follows_what_is_typed(shop: Shop) -> None:
    payment_id = paid(shop)
    form = shop.client.page(panel(payment_id)).form("/refunds")
    asked_for = form.fields | GOOD

    def seen(**typed: str) -> str:
        address = f"{PAYMENTS}/{payment_id}/refund/preview"
        answer = shop.client.post(address, data=asked_for | typed, headers={"X-Fragment": "1"})
        assert answer.status_code == 200
        return " ".join(answer.get_data(as_text=True).split())

    assert "₹750.00 of this payment is left after it." in seen()
    assert "Only ₹1,000.00 is left to refund" in seen(amount="1000.01")
    assert "in digits" in seen(amount="ten")
    assert "₹750.00 of this payment is left" in seen(reason="")
    assert "it was ₹900.00 when you opened this form" in seen(seen_available="90000")
    without_script = shop.client.send(panel(payment_id), "/refunds", **GOOD)
    assert without_script.status_code == 303
    assert count() == 1


def test_without_a_script_a_button_shows_what_will_happen(shop: Shop) -> None:
    payment_id = paid(shop)
    form = shop.client.page(panel(payment_id)).form("/refunds")
    address = f"{PAYMENTS}/{payment_id}/refund/preview"
    answer = shop.client.post(address, data=form.fields | GOOD | {"note": "Kept."})
    text = answer.get_data(as_text=True)
    assert "₹750.00 of this payment is left after it." in text
    assert 'value="250.00"' in text
    assert "Kept." in text
    assert "Nothing was refunded" not in text
    assert count() == 0


def test_what_the_preview_says_is_what_the_books_then_hold(shop: Shop) -> None:
    payment_id = paid(shop)
    refund_id = asked(shop, payment_id)
    released()
    told(refund_id, sent(amount=Money(250_00, "INR")), paid_out(amount=Money(250_00, "INR")))
    booked = []
    with db.scoped(db.ADMIN):
        for kind in ("refund.sent", "refund.settled"):
            transfer = ledger.transfer_by_reference(f"{kind}:{refund_id}")
            assert transfer is not None
            source, target = ledger.entries_of(transfer.id)
            assert (source.amount.minor, target.amount.minor) == (-250_00, 250_00)
            booked.append((source.account_kind, target.account_kind))
    assert booked == [(source, target) for _moment, source, target in POSTINGS["original"]]


def test_a_row_says_how_far_it_is_and_what_to_quote(shop: Shop) -> None:
    payment_id = paid(shop)
    refund_id = asked(shop, payment_id)
    address = f"{PAYMENTS}/{payment_id}"
    amount = Money(250_00, "INR")
    released()
    assert "Not sent yet" in shop.client.page(address).text
    assert shop.client.send(f"{REFUNDS}/{refund_id}", "/check").status_code == 303
    told(refund_id, sent(amount=amount))
    assert "Sent to bank Expected by" in shop.client.page(address).text
    told(refund_id, paid_out(amount=amount))
    page = shop.client.page(address)
    assert "Partly refunded" in page.text
    assert "₹250.00 of it has been refunded; the rest is the merchant’s" in page.text
    assert "7412034567" in page.text
    assert "Refunded − ₹ 250 .00" in page.text
    told(refund_id, bounced(amount=amount))
    assert "Failed: card closed" in shop.client.page(address).text
    page = shop.client.page(f"{REFUNDS}/{refund_id}")
    assert "The card has expired or was closed." in page.text
    assert "into the shopper’s wallet" in page.text


def test_what_has_left_cannot_be_undone_and_says_so(shop: Shop) -> None:
    payment_id = paid(shop)
    refund_id = asked(shop, payment_id)
    form = shop.client.page(f"{PAYMENTS}/{payment_id}").form("/undo")
    released()
    answer = shop.client.post(form.action, data=form.fields)
    assert answer.status_code == 409
    assert "can no longer be undone" in answer.get_data(as_text=True)
    assert status_of(refund_id) == "unsent"


@pytest.fixture
def low_limit() -> object:
    kept = refunds.limits()
    refunds.use(Limits(undo=kept.undo, approval={"INR": 100_00}))
    yield
    refunds.use(kept)


@pytest.mark.usefixtures("low_limit")
def test_above_the_limit_a_second_person_approves_and_never_the_same(shop: Shop) -> None:
    payment_id = paid(shop)
    preview = shop.client.page(panel(payment_id)).text
    assert "A second person has to approve it, since more than ₹100.00" in preview
    refund_id = asked(shop, payment_id)
    assert status_of(refund_id) == "requested"
    page = shop.client.page(f"{REFUNDS}/{refund_id}")
    assert "another person has to approve it" in page.text
    assert shop.client.send(f"{REFUNDS}/{refund_id}", "/approve").status_code == 403
    assert status_of(refund_id) == "requested"
    boss = a_colleague(shop, "admin")
    assert "1 thing needs a decision" in boss.page("/merchant").text
    assert f"{REFUNDS}/{refund_id}" in boss.page("/merchant/attention").links
    assert boss.send(f"{REFUNDS}/{refund_id}", "/approve").status_code == 303
    assert status_of(refund_id) == "approved"
    assert "By you" in boss.page(f"{REFUNDS}/{refund_id}").text


@pytest.mark.usefixtures("low_limit")
def test_a_refund_is_refused_for_a_reason_that_is_kept(shop: Shop) -> None:
    refund_id = asked(shop, paid(shop))
    boss = a_colleague(shop, "admin")
    empty = boss.send(f"{REFUNDS}/{refund_id}", "/refuse", because=" ")
    assert empty.status_code == 400
    assert 'id="because-error"' in empty.get_data(as_text=True)
    assert boss.send(f"{REFUNDS}/{refund_id}", "/refuse", because="Too much.").status_code == 303
    assert status_of(refund_id) == "cancelled"
    assert "Too much." in shop.client.page(f"{REFUNDS}/{refund_id}").text


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("role", ["support", "viewer", "analyst", "developer"])
def test_who_may_not_approve_reads_why_and_is_refused(shop: Shop, role: str) -> None:
    refund_id = asked(shop, paid(shop))
    theirs = a_colleague(shop, role)
    page = theirs.page(f"{REFUNDS}/{refund_id}")
    assert f"Your role ({role}) cannot approve refunds" in page.text
    assert theirs.send(f"{REFUNDS}/{refund_id}", "/approve").status_code == 403
    assert status_of(refund_id) == "requested"


@pytest.mark.parametrize("role", ["viewer", "analyst", "developer"])
def test_who_may_not_refund_reads_why_and_is_refused(shop: Shop, role: str) -> None:
    payment_id = paid(shop)
    refund_id = asked(shop, payment_id)
    theirs = a_colleague(shop, role)
    page = theirs.page(f"{PAYMENTS}/{payment_id}")
    assert f"Your role ({role}) cannot refund payments" in page.text
    assert theirs.get(panel(payment_id)).status_code == 403
    token = page.form("/sign-out").fields["csrf_token"]
    for place in (f"{PAYMENTS}/{payment_id}/refunds", f"{REFUNDS}/{refund_id}/undo"):
        assert theirs.post(place, data=GOOD | {"csrf_token": token}).status_code == 403
    assert (count(), status_of(refund_id)) == (1, "approved")


def test_another_merchants_refund_is_as_if_it_were_not_there(shop: Shop) -> None:
    other = a_shop(shop.app)
    theirs_paid = paid(other)
    theirs = asked(other, theirs_paid)
    missing = theirs[:-4] + "0000"
    answers = [shop.client.get(f"{REFUNDS}/{one}") for one in (theirs, missing)]
    assert [answer.status_code for answer in answers] == [404, 404]
    bodies = [without_ids(answer.get_data(as_text=True)) for answer in answers]
    assert bodies[0] == bodies[1]
    token = shop.client.page("/merchant").form("/sign-out").fields["csrf_token"]
    for act in ("undo", "approve", "refuse", "check"):
        given = {"csrf_token": token, "because": "x"}
        assert shop.client.post(f"{REFUNDS}/{theirs}/{act}", data=given).status_code == 404
    for path in (panel(theirs_paid), f"{REFUNDS}/{theirs}/live"):
        assert shop.client.get(path).status_code == 404
    for path in (f"{PAYMENTS}/{theirs_paid}/refunds", f"{PAYMENTS}/{theirs_paid}/refund/preview"):
        assert shop.client.post(path, data=GOOD | {"csrf_token": token}).status_code == 404
    assert (count(), status_of(theirs)) == (1, "approved")
    assert theirs not in shop.client.get(REFUNDS).get_data(as_text=True)


def test_a_payment_that_was_not_taken_says_why_it_cannot_be_refunded(shop: Shop) -> None:
    payment_id = declined(shop)
    assert "Refund…" not in shop.client.page(f"{PAYMENTS}/{payment_id}").text
    answer = shop.client.get(panel(payment_id))
    assert answer.status_code == 409
    assert "only refund a payment that was captured" in answer.get_data(as_text=True)


def test_when_all_is_refunded_the_button_says_so(shop: Shop) -> None:
    payment_id = paid(shop)
    asked(shop, payment_id, amount="1000")
    page = shop.client.page(f"{PAYMENTS}/{payment_id}")
    assert "All of this payment is refunded, or about to be." in page.text


def test_credit_pays_an_open_order_of_exactly_that_amount(shop: Shop) -> None:
    payment_id = paid(shop)
    order = an_order(shop, 250_00, customer_email=SHOPPER)
    refund_id = asked(shop, payment_id, destination="order_credit", target_order=f"#{order.number}")
    released()
    assert status_of(refund_id) == "succeeded"
    assert "Completed" in shop.client.page(f"/merchant/orders/{order.id}").text
    assert "Paid another order" in shop.client.page(f"{PAYMENTS}/{payment_id}").text


def test_while_refunds_are_frozen_pages_say_so_and_undoing_works(shop: Shop) -> None:
    payment_id = paid(shop)
    refund_id = asked(shop, payment_id)
    with db.scoped(db.ADMIN):
        refunds.freeze(because="The books are being looked at.", by=Actor("admin", "usr_root"))
    assert released() == 0
    assert "frozen by the platform" in shop.client.page(REFUNDS).text
    page = shop.client.page(f"{REFUNDS}/{refund_id}")
    assert "it leaves once they are let go again" in page.text
    assert "It leaves in a moment" not in page.text
    assert "Waits: refunds are frozen" in shop.client.page(f"{PAYMENTS}/{payment_id}").text
    asked(shop, payment_id, amount="100")
    assert "waits until refunds are let go again" in shop.client.page(REFUNDS).text
    assert shop.client.send(f"{REFUNDS}/{refund_id}", "/undo").status_code == 303
    assert status_of(refund_id) == "cancelled"


def test_the_list_is_filtered_by_its_address_and_exported_as_it_is_seen(shop: Shop) -> None:
    first = asked(shop, paid(shop))
    second = asked(shop, paid(shop), reason="duplicate", note="=1+1")
    released()
    told(first, paid_out(amount=Money(250_00, "INR")))

    def shown(query: str) -> list[str]:
        links = shop.client.page(f"{REFUNDS}?{query}").links
        return [link.rpartition("/")[2] for link in links if link.startswith(f"{REFUNDS}/re_")]

    assert shown("") == [second, first]
    assert shown("status=refunded") == [first]
    assert shown("reason=duplicate") == [second]
    assert shown("q=7412034567") == [first]
    assert shown(f"q={second}") == [second]
    assert shown("currency=JPY") == []
    assert shop.client.get(f"{REFUNDS}?since=soon").status_code == 400
    text = shop.client.get(f"{REFUNDS}/export.csv?reason=duplicate").get_data(as_text=True)
    [row] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (row["refund"], row["amount"], row["amount_minor"]) == (second, "250.00", "25000")
    assert row["note"] == "'=1+1"
    assert (row["status"], row["shown_as"]) == ("PENDING", "Not sent yet")
    with db.scoped(db.ADMIN):
        [entry] = audit.entries_about("merchant", shop.id)
    assert (entry.action, entry.data) == ("refunds.exported", {"filters": {"reason": "duplicate"}})


@pytest.mark.parametrize("path", ["live", "attention/live"])
def test_the_parts_that_change_are_there_alone(shop: Shop, path: str) -> None:
    asked(shop, paid(shop))
    place = f"{REFUNDS}/live" if path == "live" else f"/merchant/{path}"
    answer = shop.client.get(place, headers={"X-Fragment": "1"})
    assert answer.status_code == 200
    assert f'data-live="merchant:{shop.id}:test"' in answer.get_data(as_text=True)
