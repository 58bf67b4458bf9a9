"""Wallets by the API: opened, filled by card alone, looked at, sent from; each person’s own."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from tests.api.desk import Program, a_user
from tests.builders import PASSWORD, Someone, a_person, an_admin, inr, money_in_wallet
from tests.stories import scalar
from webapp import accounts

NOBODYS = "wal_01KAJ8Z5V0W3N7Q2R4S6T8X9YB"


@pytest.fixture
def asha(app: Flask) -> Someone:
    """Somebody with ₹1,000.00 in the wallet."""
    person = a_person("Asha Raman")
    money_in_wallet(person, inr(1_000_00))
    return person


@pytest.fixture
def meera(app: Flask) -> Someone:
    """Somebody without a wallet."""
    return a_person("Meera Nair")


def wallet_of(program: Program, currency: str = "INR") -> str:
    """Return the id of the person's wallet."""
    found = program.get("/wallets").get_json()["data"]
    return next(str(one["id"]) for one in found if one["currency"] == currency)


@pytest.mark.requirement("S2-14", "S2-46")
def test_a_wallet_is_opened_once_for_each_currency(app: Flask, meera: Someone) -> None:
    mine = a_user(app, meera)
    first = mine.post("/wallets", {"currency": "inr"})
    assert (first.status_code, first.get_json()["currency"]) == (201, "INR")
    assert first.get_json()["balance"] == 0
    assert mine.post("/wallets", {"currency": "INR"}).get_json()["id"] == first.get_json()["id"]
    mine.post("/wallets", {"currency": "USD"})
    found = mine.get("/wallets").get_json()
    assert [one["currency"] for one in found["data"]] == ["INR", "USD"]
    assert mine.post("/wallets", {"currency": "XXX"}).status_code == 400


@pytest.mark.requirement("S2-15", "S3-02")
def test_what_is_in_a_wallet_is_told_in_minor_units(app: Flask, asha: Someone) -> None:
    mine = a_user(app, asha)
    wallet_id = wallet_of(mine)
    assert mine.get(f"/wallets/{wallet_id}").get_json()["balance"] == 1_000_00
    balance = mine.get(f"/wallets/{wallet_id}/balance").get_json()
    assert (balance["available"], balance["currency"]) == (1_000_00, "INR")


@pytest.mark.requirement("S2-16", "S2-23")
def test_a_deposit_is_an_order_to_be_paid_by_card_and_no_money_by_itself(
    app: Flask, asha: Someone
) -> None:
    mine = a_user(app, asha)
    wallet_id = wallet_of(mine)
    answer = mine.post(f"/wallets/{wallet_id}/deposits", {"amount": 500_00})
    assert answer.status_code == 201, answer.text
    told = answer.get_json()
    assert told["url"].startswith("http://localhost:8000/checkout/")
    page = app.test_client().get(told["url"].removeprefix("http://localhost:8000"))
    assert "Top up your wallet" in page.text
    assert mine.get(f"/wallets/{wallet_id}").get_json()["balance"] == 1_000_00
    kind = "SELECT kind || ' ' || amount_minor || ' ' || user_id FROM shop_order WHERE id = :id"
    assert scalar(kind, id=told["order"]) == f"top_up 50000 {asha.id}"


def test_a_deposit_sent_twice_with_one_key_is_one_order_with_one_link(
    app: Flask, asha: Someone
) -> None:
    mine = a_user(app, asha)
    path = f"/wallets/{wallet_of(mine)}/deposits"
    key = {"Idempotency-Key": "top-up-1"}
    first, second = (mine.post(path, {"amount": 500_00}, **key) for _ in range(2))
    assert first.data == second.data
    assert second.headers["Idempotent-Replayed"] == "true"
    kept = "SELECT position(:url in convert_from(body, 'UTF8')) FROM idempotency_key"
    assert scalar(kept, url=first.get_json()["url"]) == 0, "a link is kept sealed"


@pytest.mark.requirement("S2-25")
def test_money_is_sent_to_another_person_at_once(app: Flask, asha: Someone, meera: Someone) -> None:
    mine, theirs = a_user(app, asha), a_user(app, meera)
    path = f"/wallets/{wallet_of(mine)}/transfers"
    sent = {"recipient": meera.email, "amount": 250_00, "note": "For the tea"}
    told = mine.post(path, sent).get_json()
    assert (told["direction"], told["counterpart_name"]) == ("out", "Meera Nair")
    assert (told["status"], told["amount"], told["note"]) == ("COMPLETED", 250_00, "For the tea")
    got = theirs.get("/wallet-transfers").get_json()["data"]
    assert [(one["id"], one["direction"], one["counterpart_name"]) for one in got] == [
        (told["id"], "in", "Asha Raman")
    ]
    assert mine.get(f"/wallet-transfers/{told['id']}").get_json() == told
    theirs.post("/wallets", {"currency": "INR"})
    assert theirs.get(f"/wallets/{wallet_of(theirs)}").get_json()["balance"] == 250_00
    assert mine.get(f"/wallets/{wallet_of(mine)}").get_json()["balance"] == 750_00


def test_money_sent_twice_with_one_key_is_sent_once(
    app: Flask, asha: Someone, meera: Someone
) -> None:
    mine = a_user(app, asha)
    path = f"/wallets/{wallet_of(mine)}/transfers"
    sent = {"recipient": meera.email, "amount": 250_00}
    key = {"Idempotency-Key": "for-the-tea"}
    first, second = (mine.post(path, sent, **key) for _ in range(2))
    assert (first.status_code, first.data) == (201, second.data)
    other = mine.post(path, sent | {"amount": 300_00}, **key)
    assert (other.status_code, other.get_json()["error"]["code"]) == (422, "key_reused")
    assert mine.get(f"/wallets/{wallet_of(mine)}").get_json()["balance"] == 750_00


@pytest.mark.requirement("S2-19")
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": 1_000_01}, 402, "insufficient_balance"),
        ({"recipient": "nobody@people.example"}, 400, "recipient_unknown"),
        ({"recipient": "usr_1"}, 400, "recipient_unknown"),
        ({"recipient": "me"}, 400, "recipient_is_sender"),
        ({"amount": 0}, 400, "parameter_invalid"),
        ({"amount": "250"}, 400, "parameter_invalid"),
        ({"amount": 2.5}, 400, "parameter_invalid"),
        ({"note": "4242 4242 4242 4242"}, 400, "parameter_invalid"),
        ({"to": "x"}, 400, "parameter_unknown"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_moves_nothing(
    app: Flask,
    asha: Someone,
    meera: Someone,
    change: dict[str, object],
    status: int,
    code: str,
) -> None:
    mine = a_user(app, asha)
    if change.get("recipient") == "me":
        change = {"recipient": asha.id}
    path = f"/wallets/{wallet_of(mine)}/transfers"
    answer = mine.post(path, {"recipient": meera.email, "amount": 1_00} | change)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
    assert mine.get(f"/wallets/{wallet_of(mine)}").get_json()["balance"] == 1_000_00


def test_who_tries_many_addresses_waits_even_when_each_was_refused(
    app: Flask, asha: Someone
) -> None:
    mine = a_user(app, asha)
    path = f"/wallets/{wallet_of(mine)}/transfers"
    statuses = {
        mine.post(path, {"recipient": f"a{n}@people.example", "amount": 1}).status_code
        for n in range(30)
    }
    assert statuses == {400}
    answer = mine.post(path, {"recipient": "b@people.example", "amount": 1})
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)


def test_who_has_not_confirmed_the_address_moves_no_money(app: Flask, meera: Someone) -> None:
    email = "unconfirmed@people.example"
    new = accounts.register(email, "New", PASSWORD, address="192.0.2.40")
    mine = a_user(app, Someone(new.user_id, email))
    wallet_id = mine.post("/wallets", {"currency": "INR"}).get_json()["id"]
    for path, sent in (
        ("transfers", {"recipient": meera.email, "amount": 1}),
        ("deposits", {"amount": 1_00}),
    ):
        assert mine.post(f"/wallets/{wallet_id}/{path}", sent).status_code == 403


@pytest.mark.requirement("S2-78")
def test_anothers_wallet_is_as_one_that_is_not_there(
    app: Flask, asha: Someone, meera: Someone
) -> None:
    theirs, mine = wallet_of(a_user(app, asha)), a_user(app, meera)
    for path in ("", "/balance", "/statement", "/statement/csv"):
        answers = [mine.get(f"/wallets/{one}{path}") for one in (theirs, NOBODYS)]
        assert [answer.status_code for answer in answers] == [404, 404]
    for path, sent in (
        ("transfers", {"recipient": asha.email, "amount": 1}),
        ("deposits", {"amount": 1_00}),
    ):
        assert mine.post(f"/wallets/{theirs}/{path}", sent).status_code == 404
    assert scalar("SELECT count(*) FROM wallet_transfer") == 0


def test_a_statement_is_read_in_pages_without_a_gap(
    app: Flask, asha: Someone, meera: Someone
) -> None:
    mine = a_user(app, asha)
    wallet_id = wallet_of(mine)
    for minor in (1, 2, 3, 4):
        sent = {"recipient": meera.email, "amount": minor}
        mine.post(f"/wallets/{wallet_id}/transfers", sent)
    seen: list[int] = []
    asked = {"limit": "2"}
    while True:
        page = mine.get(f"/wallets/{wallet_id}/statement", **asked).get_json()
        seen += [line["amount"] for line in page["data"]]
        if not page["has_more"]:
            break
        asked["starting_after"] = page["data"][-1]["id"]
    assert seen == [-4, -3, -2, -1, 1_000_00]
    theirs = a_user(app, meera)
    wallet = theirs.post("/wallets", {"currency": "INR"}).get_json()["id"]
    wrong = theirs.get(f"/wallets/{wallet}/statement", starting_after=asked["starting_after"])
    assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (400, "cursor_unknown")


def test_a_statement_is_exported_as_csv(app: Flask, asha: Someone, meera: Someone) -> None:
    mine = a_user(app, asha)
    wallet_id = wallet_of(mine)
    mine.post(f"/wallets/{wallet_id}/transfers", {"recipient": meera.email, "amount": 250_50})
    answer = mine.get(f"/wallets/{wallet_id}/statement/csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["amount"], row["currency"]) for row in rows] == [
        ("-250.50", "INR"),
        ("1000.00", "INR"),
    ]


@pytest.mark.requirement("S2-18")
def test_an_admin_switches_a_wallet_off_and_on_with_a_reason(
    app: Flask, asha: Someone, meera: Someone
) -> None:
    mine, admin = a_user(app, asha), a_user(app, an_admin())
    wallet_id = wallet_of(mine)
    why = {"because": "Asked for by its owner."}
    off = admin.post(f"/admin/wallets/{wallet_id}/deactivate", why)
    assert (off.status_code, off.get_json()["status"]) == (200, "INACTIVE")
    sent = {"recipient": meera.email, "amount": 1}
    refused = mine.post(f"/wallets/{wallet_id}/transfers", sent)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (402, "wallet_inactive")
    filled = mine.post(f"/wallets/{wallet_id}/deposits", {"amount": 10_000})
    assert (filled.status_code, filled.get_json()["error"]["code"]) == (402, "wallet_inactive")
    assert admin.post(f"/admin/wallets/{wallet_id}/activate", why).status_code == 200
    assert mine.post(f"/wallets/{wallet_id}/transfers", sent).status_code == 201
    acts = "SELECT string_agg(action, ' ' ORDER BY id) FROM audit_entry WHERE subject_id = :id"
    assert scalar(acts, id=wallet_id) == "wallet.deactivated wallet.activated"
