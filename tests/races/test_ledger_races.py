"""Many threads at one wallet, one reference, one set of books."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from tests.books import (
    ALICE,
    AS_WORKER,
    BOB,
    SHOP,
    TEST,
    at_once,
    captured,
    count,
    inr,
    post,
    settle_in,
    spent,
    topped_up,
    worker_of,
)
from tests.portal import Committed
from webapp import ledger, wallets
from webapp.kernel import db

THREADS = 16
LOOKS = 300


def pay_from_wallet(number: int) -> bool:
    """Try to spend 10 of the wallet; whether it was done."""
    try:
        return post(f"payment.captured:pay_{number}", spent(ALICE, inr(10))) is not None
    except ledger.InsufficientBalance:
        return False


@pytest.mark.races
@pytest.mark.requirement("S4-32f")
def test_sixteen_threads_cannot_overdraw_a_wallet(committed: Committed) -> None:
    settle_in(committed)
    with worker_of(committed) as app:
        post("top-up:1", topped_up(ALICE, inr(105)), merchant_id=ledger.PLATFORM_ID)
        paid = at_once(app, AS_WORKER, pay_from_wallet, threads=THREADS)
        assert sum(paid) == 10
        assert ledger.balance(ledger.wallet(ALICE, TEST, "INR")) == inr(5)
        assert ledger.balance(ledger.payable(SHOP, TEST, "INR")) == inr(100)
        assert ledger.check_books().problems == []


@pytest.mark.races
def test_sixteen_threads_post_one_reference_once(committed: Committed) -> None:
    settle_in(committed)
    with worker_of(committed) as app:

        def same(_number: int) -> str | None:
            return post("payment.captured:pay_1", *captured(inr(500), inr(10)))

        posted = [one for one in at_once(app, AS_WORKER, same, threads=THREADS) if one]
        assert len(posted) == 1
        assert count(committed, "transfer") == 1
        assert ledger.balance(ledger.payable(SHOP, TEST, "INR")) == inr(490)


@pytest.mark.races
def test_the_last_money_pays_one_reference_however_often_it_is_asked(committed: Committed) -> None:
    """Whoever waited for the lock finds an empty wallet, and the reference already booked."""
    settle_in(committed)
    with worker_of(committed) as app:
        post("top-up:1", topped_up(ALICE, inr(10)), merchant_id=ledger.PLATFORM_ID)

        def same(_number: int) -> str | None:
            return post("payment.captured:pay_1", spent(ALICE, inr(10)))

        posted = [one for one in at_once(app, AS_WORKER, same, threads=THREADS) if one]
        assert len(posted) == 1
        assert ledger.balance(ledger.wallet(ALICE, TEST, "INR")) == inr(0)


@pytest.mark.races
def test_two_wallets_that_pay_each_other_at_once_do_not_deadlock(committed: Committed) -> None:
    settle_in(committed)
    purse = ledger.wallet(ALICE, TEST, "INR")
    other = ledger.wallet(BOB, TEST, "INR")

    def swap(number: int) -> str | None:
        source, target = (purse, other) if number % 2 else (other, purse)
        line = ledger.Line(source, target, inr(1))
        return post(f"sent:{number}", line, merchant_id=ledger.PLATFORM_ID)

    with worker_of(committed) as app:
        for name, user_id in (("1", ALICE), ("2", BOB)):
            post(f"top-up:{name}", topped_up(user_id, inr(99)), merchant_id=ledger.PLATFORM_ID)
        assert all(at_once(app, AS_WORKER, swap, threads=THREADS))
        assert ledger.balance(purse) == ledger.balance(other) == inr(99)
        assert ledger.check_books().problems == []


@pytest.mark.races
def test_whoever_looks_while_money_moves_sees_a_sum_of_zero(committed: Committed) -> None:
    """Payments, folds and readers at once: no reader ever sees half a transfer or a wrong sum."""
    settle_in(committed)
    total = text(
        "SELECT coalesce(sum(e.amount_minor), 0)::bigint, (SELECT coalesce(sum(c.amount_minor)"
        " + (SELECT coalesce(sum(n.amount_minor), 0) FROM entry n JOIN balance_checkpoint k"
        "    ON k.account_id = n.account_id WHERE n.xid >= k.horizon), 0)::bigint"
        " FROM balance_checkpoint c) FROM entry e"
    )

    def move(number: int) -> int:
        chance = random.Random(number)
        for turn in range(15):
            amount = inr(chance.randint(100, 9_999))
            post(f"payment.captured:{number}_{turn}", *captured(amount, amount.basis_points(200)))
            if turn % 5 == number % 5:
                ledger.fold_checkpoints()
        return number

    with worker_of(committed) as app:
        post("payment.captured:first", *captured(inr(500), inr(10)))
        ledger.fold_checkpoints()
        with ThreadPoolExecutor(1) as pool:
            moving = pool.submit(at_once, app, AS_WORKER, move, threads=6)
            seen = {tuple(row) for row in looks(app, total)}
            moving.result()
        assert seen == {(0, 0)}
        assert ledger.check_books().problems == []
        assert count(committed, "transfer") == 1 + 6 * 15


def looks(app: Flask, total: object) -> list[tuple[int, int]]:
    """Look at the sums again and again."""
    found = []
    for _look in range(LOOKS):
        found.append(db.session.execute(total).one())  # type: ignore[call-overload]
        db.end_reads()
    return found


@pytest.mark.races
def test_a_wallet_that_many_open_at_once_is_one(committed: Committed) -> None:
    settle_in(committed)
    with worker_of(committed) as app:

        def open_it(_number: int) -> str:
            return wallets.open(ALICE, "INR", TEST).id

        assert len(set(at_once(app, AS_WORKER, open_it, threads=THREADS))) == 1
    assert count(committed, "wallet") == 1
