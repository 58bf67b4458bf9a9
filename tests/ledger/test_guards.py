"""Every guard of the ledger, attacked as each role that the portal has, and as the owner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from supervisor.stores import Stores
from tests.books import (
    ALICE,
    BOB,
    RIVAL,
    SHOP,
    captured,
    committed_portal,
    count,
    inr,
    post,
    refusal_of,
    settle_in,
    spent,
    topped_up,
    worker_of,
)
from tests.portal import Committed
from webapp import ledger
from webapp.kernel import db
from webapp.ledger.entries import payload

PORTAL_ROLES = ("paydeck_web", "paydeck_admin", "paydeck_worker")
NO_PRIVILEGE = "42501"
APPEND_ONLY = "PD001"
CLOSED = "PD005"
UNBALANCED = "PD006"
TABLES = ("ledger_account", "transfer", "entry", "balance", "balance_checkpoint", "ledger_fold")
TRANSFER = (
    "INSERT INTO transfer (id, reference, kind, merchant_id, livemode, at, because)"
    f" VALUES (%s, %s, 'x', '{SHOP}', false, now(), 'x')"
)
ENTRY = (
    "INSERT INTO entry (transfer_id, position, account_id, merchant_id, livemode, currency,"
    f" amount_minor) VALUES (%s, %s, %s, '{SHOP}', false, %s, %s)"
)


@pytest.fixture(scope="module")
def posted(stores: Stores) -> Iterator[Committed]:
    """Books with one card payment, one top-up and two wallets; every attack leaves them so."""
    with committed_portal(stores) as books:
        settle_in(books)
        with worker_of(books):
            post("payment.captured:pay_1", *captured(inr(500), inr(10)))
            post("top-up:1", topped_up(ALICE, inr(1_000)), merchant_id=ledger.PLATFORM_ID)
            post("top-up:2", topped_up(BOB, inr(1_000)), merchant_id=ledger.PLATFORM_ID)
        yield books
        with worker_of(books):
            report = ledger.check_books()
        assert (report.problems, report.transfers, report.entries) == ([], 3, 8)


def account(connection: psycopg.Connection[Any], kind: str) -> str:
    """Return the id of an account of that kind."""
    found = connection.execute(
        "SELECT id FROM ledger_account WHERE kind = %s ORDER BY id LIMIT 1", (kind,)
    ).fetchone()
    assert found is not None
    return str(found[0])


@pytest.mark.parametrize("role", PORTAL_ROLES)
@pytest.mark.parametrize("table", TABLES)
def test_no_role_of_the_portal_writes_a_table_of_the_ledger(
    posted: Committed, role: str, table: str
) -> None:
    before = count(posted, table)
    with posted.connect(role) as connection:
        for statement in (
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
            f"INSERT INTO {table} DEFAULT VALUES",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
            f"DROP TABLE {table} CASCADE",
        ):
            assert refusal_of(connection, statement) == NO_PRIVILEGE, statement
    assert count(posted, table) == before


@pytest.mark.parametrize("role", PORTAL_ROLES)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET amount_minor = 1",
        "UPDATE entry SET account_id = account_id",
        "UPDATE transfer SET reference = 'other'",
        "UPDATE balance SET amount_minor = 1000000",
        "UPDATE balance_checkpoint SET amount_minor = 0",
        "UPDATE ledger_fold SET horizon = '0'",
        "UPDATE ledger_account SET user_id = NULL",
        "SET session_replication_role = replica",
        "SET ROLE paydeck_owner",
        "SET SESSION AUTHORIZATION paydeck_owner",
        "SELECT ledger_after_restore()",
        "CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz RETURN now()",
        "DROP TRIGGER balanced ON transfer",
        "CREATE TABLE mine (x int)",
    ],
)
def test_no_role_of_the_portal_gets_round_a_guard(
    posted: Committed, role: str, statement: str
) -> None:
    with posted.connect(role) as connection:
        assert refusal_of(connection, statement) == NO_PRIVILEGE


@pytest.mark.parametrize("role", ["paydeck_owner", "postgres"])
@pytest.mark.parametrize("table", ["transfer", "entry"])
def test_not_even_the_owner_changes_what_was_posted(
    posted: Committed, role: str, table: str
) -> None:
    with posted.connect(role) as connection:
        for statement in (
            f"UPDATE {table} SET livemode = true",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            assert refusal_of(connection, statement) == APPEND_ONLY, statement


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE balance SET amount_minor = amount_minor + 1",
        "DELETE FROM balance",
        "TRUNCATE balance",
    ],
)
def test_not_even_the_owner_moves_a_balance_by_hand(posted: Committed, statement: str) -> None:
    with posted.connect("paydeck_owner") as connection:
        assert refusal_of(connection, statement) == APPEND_ONLY


def test_a_transfer_without_entries_does_not_commit(posted: Committed) -> None:
    with posted.connect("paydeck_owner") as connection:
        assert refusal_of(connection, TRANSFER, "tr_x", "x") == UNBALANCED
    assert count(posted, "transfer") == 3


def test_a_transfer_that_does_not_sum_to_zero_does_not_commit(posted: Committed) -> None:
    with posted.connect("paydeck_owner") as connection:
        payable, clearing = account(connection, "payable"), account(connection, "clearing_card")
        connection.execute(TRANSFER, ("tr_x", "x"))
        connection.execute(ENTRY, ("tr_x", 1, clearing, "INR", -100))
        assert refusal_of(connection, ENTRY, "tr_x", 2, payable, "INR", 101) == UNBALANCED
    assert count(posted, "transfer") == 3


def test_checking_early_does_not_let_a_later_entry_through(posted: Committed) -> None:
    with posted.connect("paydeck_owner") as connection:
        payable, clearing = account(connection, "payable"), account(connection, "clearing_card")
        connection.execute(TRANSFER, ("tr_x", "x"))
        connection.execute(ENTRY, ("tr_x", 1, clearing, "INR", -100))
        connection.execute(ENTRY, ("tr_x", 2, payable, "INR", 100))
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        connection.execute("SET CONSTRAINTS ALL DEFERRED")
        assert refusal_of(connection, ENTRY, "tr_x", 3, payable, "INR", 5) == UNBALANCED


def test_an_entry_is_in_its_accounts_currency(posted: Committed) -> None:
    with posted.connect("paydeck_owner") as connection:
        payable = account(connection, "payable")
        connection.execute(TRANSFER, ("tr_x", "x"))
        assert refusal_of(connection, ENTRY, "tr_x", 1, payable, "USD", 100) == "23503"


def test_an_entry_is_not_of_nothing(posted: Committed) -> None:
    with posted.connect("paydeck_owner") as connection:
        payable = account(connection, "payable")
        connection.execute(TRANSFER, ("tr_x", "x"))
        assert refusal_of(connection, ENTRY, "tr_x", 1, payable, "INR", 0) == "23514"


def test_a_closed_transfer_stays_closed(posted: Committed) -> None:
    with posted.connect("paydeck_owner") as connection:
        payable = account(connection, "payable")
        found = connection.execute("SELECT id, xid::text FROM transfer LIMIT 1").fetchone()
        assert found is not None
        transfer_id, number = found
        assert refusal_of(connection, ENTRY, transfer_id, 9, payable, "INR", 5) == "23503"
        with_its_number = ENTRY.replace("amount_minor)", "amount_minor, xid)").replace(
            "%s, %s)", f"%s, %s, '{number}')"
        )
        refused = refusal_of(connection, with_its_number, transfer_id, 9, payable, "INR", 5)
        assert refused == CLOSED


def test_one_reference_is_posted_once_even_by_hand(posted: Committed) -> None:
    with posted.connect("paydeck_owner") as connection:
        assert refusal_of(connection, TRANSFER, "tr_x", "top-up:1") == "23505"


def test_a_wallet_does_not_go_below_zero_even_by_hand(posted: Committed) -> None:
    with posted.connect("paydeck_owner") as connection:
        wallet, payable = account(connection, "wallet"), account(connection, "payable")
        connection.execute(TRANSFER, ("tr_x", "x"))
        connection.execute(ENTRY, ("tr_x", 1, payable, "INR", 1_001))
        assert refusal_of(connection, ENTRY, "tr_x", 2, wallet, "INR", -1_001) == "23514"


POST = "SELECT ledger_post('tr_x', %s, 'x', %s, false, now(), 'x', NULL, %s)"


def as_web(connection: psycopg.Connection[Any], *, user: str = "", merchant: str = "") -> None:
    """Announce for whom the web's transaction runs, in the test mode."""
    connection.execute(
        "SELECT set_config('app.user', %s, true), set_config('app.merchant', %s, true),"
        " set_config('app.livemode', 'false', true)",
        (user, merchant),
    )


def lines(line: ledger.Line) -> str:
    """Return a line as the database's function takes it."""
    return json.dumps(payload([line], iter(["acc_x", "acc_y"])))


def test_the_web_pays_from_its_users_own_wallet(posted: Committed) -> None:
    with posted.connect("paydeck_web") as connection:
        as_web(connection, user=ALICE)
        done = connection.execute(POST, ("mine", SHOP, lines(spent(ALICE, inr(5))))).fetchone()
        assert done == ("posted",)
        connection.rollback()


@pytest.mark.parametrize("user", [ALICE, ""])
def test_the_web_does_not_pay_from_anothers_wallet(posted: Committed, user: str) -> None:
    with posted.connect("paydeck_web") as connection:
        as_web(connection, user=user)
        body = lines(spent(BOB, inr(5)))
        assert refusal_of(connection, POST, "theirs", SHOP, body) == NO_PRIVILEGE
    with posted.connect("postgres") as connection:
        held = connection.execute("SELECT amount_minor FROM balance").fetchall()
    assert held == [(1_000,), (1_000,)]


def test_the_web_cannot_pass_anothers_wallet_off_as_its_own(posted: Committed) -> None:
    body = json.loads(lines(spent(BOB, inr(5))))
    for entry in body:
        entry.update(owner=ALICE, merchant=ledger.PLATFORM_ID, kind="wallet")
    with posted.connect("paydeck_web") as connection:
        as_web(connection, user=ALICE, merchant=SHOP)
        refused = refusal_of(connection, POST, "theirs", SHOP, json.dumps(body))
        assert refused == NO_PRIVILEGE


def test_the_web_makes_no_money_out_of_clearing(posted: Committed) -> None:
    with posted.connect("paydeck_web") as connection:
        as_web(connection, user=ALICE, merchant=SHOP)
        body = lines(topped_up(ALICE, inr(5)))
        assert refusal_of(connection, POST, "made", SHOP, body) == NO_PRIVILEGE


@pytest.mark.parametrize("merchant", [RIVAL, ""])
def test_the_web_does_not_take_from_another_merchant(posted: Committed, merchant: str) -> None:
    payable = ledger.payable(SHOP, livemode=False, currency="INR")
    line = ledger.Line(payable, ledger.fees(livemode=False, currency="INR"), inr(5))
    with posted.connect("paydeck_web") as connection:
        as_web(connection, merchant=merchant)
        assert refusal_of(connection, POST, "theirs", SHOP, lines(line)) == NO_PRIVILEGE


def test_the_admin_posts_nothing_but_approved_corrections(posted: Committed) -> None:
    with posted.connect("paydeck_admin") as connection:
        body = lines(topped_up(ALICE, inr(5)))
        for reference in ("made", "correction:cor_none"):
            assert refusal_of(connection, POST, reference, SHOP, body) == CLOSED
    assert count(posted, "transfer") == 3


def test_an_account_that_is_not_what_its_name_says_is_refused(posted: Committed) -> None:
    body = json.loads(lines(topped_up(ALICE, inr(5))))
    body[1]["account"] = "somewhere/else"
    with posted.connect("paydeck_worker") as connection:
        refused = refusal_of(connection, POST, "odd", SHOP, json.dumps(body))
        assert refused in {"P0002", "23505"}
    assert count(posted, "transfer") == 3


def test_unset_means_no_rows(posted: Committed) -> None:
    with posted.connect("paydeck_web") as connection:
        for table in ("ledger_account", "transfer", "entry", "balance", "balance_checkpoint"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_a_person_sees_only_what_moved_in_the_own_wallet(posted: Committed) -> None:
    with posted.connect("paydeck_web") as connection:
        as_web(connection, user=ALICE)
        assert connection.execute("SELECT reference FROM transfer").fetchall() == [("top-up:1",)]
        assert connection.execute("SELECT DISTINCT user_id FROM entry").fetchall() == [(ALICE,)]
        assert connection.execute("SELECT amount_minor FROM balance").fetchall() == [(1_000,)]


def test_a_merchant_sees_only_its_own_transfers_in_its_own_mode(posted: Committed) -> None:
    seen = {}
    for merchant, mode in ((SHOP, "false"), (SHOP, "true"), (RIVAL, "false")):
        with posted.connect("paydeck_web") as connection:
            as_web(connection, merchant=merchant)
            connection.execute("SELECT set_config('app.livemode', %s, true)", (mode,))
            rows = connection.execute("SELECT reference FROM transfer").fetchall()
            seen[merchant, mode] = [row[0] for row in rows]
    assert seen == {
        (SHOP, "false"): ["payment.captured:pay_1"],
        (SHOP, "true"): [],
        (RIVAL, "false"): [],
    }


def test_the_python_verb_meets_the_same_guard(posted: Committed) -> None:
    with (
        posted.app.app_context(),
        pytest.raises(db.DatabaseError, match="not yours to pay from"),
        db.transaction(db.Scope(user_id=ALICE)),
    ):
        ledger.post(
            "theirs",
            [spent(BOB, inr(5))],
            kind="test",
            merchant_id=SHOP,
            livemode=False,
            because="x",
        )
