"""What no browser sends: text that cannot be kept, days beyond the calendar; and what logs say."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.builders import a_checkout, a_merchant, a_payment, a_person, an_admin, browser_of, inr
from tests.checked_client import CheckedClient
from tests.web.merchant.world import a_shop
from tests.web.routes import address_of, rules
from webapp.kernel import db, log
from webapp.payments import Status

UNSTORABLE = (
    "/merchant/orders?q=a%00b",
    "/merchant/orders/ord_%00",
    "/merchant/payments?q=%00",
    "/merchant/payments?q=x&%00=1",
    "/merchant/payments/pay_%00",
    "/home/payments/pay_%00",
    "/checkout/a%00b",
    "/receipt/a%00b",
    "/verify/a%00",
)
STRANGE = (
    "/merchant/orders?older=%ff%fe",
    "/merchant/%ff%fe",
    "/merchant/orders?q=" + "x" * 5_000,
    "/merchant/payments?since=%D9%A2%D9%A0%D9%A2%D9%A6-11-21",
    "/merchant/payments?since=0001-01-01",
    "/merchant/payments?since=0001-01-01&on=ended",
    "/merchant/payments?until=9999-12-31",
    "/merchant/payments/export.csv?until=9999-12-31",
    "/merchant/orders?q=%F0%9F%92%A9&q=two&status[]=1",
)
HOSTILE = (
    "' OR 1=1 --<script>{{7*7}}%s%n",
    "../..\\\r\nSet-Cookie: a=b\x1b[31m\u202e\u2028",
    "9" * 2_000,
    "9999-12-31",
    "٣٤٫٥٦",
)
#: Every name that a form or an address of ours gives to a field.
FIELDS = (
    "aim", "amount", "because", "capture_later", "choice", "consumer", "currency", "current",
    "customer_email", "description", "destination", "email", "fact", "form_key", "id", "kind",
    "merchant", "merchant_name", "method", "name", "new", "newer", "next", "note", "older", "on",
    "order", "password", "payment_method", "phone", "q", "reason", "reference", "seen_available",
    "since", "status", "target_order", "timezone", "until",
)  # fmt: skip
TOKEN = "Tq9-secret-of-43-letters_AAAAAAAAAAAAAAAAAAAA"
SECRET_ADDRESSES = (
    f"/checkout/{TOKEN}",
    f"/checkout/{TOKEN}/status",
    f"/reset/{TOKEN}",
    f"/verify/{TOKEN}",
    f"/receipt/{TOKEN}",
    f"/checkout/{TOKEN}/cut/off",
)


@pytest.mark.parametrize("address", UNSTORABLE)
def test_a_nul_in_an_address_is_refused_in_a_sentence(app: Flask, address: str) -> None:
    answer = a_shop(app).client.get(address)
    assert answer.status_code == 400
    assert "cannot be stored" in answer.get_data(as_text=True)


@pytest.mark.parametrize("field", ["name", "email", "password", "merchant_name", "a\x00b"])
def test_a_nul_in_a_form_is_refused_in_a_sentence(client: CheckedClient, field: str) -> None:
    answer = client.send("/register", "/register", **{field: "Asha\x00Raman"})
    assert answer.status_code == 400
    assert "cannot be stored" in answer.get_data(as_text=True)


@pytest.mark.parametrize("field", ["because", "reference"])
def test_a_card_number_as_the_reason_of_a_deed_is_refused_at_every_door(
    app: Flask, field: str
) -> None:
    """What is kept for ever must not hold one: not in a move, not on the audit trail."""
    browser = browser_of(app, an_admin())
    token = browser.page("/account").form("/sign-out").fields["csrf_token"]
    sent = {field: "It was 4242 4242 4242 4242, she says", "csrf_token": token}
    for rule in rules(app, "POST"):
        answer = browser.open(address_of(rule), method="POST", data=sent)
        assert answer.status_code == 400, rule.rule
        assert "looks like a card number" in answer.get_data(as_text=True), rule.rule


@pytest.mark.parametrize("address", STRANGE)
def test_a_strange_address_never_ends_in_a_fault(app: Flask, address: str) -> None:
    assert a_shop(app).client.get(address).status_code < 500


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_in_every_field_of_every_door_never_ends_in_a_fault(
    app: Flask, hostile: str
) -> None:
    owner = a_person()
    shop = a_merchant(owner)
    open_ends = {
        "token": a_checkout(shop, inr(1_000_00)).token,
        "merchant_id": shop,
        "payment_id": a_payment(Status.CAPTURED),
    }
    for browser in (browser_of(app, owner), browser_of(app, an_admin())):
        token = browser.page("/account").form("/sign-out").fields["csrf_token"]
        sent = dict.fromkeys(FIELDS, hostile) | {"csrf_token": token}
        for method in ("GET", "POST"):
            for rule in rules(app, method):
                if rule.endpoint == "account.sign_out":
                    continue
                filled = open_ends.get(
                    next(iter(rule.arguments), ""), quote(hostile[:100], safe="")
                )
                answer = browser.open(
                    address_of(rule, filled=filled or "x"),
                    method=method,
                    **{"query_string" if method == "GET" else "data": sent},
                    headers={"X-Fragment": "1"},
                )
                assert answer.status_code < 500, (method, rule.rule)
        assert browser.page("/account"), "was signed in to the end"


@pytest.mark.parametrize("address", SECRET_ADDRESSES)
def test_no_secret_of_an_address_gets_into_a_log(
    client: CheckedClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    bound: dict[str, str | None] = {}
    monkeypatch.setattr(log, "bind", bound.update)
    client.get(address)
    path = bound["path"]
    assert path is not None
    assert TOKEN not in path
    assert path.startswith(f"/{address.split('/')[1]}/")


def test_a_fault_is_told_once_without_the_secrets_of_its_address(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as lines, app.test_request_context(f"/checkout/{TOKEN}"):
        app.handle_exception(RuntimeError("a fault of ours"))
    assert [line["event"] for line in lines] == ["fault"]
    assert TOKEN not in f"{lines}{caplog.text}"


def test_a_database_fault_does_not_tell_the_values_of_its_statement(app: Flask) -> None:
    assert all(engine.hide_parameters for engine in db.db.engines.values())
    with db.db.engine.connect() as web, pytest.raises(db.DatabaseError) as fault:
        web.execute(text("SELECT 1 / length(:value) - 1 / 0"), {"value": TOKEN})
    assert TOKEN not in str(fault.value)
