"""Customers through the API: made, changed, found; addresses only to programs."""

from __future__ import annotations

from typing import Any

from flask import Flask

from tests.api.desk import Program, a_shop, a_user
from webapp.kernel import db
from webapp.orders import Customer


def made(program: Program, email: str = "asha@people.example", **more: object) -> dict[str, Any]:
    answer = program.post("/customers", {"email": email, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def emails(program: Program, **query: object) -> list[str]:
    answer = program.get("/customers", **query)
    assert answer.status_code == 200, answer.text
    return [row["email"] for row in answer.get_json()["data"]]


def test_a_customer_is_made_and_read_by_the_merchants_program(app: Flask) -> None:
    program = a_shop(app).program()
    customer = made(program, name="Asha Raman", metadata={"crm": "4711"})
    assert (customer["object"], customer["livemode"]) == ("customer", False)
    assert (customer["email"], customer["name"]) == ("asha@people.example", "Asha Raman")
    assert customer["metadata"] == {"crm": "4711"}
    assert program.get(f"/customers/{customer['id']}").get_json() == customer


def test_the_tables_hold_neither_name_nor_address_in_the_clear(app: Flask) -> None:
    shop = a_shop(app)
    customer = made(shop.program(), name="Asha Raman")
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        row = db.session.get(Customer, customer["id"])
        assert row is not None
        written = f"{row.email_sealed} {row.name_sealed} {row.email_index}".lower()
    assert "asha" not in written
    assert "raman" not in written


def test_one_address_is_one_customer(app: Flask) -> None:
    program = a_shop(app).program()
    first = made(program)
    again = program.post("/customers", {"email": "ASHA@people.example"})
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "customer_exists")
    assert again.get_json()["error"]["param"] == "email"
    other = made(program, "meera@people.example")
    moved = program.patch(f"/customers/{other['id']}", {"email": "asha@people.example"})
    assert moved.status_code == 409
    assert emails(program) == ["meera@people.example", "asha@people.example"]
    assert made(a_shop(app).program())["id"] != first["id"]


def test_a_change_leaves_what_it_does_not_name(app: Flask) -> None:
    program = a_shop(app).program()
    customer = made(program, name="Asha Raman", metadata={"crm": "1"})
    place = f"/customers/{customer['id']}"
    changed = program.patch(place, {"email": "a.raman@people.example"}).get_json()
    assert changed == customer | {"email": "a.raman@people.example"}
    assert program.patch(place, {"metadata": {}}).get_json()["metadata"] == {}
    assert emails(program, email="A.Raman@people.example") == ["a.raman@people.example"]


def test_a_name_that_is_null_is_taken_away(app: Flask) -> None:
    program = a_shop(app).program()
    sent = {"email": "asha@people.example", "name": "Asha Raman"}
    place = f"/customers/{program.post('/customers', sent).get_json()['id']}"
    assert program.patch(place, {"metadata": {"a": "b"}}).get_json()["name"] == "Asha Raman"
    assert program.patch(place, {"name": None}).get_json()["name"] is None
    assert program.get(place).get_json()["name"] is None


def test_customers_are_listed_newest_first_page_by_page(app: Flask) -> None:
    program = a_shop(app).program()
    rows = [made(program, f"c{number}@people.example") for number in range(3)]
    first = program.get("/customers", limit=2).get_json()
    assert [row["id"] for row in first["data"]] == [rows[2]["id"], rows[1]["id"]]
    assert first["has_more"]
    rest = program.get("/customers", limit=2, starting_after=rows[1]["id"]).get_json()
    assert [row["id"] for row in rest["data"]] == [rows[0]["id"]]
    assert not rest["has_more"]
    created = rows[0]["created"]
    assert len(emails(program, **{"created[gte]": created - 60, "created[lte]": created + 60})) == 3
    assert emails(program, **{"created[lte]": created - 60}) == []


def test_a_person_of_the_merchant_sees_addresses_masked(app: Flask) -> None:
    shop = a_shop(app)
    customer = made(shop.program(), name="Asha Raman")
    owner = a_user(app, shop.owner, **{"Paydeck-Merchant": shop.merchant_id})
    seen = owner.get(f"/customers/{customer['id']}").get_json()
    assert (seen["email"], seen["name"]) == ("a•••@people.example", "A. R.")


def test_an_address_that_is_none_and_a_card_number_as_a_name_are_refused(app: Flask) -> None:
    program = a_shop(app).program()
    nobody = program.post("/customers", {"email": "not an address"})
    assert (nobody.status_code, nobody.get_json()["error"]["param"]) == (400, "email")
    card = program.post("/customers", {"email": "a@b.example", "name": "4242 4242 4242 4242"})
    assert (card.status_code, card.get_json()["error"]["param"]) == (400, "name")
    assert "4242" not in card.text
