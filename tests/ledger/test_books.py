"""Checking the books finds every kind of damage and nothing where there is none."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.books import (
    ALICE,
    SHOP,
    TEST,
    captured,
    inr,
    post,
    spent,
    topped_up,
)
from tests.portal import Committed
from webapp import ledger
from webapp.kernel import db, ids
from webapp.kernel.money import Money
from webapp.ledger.entries import payload

BELOW_ZERO = (
    "UPDATE entry SET amount_minor = amount_minor * 9"
    " WHERE account_kind = 'wallet' AND amount_minor < 0"
)
POSTED_TWICE = (
    "ALTER TABLE transfer DROP CONSTRAINT uq_transfer_reference;"
    " UPDATE transfer SET reference = 'one'"
)
PAYABLE = ledger.payable(SHOP, TEST, "INR")


@pytest.fixture
def kept(worker: Flask, books: Committed) -> Committed:
    """Books with payments in two currencies and a wallet that paid, partly folded."""
    post("payment.captured:pay_1", *captured(inr(500), inr(10)))
    post("payment.captured:pay_2", *captured(Money(1_000, "JPY"), Money(20, "JPY")))
    post("top-up:1", topped_up(ALICE, inr(1_000)), merchant_id=ledger.PLATFORM_ID)
    ledger.fold_checkpoints()
    post("payment.captured:pay_3", spent(ALICE, inr(300)))
    return books


def damage(books: Committed, statement: str) -> None:
    """Do what no role can: change the books with every guard off."""
    with books.connect("postgres") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


@pytest.mark.requirement("S1-09")
def test_books_that_were_only_posted_to_are_sound(kept: Committed) -> None:
    report = ledger.check_books()
    assert report.problems == []
    assert report.is_sound
    assert (report.transfers, report.entries) == (4, 12)
    totals = {(t.kind, t.amount.currency): t.amount.minor for t in report.totals}
    assert totals == {
        ("clearing_card", "INR"): -1_500,
        ("clearing_card", "JPY"): -1_000,
        ("fees", "INR"): 10,
        ("fees", "JPY"): 20,
        ("payable", "INR"): 790,
        ("payable", "JPY"): 980,
        ("wallet", "INR"): 700,
    }


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("UPDATE entry SET amount_minor = amount_minor + 1 WHERE position = 2", "sum to zero"),
        ("DELETE FROM entry WHERE position = 1", "sum to zero"),
        ("DELETE FROM entry WHERE account_kind = 'fees'", "all entries together"),
        ("DELETE FROM entry", "fewer than two entries"),
        ("UPDATE balance SET amount_minor = amount_minor + 1", "a balance is not the sum"),
        ("DELETE FROM balance", "has no balance"),
        (
            "UPDATE balance_checkpoint SET amount_minor = amount_minor - 1",
            "a checkpoint is not the sum",
        ),
        ("DELETE FROM balance_checkpoint", "a finished entry is in no checkpoint"),
        ("UPDATE ledger_fold SET horizon = '9000000000'", "ahead of this server"),
        ("UPDATE transfer SET xid = '9000000000'", "ahead of this server"),
        ("UPDATE entry SET account_kind = 'fees' WHERE position = 1", "currency, mode or kind"),
        ("UPDATE entry SET currency = 'USD' WHERE position = 1", "currency, mode or kind"),
        ("UPDATE entry SET merchant_id = 'mer_x' WHERE position = 1", "transfer’s merchant"),
        ("DELETE FROM transfer", "transfer’s merchant"),
        (BELOW_ZERO, "a wallet is below zero"),
        (POSTED_TWICE, "posted twice"),
    ],
)
def test_each_kind_of_damage_is_named(kept: Committed, statement: str, names: str) -> None:
    damage(kept, statement)
    report = ledger.check_books()
    assert not report.is_sound
    assert any(names in problem for problem in report.problems), report.problems


def test_the_web_cannot_say_that_the_books_are_sound(kept: Committed) -> None:
    with kept.app.app_context(), db.scoped(db.NOBODY), pytest.raises(ledger.BooksUnreadable):
        ledger.check_books()


def test_checking_changes_nothing_and_cannot(kept: Committed) -> None:
    with db.transaction() as session:
        ledger.check_books()
        with pytest.raises(db.DatabaseError, match="read-only"):
            ledger.post(
                "payment.captured:pay_9",
                captured(inr(5), inr(1)),
                kind="x",
                merchant_id=SHOP,
                livemode=False,
                because="x",
            )
        session.rollback()


def test_folding_changes_no_balance_and_is_done_once(worker: Flask, books: Committed) -> None:
    post("payment.captured:pay_1", *captured(inr(500), inr(10)))
    before = ledger.balance(PAYABLE)
    assert ledger.fold_checkpoints() == 3
    assert ledger.fold_checkpoints() == 0
    assert ledger.balance(PAYABLE) == before == inr(490)
    post("payment.captured:pay_2", *captured(inr(500), inr(10)))
    assert ledger.balance(PAYABLE) == inr(980)
    assert ledger.fold_checkpoints() == 3
    assert ledger.balance(PAYABLE) == inr(980)
    assert ledger.check_books().problems == []


def test_folding_skips_nothing_that_commits_later(worker: Flask, books: Committed) -> None:
    """A transfer begun before a fold and committed after it is in the next one."""
    post("payment.captured:pay_0", *captured(inr(500), inr(10)))
    with books.connect("paydeck_worker") as slow:
        slow.execute(
            "SELECT ledger_post('tr_slow', 'payment.captured:slow', 'x', %s, false, now(), 'x',"
            " NULL, %s)",
            (SHOP, _body()),
        )
        post("payment.captured:pay_1", *captured(inr(500), inr(10)))
        ledger.fold_checkpoints()
        assert ledger.balance(PAYABLE) == inr(980)
        slow.commit()
    assert ledger.balance(PAYABLE) == inr(1_470)
    assert ledger.fold_checkpoints() == 3
    assert ledger.balance(PAYABLE) == inr(1_470)
    assert ledger.check_books().problems == []


def _body() -> str:
    new_id = iter(lambda: ids.new("account"), "")
    return json.dumps(payload(captured(inr(500), inr(10)), new_id))


def test_books_restored_into_a_younger_server_refuse_to_fold_until_told(
    kept: Committed, worker: Flask
) -> None:
    """A dump carries transaction numbers that a fresh server has not reached yet."""
    damage(
        kept,
        "UPDATE transfer SET xid = '8000000000'; UPDATE entry SET xid = '8000000000';"
        " UPDATE balance_checkpoint SET horizon = '9000000000';"
        " UPDATE ledger_fold SET horizon = '9000000000'",
    )
    with pytest.raises(db.DatabaseError, match="ledger_after_restore"):
        ledger.fold_checkpoints()
    assert not ledger.check_books().is_sound
    with kept.connect("paydeck_owner") as owner:
        owner.execute("SELECT ledger_after_restore()")
    assert ledger.check_books().problems == []
    assert ledger.balance(PAYABLE) == inr(790)
    post("payment.captured:pay_4", *captured(inr(500), inr(10)))
    assert ledger.balance(PAYABLE) == inr(1_280)
    ledger.fold_checkpoints()
    assert ledger.balance(PAYABLE) == inr(1_280)
    assert ledger.check_books().problems == []
