"""One key, one execution, one answer; another request with it is refused and changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from supervisor.stores import Stores
from tests.books import (
    ALICE,
    BOB,
    SHOP,
    TEST,
    captured,
    committed_portal,
    count,
    inr,
    refusal_of,
    settle_in,
    worker_of,
)
from tests.portal import Committed
from webapp import idempotency, ledger
from webapp.idempotency import Answer
from webapp.kernel import clock, db
from webapp.kernel.errors import Declined


@pytest.fixture(scope="module")
def database(stores: Stores) -> Iterator[Committed]:
    """One database for all; each test has a key of its own."""
    with committed_portal(stores) as portal:
        settle_in(portal)
        yield portal


@pytest.fixture
def books(database: Committed) -> Iterator[Committed]:
    """That database, seen by a worker."""
    with worker_of(database):
        yield database


class Work:
    """Books a payment and counts how often it was run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.runs = 0

    def __call__(self) -> Answer:
        self.runs += 1
        ledger.post(
            f"payment.captured:{self.name}",
            captured(inr(500), inr(10)),
            kind="test",
            merchant_id=SHOP,
            livemode=False,
            because="Paid.",
        )
        return Answer(201, b'{"run": %d, "odd": "\xff\x00"}' % self.runs, {"Location": "/x"})


def once(work: Work, *, key: str, request_hash: str = "h", actor_id: str = ALICE) -> Answer:
    """Run work under a key."""
    return idempotency.once(
        actor_kind="user",
        actor_id=actor_id,
        livemode=False,
        key=key,
        request_hash=request_hash,
        work=work,
    )


def test_the_second_request_gets_the_same_bytes_and_runs_nothing(books: Committed) -> None:
    work = Work("pay_1")
    first = once(work, key="first")
    again = once(work, key="first")
    assert work.runs == 1
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.status, again.body, dict(again.headers)) == (201, first.body, {"Location": "/x"})


def test_another_request_with_the_key_is_refused_and_runs_nothing(books: Committed) -> None:
    work = Work("pay_2")
    once(work, key="second", request_hash="one")
    with pytest.raises(idempotency.KeyReused):
        once(work, key="second", request_hash="other")
    assert work.runs == 1


def test_a_key_belongs_to_its_actor(books: Committed) -> None:
    mine, theirs = Work("pay_3"), Work("pay_4")
    once(mine, key="third", actor_id=ALICE)
    assert not once(theirs, key="third", actor_id=BOB).replayed
    assert (mine.runs, theirs.runs) == (1, 1)


def test_a_malformed_key_runs_nothing(books: Committed) -> None:
    work = Work("pay_5")
    with pytest.raises(idempotency.KeyMalformed):
        once(work, key="")
    assert work.runs == 0


def test_work_that_fails_leaves_nothing_and_frees_the_key(books: Committed) -> None:
    transfers = count(books, "transfer")

    class Failing(Work):
        def __call__(self) -> Answer:
            super().__call__()
            if self.runs == 1:
                raise Declined
            return Answer(200, b"done")

    work = Failing("pay_6")
    with pytest.raises(Declined):
        once(work, key="sixth")
    assert count(books, "transfer") == transfers
    assert once(work, key="sixth").body == b"done"
    assert count(books, "transfer") == transfers + 1


def test_a_refusal_can_be_remembered_though_its_work_is_undone(books: Committed) -> None:
    transfers = count(books, "transfer")

    class Refusing(Work):
        def __call__(self) -> Answer:
            super().__call__()
            raise idempotency.Refused(Answer(402, b"declined"))

    work = Refusing("pay_7")
    first, again = once(work, key="seventh"), once(work, key="seventh")
    assert (first.status, first.body, first.replayed) == (402, b"declined", False)
    assert (again.status, again.body, again.replayed) == (402, b"declined", True)
    assert work.runs == 1
    assert count(books, "transfer") == transfers


def test_while_the_first_still_runs_the_second_is_told_to_ask_again(books: Committed) -> None:
    work = Work("pay_8")
    name = idempotency.request_hash("user", ALICE, "False", "eighth")
    with books.connect("paydeck_worker") as first:
        first.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"idempotency:{name}",)
        )
        with pytest.raises(idempotency.KeyInUse) as refused:
            once(work, key="eighth")
    assert refused.value.retry_after_seconds == 1
    assert work.runs == 0
    assert not once(work, key="eighth").replayed


def test_however_many_keys_are_old_one_run_forgets_them_batch_by_batch(books: Committed) -> None:
    with clock.standing_at(clock.now() - dt.timedelta(hours=80)):
        for number in range(7):
            idempotency.once("user", "many", TEST, f"{number}", "h", lambda: Answer(200, b"x"))
    assert idempotency.sweep(at_once=2) == 7
    assert idempotency.sweep() == 0


def test_an_answer_is_found_only_in_the_scope_in_which_it_was_given(books: Committed) -> None:
    statement = "SELECT count(*) FROM idempotency_key WHERE actor_id = 'scoped'"
    with books.app.app_context(), db.scoped(db.Scope(user_id=ALICE)):
        idempotency.once("user", "scoped", TEST, "k", "h", lambda: Answer(200, b"x"))
    seen = {}
    for user in (ALICE, BOB, ""):
        with books.connect("paydeck_web") as web:
            web.execute("SELECT set_config('app.user', %s, true)", (user,))
            seen[user] = web.execute(statement).fetchone()
    assert seen == {ALICE: (1,), BOB: (0,), "": (0,)}


def test_keys_are_kept_for_72_hours_and_then_forgotten(books: Committed) -> None:
    now = clock.now()
    for hours in (71, 73):
        with clock.standing_at(now - dt.timedelta(hours=hours)):
            idempotency.once("user", "old", TEST, f"{hours}", "h", lambda: Answer(200, b"x"))
    assert idempotency.sweep() == 1
    assert idempotency.sweep() == 0
    assert idempotency.once("user", "old", TEST, "71", "h", lambda: Answer(200, b"y")).replayed
    assert not idempotency.once("user", "old", TEST, "73", "h", lambda: Answer(200, b"y")).replayed


@pytest.mark.parametrize("role", ["paydeck_web", "paydeck_admin", "paydeck_worker"])
def test_no_role_changes_an_answer_or_forgets_it_early(books: Committed, role: str) -> None:
    with books.connect(role) as connection:
        assert refusal_of(connection, "UPDATE idempotency_key SET status = 200") == "42501"
        assert refusal_of(connection, "TRUNCATE idempotency_key") == "42501"
    before = count(books, "idempotency_key")
    with books.connect("paydeck_worker") as worker:
        worker.execute("DELETE FROM idempotency_key")
    assert count(books, "idempotency_key") == before
