"""The portal's own work for a payment, beside hand-written SQL that writes the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event

from bench.report import Report
from bench.world import PRICE, World
from jobs.subscriptions import CONSUMERS
from jobs.telling import tell
from webapp import gateway, ledger, payments
from webapp.gateway import CallKey, Card, Confirm, CreateIntent, Outcome, Result
from webapp.kernel import crypto, db, ids
from webapp.orders import CheckoutRef

ROUNDS = 3
A_ROUND = 40
LIMIT = Path(__file__).with_name("limit.sql")
RETURN = "http://localhost:8000/checkout/bench/return"


class Instant:
    """A provider that answers at once, so that only the portal's own work is measured."""

    name = "stripe"
    livemode = False

    def _never(self, key: CallKey, call: object) -> Outcome:
        raise AssertionError("the measurement makes no such call")

    capture = cancel = create_session = expire_session = look_up = _never

    def create_intent(self, key: CallKey, call: CreateIntent) -> Outcome:
        return Outcome(Result.CREATED, intent_id=f"pi_{key.subject_id}")

    def confirm(self, key: CallKey, call: Confirm) -> Outcome:
        return Outcome(
            Result.SUCCEEDED,
            intent_id=call.intent_id,
            method_id=call.method_id,
            amount=PRICE,
            charge_id=f"ch_{key.subject_id}",
            card=Card("visa", "4242", 12, 2034, "credit", "IN"),
        )


def measure(report: Report, world: World) -> None:
    """Measure card and wallet payments against the limit, in interleaved rounds."""
    gateway.put(Instant())  # type: ignore[arg-type]
    kinds = {"wallet": (_wallet, _limit_wallet), "card": (_card, _limit_card)}
    with psycopg.connect(world.stores.dsn("paydeck_owner"), autocommit=True) as owner:
        owner.execute(LIMIT.read_text())
        accounts = _accounts(owner, world)
        for kind, (ours, limit) in kinds.items():
            _warm(world, ours)
            mine, least = [], []
            least_work = partial(limit, owner, world, accounts)
            for _ in range(ROUNDS):
                least.append(_rate(world.checkouts(A_ROUND), least_work))
                mine.append(_rate(world.checkouts(A_ROUND), partial(ours, world)))
            report.add(f"{kind} payment, hand-written SQL", "payments/s", least)
            report.add(f"{kind} payment, the portal's own work", "payments/s", mine)
            share = sum(mine) / sum(least)
            report.ratio(f"{kind} payment: portal ÷ hand-written SQL", share)
            with _counted(world) as statements:
                ours(world, world.checkouts(1)[0])
            report.add(f"{kind} payment, statements", "statements", [float(len(statements))])
    _told(report, world)
    _prove(world)


def _wallet(world: World, ref: CheckoutRef) -> None:
    with world.web.app_context():
        db.use_scope(world.scope)
        payments.pay_from_wallet(ref, payer=world.payer)


def _card(world: World, ref: CheckoutRef) -> None:
    with world.web.app_context():
        db.use_scope(world.scope)
        payments.start_card(
            ref, f"pm_{ref.order_id.removeprefix('ord_')}", return_url=RETURN, payer=world.payer
        )
    with world.worker.app_context():
        db.use_scope(db.WORKER)
        gateway.operations.drain(
            lambda op, answer: payments.apply(op.subject_id, answer, purpose=op.purpose)
        )


def _limit_wallet(
    owner: psycopg.Connection[Any], world: World, accounts: dict[str, list[str]], ref: CheckoutRef
) -> None:
    owner.execute(
        "SELECT bench_wallet(%s, %s, %s, %s, %s, %s, %s, %s)",
        (ref.order_id, ids.new("payment"), ids.new("attempt"), ids.new("transfer"),
         world.merchant_id, world.user_id, _sealed(), accounts["wallet"]),
    )  # fmt: skip


def _limit_card(
    owner: psycopg.Connection[Any], world: World, accounts: dict[str, list[str]], ref: CheckoutRef
) -> None:
    payment = ids.new("payment")
    who = (world.merchant_id, world.user_id)
    owner.execute(
        "SELECT bench_card_begin(%s, %s, %s, %s, %s, %s)",
        (ref.order_id, payment, ids.new("attempt"), *who, _sealed()),
    )
    owner.execute("SELECT bench_claim(%s, 'create_intent')", (payment,))
    owner.execute("SELECT bench_answer(%s, %s, 'create_intent')", (payment, world.merchant_id))
    owner.execute("SELECT bench_claim(%s, 'confirm')", (payment,))
    owner.execute(
        "SELECT bench_card_end(%s, %s, %s, %s, %s, %s)",
        (ref.order_id, payment, ids.new("transfer"), *who, accounts["card"]),
    )


def _sealed() -> str:
    return crypto.seal('{"email": "bench@shoppers.example"}', context="bench")


def _rate(refs: Iterable[CheckoutRef], pay: Callable[[CheckoutRef], None]) -> float:
    begun, count = time.perf_counter(), 0
    for ref in refs:
        pay(ref)
        count += 1
    return count / (time.perf_counter() - begun)


def _warm(world: World, pay: Callable[[World, CheckoutRef], None]) -> None:
    for ref in world.checkouts(5):
        pay(world, ref)


def _accounts(owner: psycopg.Connection[Any], world: World) -> dict[str, list[str]]:
    """Open the accounts that the limit posts to by paying once, and return their ids."""
    _warm(world, _wallet)
    _warm(world, _card)

    def found(ref: ledger.AccountRef) -> str:
        row = owner.execute("SELECT id FROM ledger_account WHERE name = %s", (ref.name,)).fetchone()
        assert row is not None, ref.name
        return str(row[0])

    payable = found(ledger.payable(world.merchant_id, False, "INR"))
    fees = found(ledger.fees(False, "INR"))
    wallet = found(ledger.wallet(world.user_id, False, "INR"))
    clearing = found(ledger.clearing(False, "INR"))
    return {"wallet": [wallet, payable, fees], "card": [clearing, payable, fees]}


@contextmanager
def _counted(world: World) -> Any:
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    engines = []
    for app in (world.web, world.worker):
        with app.app_context():
            engines += list(db.db.engines.values())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        made = world.checkouts(0)
        assert made == []
        statements.clear()
        yield _OnlyPayments(statements)
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


class _OnlyPayments(list[str]):
    """The statements since the last order was made; making orders is not part of a payment."""

    def __init__(self, statements: list[str]) -> None:
        super().__init__()
        self._statements = statements

    def __len__(self) -> int:
        last = max(
            (n for n, one in enumerate(self._statements) if "INSERT INTO checkout_session" in one),
            default=-1,
        )
        after = self._statements[last + 1 :]
        first = next((n for n, one in enumerate(after) if "set_config('app.merchant'" in one), 0)
        return len(after) - first


def _told(report: Report, world: World) -> None:
    """Tell all facts so far to every consumer, and say how fast."""
    begun, count = time.perf_counter(), 0
    with world.worker.app_context():
        for name, consumer in CONSUMERS.items():
            while done := tell(name, consumer):
                count += done
    report.add("facts told to their consumers", "facts/s", [count / (time.perf_counter() - begun)])


def _prove(world: World) -> None:
    """After the load: the books are sound."""
    with world.web.app_context():
        db.use_scope(db.OWNER)
        checked = ledger.check_books()
        assert checked.is_sound, checked.problems
    print(f"  proof: {checked.transfers} transfers, {checked.entries} entries, books sound")
