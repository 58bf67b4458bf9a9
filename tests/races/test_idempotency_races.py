"""Many requests with one key at once: one runs, the others wait their turn or get its bytes."""

from __future__ import annotations

import time
from collections import Counter

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
from webapp.kernel import db, ids

THREADS = 16
CROWD = 200
CROWD_SECONDS = 60.0


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


@pytest.mark.races
@pytest.mark.requirement("S0-07", "S1-06")
def test_two_hundred_threads_with_one_key_get_one_execution_and_equal_bytes(
    committed: Committed,
) -> None:
    """Each asks on, as a patient client does: told to wait, or without a connection for now."""
    settle_in(committed)
    runs: list[str] = []
    turned_away: Counter[str] = Counter()
    ends = time.monotonic() + CROWD_SECONDS

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
        time.sleep(0.2)  # so that the others come while it runs
        return Answer(201, run.encode(), {"Location": f"/v1/payments/{run}"})

    def ask(_number: int) -> Answer:
        while True:
            try:
                return idempotency.once("user", ALICE, TEST, "crowded-key", "same", work)
            except (idempotency.KeyInUse, db.NoConnectionFree) as wait:
                turned_away[type(wait).__name__] += 1
                assert time.monotonic() < ends
                time.sleep(0.05)

    with worker_of(committed) as app:
        answers = at_once(app, AS_WORKER, ask, threads=CROWD)
    assert len(answers) == CROWD
    assert len(runs) == 1
    assert {(one.status, one.body, str(one.headers)) for one in answers} == {
        (201, runs[0].encode(), str({"Location": f"/v1/payments/{runs[0]}"}))
    }
    assert sum(not one.replayed for one in answers) == 1
    assert turned_away["KeyInUse"] > 0
    assert count(committed, "transfer") == 1
    assert count(committed, "idempotency_key") == 1
