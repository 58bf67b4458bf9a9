"""The checker finds every lie that is put before it, and believes an honest run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import history
from tests.chaos.checker import check
from tests.chaos.evidence import Books
from tests.chaos.history import FAIL, INFO, INVOKE, OK, Entry, Writer
from webapp.kernel.ids import token_hash

TOKEN = "token-of-the-first-checkout"
SAVED = "token-of-a-wallet-checkout"
LOST = "token-that-nobody-made"


def entry(act: str, type_: str, client: str = "guest-1", **told: Any) -> Entry:
    return Entry(0.0, client, act, type_, told)


def paid(token: str = TOKEN, version: int = 5) -> Entry:
    return entry("read", OK, token=token, stage="paid", version=version, of="pay_1")


STORY = [
    entry("open", OK, token=TOKEN),
    entry("pay", INVOKE, token=TOKEN, method="card"),
    entry("pay", INFO, token=TOKEN, method="card"),
    entry("pay", INVOKE, token=TOKEN, method="card"),
    entry("pay", OK, token=TOKEN, method="card"),
    paid(),
    entry("order", INVOKE, "shopkeeper-1", words="chaos 1"),
    entry("order", OK, "shopkeeper-1", words="chaos 1"),
    entry("pay", INVOKE, "saver-1", token=SAVED, method="wallet"),
    entry("pay", OK, "saver-1", token=SAVED, method="wallet"),
    entry("snapshot", OK, "reader", totals={}, moved_back=[]),
]
ORDER = {"id": "ord_1", "status": "completed", "description": "Tea", "amount_minor": 100}
SOLD = {**ORDER, "id": "ord_2", "description": "chaos 1"}
PAYMENT = {
    "id": "pay_1",
    "order_id": "ord_1",
    "status": "captured",
    "method_kind": "card",
    "amount_minor": 100,
    "captured_minor": 100,
    "provider_intent_id": "pi_1",
    "version": 4,
}
FROM_WALLET = {
    **PAYMENT,
    "id": "pay_2",
    "order_id": "ord_2",
    "method_kind": "wallet",
    "provider_intent_id": None,
}
CHARGE = {"id": "pi_1", "captured": 100, "refunded": 0, "successful_charges": 1}
REFUND = {
    "id": "re_1",
    "payment_id": "pay_1",
    "status": "succeeded",
    "destination": "original",
    "amount_minor": 40,
    "note": "",
}
TRUE = Books(
    orders=[ORDER, SOLD],
    sessions=[
        {"token_hash": token_hash(TOKEN), "order_id": "ord_1"},
        {"token_hash": token_hash(SAVED), "order_id": "ord_2"},
    ],
    payments=[PAYMENT, FROM_WALLET],
    provider=[CHARGE],
)


def rules(entries: list[Entry], books: Books) -> set[str]:
    return {violation.rule for violation in check(entries, books)}


def test_an_honest_run_is_believed() -> None:
    assert check(STORY, TRUE) == []
    given = replace(TRUE, refunds=[REFUND], provider=[{**CHARGE, "refunded": 40}])
    assert check(STORY, given) == []


def test_what_nobody_was_told_may_be_either() -> None:
    doubt = [
        entry("pay", INVOKE, token=LOST, method="card"),
        entry("pay", INFO, token=LOST, method="card"),
        entry("order", INVOKE, words="chaos 2"),
        entry("order", INFO, words="chaos 2"),
    ]
    assert check([*STORY, *doubt], TRUE) == []
    made = replace(TRUE, orders=[ORDER, SOLD, {**SOLD, "id": "ord_3", "description": "chaos 2"}])
    assert check([*STORY, *doubt], made) == []


SPOILT: dict[str, tuple[str, Books]] = {
    "an order is gone": ("acknowledged and lost", replace(TRUE, orders=[ORDER])),
    "a session is gone": ("acknowledged and lost", replace(TRUE, sessions=TRUE.sessions[1:])),
    "a payment is gone": ("acknowledged and lost", replace(TRUE, payments=[FROM_WALLET])),
    "a paid order is open again": (
        "acknowledged and lost",
        replace(TRUE, orders=[{**ORDER, "status": "pending"}, SOLD]),
    ),
    "a wallet payment was undone": (
        "acknowledged and lost",
        replace(TRUE, orders=[ORDER, {**SOLD, "status": "pending"}]),
    ),
    "an order was made twice": ("done twice", replace(TRUE, orders=[ORDER, SOLD, SOLD])),
    "an order came from nowhere": (
        "never asked for",
        replace(TRUE, orders=[ORDER, SOLD, {**SOLD, "description": "chaos 9"}]),
    ),
    "money came from nowhere": (
        "never asked for",
        replace(TRUE, payments=[*TRUE.payments, {**FROM_WALLET, "id": "p", "order_id": "o"}]),
    ),
    "an order was paid twice": (
        "double charge",
        replace(TRUE, payments=[PAYMENT, FROM_WALLET, {**FROM_WALLET, "id": "pay_3"}]),
    ),
    "the provider charged twice": (
        "double charge",
        replace(TRUE, provider=[{**CHARGE, "successful_charges": 2}]),
    ),
    "a payment has two charged intents": (
        "double charge",
        replace(
            TRUE,
            payments=[*TRUE.payments, {**PAYMENT, "provider_intent_id": "pi_2"}],
            provider=[CHARGE, {**CHARGE, "id": "pi_2"}],
        ),
    ),
    "the provider took another amount": (
        "books differ",
        replace(TRUE, provider=[{**CHARGE, "captured": 99}]),
    ),
    "the provider took nothing": ("books differ", replace(TRUE, provider=[])),
    "the provider took money that nobody knows": (
        "books differ",
        replace(TRUE, provider=[CHARGE, {**CHARGE, "id": "pi_9"}]),
    ),
    "more was captured than asked": (
        "wrong amount",
        replace(TRUE, payments=[{**PAYMENT, "captured_minor": 101}, FROM_WALLET]),
    ),
    "more was given back than taken": (
        "over-refund",
        replace(TRUE, refunds=[{**REFUND, "amount_minor": 101}]),
    ),
    "the provider gave back more than it took": (
        "over-refund",
        replace(TRUE, provider=[{**CHARGE, "refunded": 101}]),
    ),
    "the provider gave back what we did not": (
        "books differ",
        replace(TRUE, provider=[{**CHARGE, "refunded": 10}]),
    ),
    "something is still open": ("left open", replace(TRUE, unfinished={"facts not told": 1})),
    "a rule does not hold": ("broken", replace(TRUE, broken={"versions": ["pay_1"]})),
}


@pytest.mark.parametrize("name", SPOILT)
def test_the_checker_finds(name: str) -> None:
    rule, books = SPOILT[name]
    assert rule in rules(STORY, books)


def test_a_reader_that_is_taken_back_in_time_is_noticed() -> None:
    assert "moved back" in rules([*STORY, paid(version=4)], TRUE)
    back = entry("snapshot", OK, "reader", totals={}, moved_back=["pay_1: 4 before, then 3"])
    assert "moved back" in rules([*STORY, back], TRUE)


def test_a_shopper_who_is_told_that_a_paid_link_has_ended_is_noticed() -> None:
    told = entry("read", OK, token=TOKEN, stage="expired", version=5, of="pay_1")
    assert rules([*STORY[:-1], told], TRUE) == {"shown as ended"}


def test_a_ledger_that_is_off_at_one_moment_is_noticed() -> None:
    off = entry("snapshot", OK, "reader", totals={"false INR": 1}, moved_back=[])
    assert "ledger not zero" in rules([*STORY, off], TRUE)


def test_a_wallet_payment_that_was_refused_and_yet_made_is_noticed() -> None:
    no = [one for one in STORY if one.client != "saver-1"]
    no += [
        entry("pay", INVOKE, "saver-1", token=SAVED, method="wallet"),
        entry("pay", FAIL, "saver-1", token=SAVED, method="wallet"),
    ]
    assert rules(no, TRUE) == {"refused but done"}


def test_an_acknowledged_refund_that_is_gone_is_noticed() -> None:
    story = [*STORY, entry("refund", OK, words="chaos giver-1 7")]
    assert "acknowledged and lost" in rules(story, TRUE)
    made = {**REFUND, "note": "chaos giver-1 7"}
    given = replace(TRUE, refunds=[made], provider=[{**CHARGE, "refunded": 40}])
    asked = [*story, entry("refund", INVOKE, words="chaos giver-1 7")]
    assert rules(asked, given) == set()
    assert rules(STORY, given) == {"never asked for"}
    twice = replace(TRUE, refunds=[made, made], provider=[{**CHARGE, "refunded": 80}])
    assert "done twice" in rules(asked, twice)


def test_a_history_is_read_back_but_for_a_line_that_a_kill_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    writer = Writer(path)
    writer.note("guest-1", "open", OK, token=TOKEN)
    writer.note("guest-1", "pay", INVOKE, token=TOKEN)
    writer.close()
    whole = list(history.read(path))
    assert [(one.act, one.type, one.told) for one in whole] == [
        ("open", OK, {"token": TOKEN}),
        ("pay", INVOKE, {"token": TOKEN}),
    ]
    with path.open("ab") as file:
        file.write(b'{"at": 1, "client"')
    assert list(history.read(path)) == whole
