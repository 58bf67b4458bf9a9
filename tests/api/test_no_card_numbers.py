"""A card number sent where none belongs is refused by the field's name, and left nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.api.desk import Program, Shop, a_shop
from tests.api.things import MAKERS
from tests.stories import scalar
from webapp import api_log
from webapp.api.routing import OPERATIONS, Operation
from webapp.kernel import db
from webapp.kernel.crypto import looks_like_card_number
from webapp.kernel.paging import PageRequest

PAN = "4000002760003184"
#: Fields that hold words of people; ids, addresses and choices have forms that no number has.
WORDS = frozenset({"description", "note", "reason", "name", "display_name", "customer_email"})
OWN = ("/orders", "/customers", "/payments", "/refunds", "/checkout-sessions", "/webhooks")


def with_words() -> list[tuple[Operation, str]]:
    """Return the operations about money that take words, each with a field for them."""
    return [
        (operation, name)
        for operation in OPERATIONS.values()
        if operation.body is not None and operation.rule.startswith(OWN)
        for name in sorted(WORDS & operation.body.model_fields.keys())
    ]


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def sent(program: Program, shop: Shop, operation: Operation, body: dict[str, Any]) -> Any:
    path = operation.rule
    for name, make in MAKERS.items():
        gap = f"<string:{name}>"
        if gap in path:
            path = path.replace(gap, make(shop))
    return program.ask(operation.method, path, json=body, root=operation.root)


@pytest.mark.requirement("S4-04")
def test_words_with_a_card_number_in_them_are_refused_by_the_fields_name(shop: Shop) -> None:
    found, program = with_words(), shop.program()
    assert len(found) > 5
    for operation, name in found:
        assert operation.body is not None
        body = operation.body.EXAMPLE | {name: "pay with 4000 0027 6000 3184"}
        answer = sent(program, shop, operation, body)
        assert answer.status_code == 400, (operation.name, name, answer.text)
        assert answer.get_json()["error"]["param"] == name, operation.name
        assert "3184" not in answer.text, operation.name


def test_metadata_takes_no_card_number_as_a_name_or_a_text(shop: Shop) -> None:
    operations = [
        one
        for one in OPERATIONS.values()
        if one.body is not None and one.rule.startswith(OWN) and "metadata" in one.body.model_fields
    ]
    assert len(operations) > 5
    program = shop.program()
    for operation in operations:
        body = {**(operation.body.EXAMPLE if operation.body else {}), "metadata": {"pan": PAN}}
        answer = sent(program, shop, operation, body)
        assert answer.status_code == 400, (operation.name, answer.text)
        assert answer.get_json()["error"]["param"] == "metadata", operation.name
    named = {"amount": 100, "currency": "INR", "metadata": {PAN: "x"}}
    assert program.post("/orders", named).get_json()["error"]["param"] == "metadata"


@pytest.mark.parametrize(
    "extra",
    [
        {"card_number": PAN},
        {"card": {"number": PAN, "cvc": "123"}},
        {PAN: "x"},
        {"payment_method": PAN},
        {"payment_method": {"card": {"number": PAN}}},
        {"order": PAN},
        {"payment_details": {"card_number": PAN, "cvv": "123"}},
    ],
)
def test_a_number_is_no_way_to_pay_and_is_said_back_nowhere(
    shop: Shop, extra: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    program = shop.program()
    body = {"amount": 100, "currency": "INR", "payment_method": "pm_card_visa", **extra}
    answer = program.post("/payments", body)
    assert answer.status_code == 400, answer.text
    assert PAN not in answer.text
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        page = PageRequest(limit=10)
        rows = api_log.requests_of(
            shop.merchant_id, livemode=False, asked=api_log.RequestFilter(), page=page
        ).rows
        kept = [f"{row.path} {row.query} {row.request_body} {row.response_body}" for row in rows]
    assert kept
    assert not [text for text in kept if PAN in text]
    assert PAN not in "".join(capfd.readouterr())


def test_a_number_in_the_address_or_as_a_key_is_kept_nowhere(shop: Shop) -> None:
    program = shop.program()
    assert program.get(f"/customers/{PAN}").status_code == 404
    key = {"Idempotency-Key": "4000 0027 6000 3184"}
    answer = program.post("/orders", {"amount": 100, "currency": "INR"}, **key)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["param"] == "Idempotency-Key"
    assert scalar("SELECT count(*) FROM api_request WHERE path LIKE '/api/v1/customers/%'") == 1
    for digits in (PAN, key["Idempotency-Key"]):
        for table in ("api_request", "idempotency_key"):
            found = f"SELECT count(*) FROM {table} r WHERE r::text LIKE :part"
            assert scalar(found, part=f"%{digits}%") == 0, table


def test_a_uuid_that_passes_for_a_number_by_chance_is_a_key(shop: Shop) -> None:
    key = {"Idempotency-Key": "40000027-6000-3184-a1b2-c3d4e5f60718"}
    assert looks_like_card_number(key["Idempotency-Key"])
    answer = shop.program().post("/orders", {"amount": 100, "currency": "INR"}, **key)
    assert answer.status_code == 201
