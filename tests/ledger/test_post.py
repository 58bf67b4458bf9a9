"""Posting: once per reference, in balance, never from an empty wallet."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from tests.books import (
    ALICE,
    AS_WORKER,
    BOB,
    LIVE,
    RIVAL,
    SHOP,
    TEST,
    captured,
    inr,
    post,
    rows_in,
    spent,
    topped_up,
)
from webapp import ledger
from webapp.kernel import db
from webapp.kernel.errors import NotFound
from webapp.kernel.paging import PageRequest

PAYABLE = ledger.payable(SHOP, TEST, "INR")
FEES = ledger.fees(TEST, "INR")
CLEARING = ledger.clearing(TEST, "INR")
WALLET = ledger.wallet(ALICE, TEST, "INR")


@pytest.mark.requirement("S1-09")
def test_a_capture_moves_three_accounts_and_the_sum_stays_zero(held: None) -> None:
    assert post("payment.captured:pay_1", *captured(inr(100_000), inr(2_000))) is not None
    assert ledger.balance(PAYABLE) == inr(98_000)
    assert ledger.balance(FEES) == inr(2_000)
    assert ledger.balance(CLEARING) == inr(-100_000)


def test_an_account_that_was_never_used_holds_nothing(held: None) -> None:
    assert ledger.balance(ledger.payable(SHOP, LIVE, "INR")) == inr(0)


def test_posting_a_reference_twice_changes_nothing(held: None) -> None:
    lines = captured(inr(500), inr(10))
    first = post("payment.captured:pay_1", *lines)
    assert first is not None
    assert [post("payment.captured:pay_1", *lines) for _ in range(10)] == [None] * 10
    assert ledger.balance(PAYABLE) == inr(490)
    assert rows_in("transfer") == 1
    assert rows_in("entry") == 4


def test_a_reference_with_other_lines_is_refused_and_changes_nothing(held: None) -> None:
    post("payment.captured:pay_1", *captured(inr(500), inr(10)))
    with pytest.raises(ledger.ReferenceReused):
        post("payment.captured:pay_1", *captured(inr(501), inr(10)))
    with pytest.raises(ledger.ReferenceReused):
        post("payment.captured:pay_1", *captured(inr(500), inr(10)), kind="another")
    assert ledger.balance(PAYABLE) == inr(490)


@pytest.mark.requirement("S4-32e")
def test_a_wallet_pays_at_once_and_is_less_by_exactly_that(held: None) -> None:
    post("top-up:1", topped_up(ALICE, inr(1_000)), merchant_id=ledger.PLATFORM_ID)
    post("payment.captured:pay_1", spent(ALICE, inr(400)))
    assert ledger.balance(WALLET) == inr(600)
    assert ledger.balance(PAYABLE) == inr(400)


@pytest.mark.requirement("S4-32f")
def test_a_wallet_never_pays_more_than_it_holds(held: None) -> None:
    post("top-up:1", topped_up(ALICE, inr(1_000)), merchant_id=ledger.PLATFORM_ID)
    with pytest.raises(ledger.InsufficientBalance) as refused:
        post("payment.captured:pay_1", spent(ALICE, inr(1_001)))
    assert refused.value.code == "insufficient_balance"
    assert ledger.balance(WALLET) == inr(1_000)
    assert rows_in("transfer") == 1
    post("payment.captured:pay_2", spent(ALICE, inr(1_000)))
    assert ledger.balance(WALLET) == inr(0)


def test_after_a_refusal_the_transaction_is_sound_and_may_go_on(held: None) -> None:
    with db.transaction(AS_WORKER):
        with pytest.raises(ledger.InsufficientBalance):
            _post_inside("payment.captured:pay_1", spent(BOB, inr(1)))
        _post_inside("payment.captured:pay_2", *captured(inr(500), inr(10)))
    assert ledger.balance(PAYABLE) == inr(490)


def _post_inside(reference: str, *lines: ledger.Line) -> None:
    ledger.post(reference, lines, kind="test", merchant_id=SHOP, livemode=False, because="Posted.")


def test_what_is_rolled_back_was_never_posted(held: None) -> None:
    with pytest.raises(ZeroDivisionError):
        _post_and_fail()
    assert rows_in("transfer") == 0
    assert ledger.balance(PAYABLE) == inr(0)


def _post_and_fail() -> None:
    with db.transaction(AS_WORKER):
        _post_inside("payment.captured:pay_1", *captured(inr(500), inr(10)))
        raise ZeroDivisionError


def test_a_transfer_touches_no_other_merchant(held: None) -> None:
    with pytest.raises(db.DatabaseError, match="touches another merchant"):
        post("payment.captured:pay_1", *captured(inr(5), inr(1), RIVAL), merchant_id=SHOP)
    assert rows_in("transfer") == 0


def test_a_transfer_has_lines_in_its_own_mode(held: None) -> None:
    live = ledger.Line(ledger.clearing(LIVE, "INR"), ledger.payable(SHOP, LIVE, "INR"), inr(1))
    with pytest.raises(ValueError, match="own mode"):
        post("payment.captured:pay_1", live)
    with pytest.raises(ValueError, match="has lines"):
        post("payment.captured:pay_2")


def test_posting_belongs_inside_a_transaction(held: None) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        _post_inside("payment.captured:pay_1", *captured(inr(500), inr(10)))


def test_a_reversal_undoes_a_transfer_once(held: None) -> None:
    transfer_id = post("payment.captured:pay_1", *captured(inr(500), inr(10)))
    assert transfer_id is not None
    with db.transaction(AS_WORKER):
        undone = ledger.reverse(transfer_id, reference="reversal:1", because="Booked in error.")
        again = ledger.reverse(transfer_id, reference="reversal:1", because="Booked in error.")
    assert undone is not None
    assert again is None
    assert {ledger.balance(account).minor for account in (PAYABLE, FEES, CLEARING)} == {0}
    with pytest.raises(db.DatabaseError, match="uq_transfer_reverses"), db.transaction(AS_WORKER):
        ledger.reverse(transfer_id, reference="reversal:2", because="Once more.")
    assert rows_in("transfer") == 2


def test_a_top_up_that_was_spent_cannot_be_undone(held: None) -> None:
    platform = ledger.PLATFORM_ID
    transfer_id = post("top-up:1", topped_up(ALICE, inr(100)), merchant_id=platform)
    assert transfer_id is not None
    post("payment.captured:pay_1", spent(ALICE, inr(40)))
    with pytest.raises(ledger.InsufficientBalance), db.transaction(AS_WORKER):
        ledger.reverse(transfer_id, reference="reversal:1", because="Undone.")
    assert ledger.balance(WALLET) == inr(60)


def test_what_is_not_there_cannot_be_undone(held: None) -> None:
    with pytest.raises(NotFound), db.transaction(AS_WORKER):
        ledger.reverse("tr_nothing", reference="reversal:1", because="Undone.")


def test_posting_is_one_round_trip(held: None) -> None:
    statements: list[str] = []
    post("warm:1", *captured(inr(500), inr(10)))

    def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with db.transaction(AS_WORKER) as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", note)
        _post_inside("payment.captured:pay_1", *captured(inr(500), inr(10)))
        event.remove(connection, "before_cursor_execute", note)
    assert len(statements) == 1


def test_the_entries_about_a_payment_add_up(held: None) -> None:
    post("payment.captured:pay_1", *captured(inr(500), inr(10)))
    post("payment.captured:pay_11", *captured(inr(700), inr(14)))
    lines = ledger.entries_for("pay_1", merchant_id=SHOP, livemode=False)
    assert [(line.account_kind, line.amount.minor) for line in lines] == [
        ("clearing_card", -500),
        ("payable", 500),
        ("payable", -10),
        ("fees", 10),
    ]
    assert {line.reference for line in lines} == {"payment.captured:pay_1"}


def test_transfers_come_in_pages_newest_first(held: None) -> None:
    for number in range(5):
        post(f"payment.captured:pay_{number}", *captured(inr(500), inr(10)))
    first = ledger.transfers_of(SHOP, TEST, PageRequest(limit=2))
    assert [line.reference[-1] for line in first.rows] == ["4", "3"]
    assert first.newer is None
    rest = ledger.transfers_of(SHOP, TEST, PageRequest(limit=9, before=first.rows[-1].id))
    assert [line.reference[-1] for line in rest.rows] == ["2", "1", "0"]
    assert rest.older is None
    assert ledger.transfers_of(RIVAL, TEST, PageRequest()).rows == ()
