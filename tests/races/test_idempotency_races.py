"""Sixteen requests with one key at once: one runs, the others wait their turn or get its bytes."""

from __future__ import annotations

import pytest

from tests.books import (
    ALICE,
    AS_WORKER,
    SHOP,
    TEST,
    at_once,
    captured,
    count,
    inr,
    settle_in,
    worker_of,
)
from tests.portal import Committed
from webapp import idempotency, ledger
from webapp.idempotency import Answer
from webapp.kernel import ids

THREADS = 16


@pytest.mark.races
@pytest.mark.requirement("S0-07", "S1-06")
def test_of_sixteen_requests_with_one_key_one_is_executed(committed: Committed) -> None:
    settle_in(committed)
    runs: list[str] = []

    def work() -> Answer:
        run = ids.new("request")
        runs.append(run)
        ledger.post(
            f"payment.captured:{run}",
            captured(inr(500), inr(10)),
            kind="test",
            merchant_id=SHOP,
            livemode=False,
            because="Paid.",
        )
        return Answer(201, run.encode())

    def ask(_number: int) -> Answer | None:
        try:
            return idempotency.once("user", ALICE, TEST, "one-key", "same", work)
        except idempotency.KeyInUse:
            return None

    with worker_of(committed) as app:
        for _round in range(3):
            answers = at_once(app, AS_WORKER, ask, threads=THREADS)
            given = [answer for answer in answers if answer is not None]
            assert {answer.body for answer in given} == {runs[0].encode()}
            assert given
    assert len(runs) == 1
    assert count(committed, "transfer") == 1
    assert count(committed, "idempotency_key") == 1
