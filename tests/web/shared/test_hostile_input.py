"""What no browser sends: text that cannot be kept, days beyond the calendar; and what logs say."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.checked_client import CheckedClient
from tests.web.merchant.world import a_shop
from webapp.kernel import db, log

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


@pytest.mark.parametrize("address", STRANGE)
def test_a_strange_address_never_ends_in_a_fault(app: Flask, address: str) -> None:
    assert a_shop(app).client.get(address).status_code < 500


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
