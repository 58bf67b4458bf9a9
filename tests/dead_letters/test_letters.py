"""What gave up is in one list; a person takes it up again or decides, and each deed is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.dead_letters.piles import a_call, a_delivery, a_fact, a_mail, a_message, run
from tests.stories import behind, scalar
from webapp import dead_letters
from webapp.dead_letters import Letter, LetterKind, LetterNotFound, NotLikeThis
from webapp.gateway import Decision
from webapp.kernel import clock, db
from webapp.kernel.errors import Invalid
from webapp.kernel.paging import PageRequest, page_request
from webapp.outbox import Actor

pytestmark = pytest.mark.usefixtures("app")
BY = Actor("admin", "usr_1")
PILES: dict[LetterKind, Callable[[], str]] = {
    LetterKind.CALL: a_call,
    LetterKind.EVENT: a_message,
    LetterKind.FACT: a_fact,
    LetterKind.MAIL: a_mail,
    LetterKind.DELIVERY: a_delivery,
}
NOTHING = Decision("not_done", "The provider’s page shows nothing.")


@pytest.fixture(autouse=True)
def _as_admin(app: Flask) -> Iterator[None]:
    db.use_scope(db.ADMIN)
    yield
    db.use_scope(db.NOBODY)


def letters(kind: LetterKind | None = None) -> list[Letter]:
    return list(dead_letters.listed(kind, page=PageRequest()).rows)


def piled(kind: LetterKind) -> str:
    with db.scoped(db.NOBODY):
        return PILES[kind]()


def audited(action: str, letter_id: str) -> int:
    return int(
        scalar(
            "SELECT count(*) FROM audit_entry WHERE action = :action AND subject_id = :id"
            " AND actor_kind = 'admin'",
            action=f"dead_letter.{action}",
            id=letter_id,
        )
    )


@pytest.mark.requirement("S1-12")
def test_every_kind_of_work_that_gave_up_is_in_the_one_list() -> None:
    made = {kind: piled(kind) for kind in LetterKind}
    assert {(one.kind, one.id) for one in letters()} == set(made.items())
    assert dead_letters.counts() == dict.fromkeys(LetterKind, 1)
    for kind, letter_id in made.items():
        assert [one.id for one in letters(kind)] == [letter_id]
        found = dead_letters.letter(kind, letter_id)
        assert found.error
        assert found.reason == found.error.partition(":")[0]


def test_what_has_not_given_up_is_in_no_list() -> None:
    with db.scoped(db.NOBODY):
        call, message, fact, mail = a_call(), a_message(), a_fact(), a_mail()
    again = "UPDATE provider_operation SET state = 'unknown', due_at = clock_now() WHERE id = :id"
    run(again, id=call)
    run("UPDATE provider_event SET due_at = clock_now() WHERE event_id = :id", id=message)
    run("UPDATE outbox_due SET due_at = clock_now()")
    run("UPDATE mail SET status = 'waiting' WHERE id = :id", id=mail)
    assert letters() == []
    assert fact
    # What gave up on its way to a merchant's server stays so: sent again it is a new delivery.
    kinds = [kind for kind in LetterKind if kind is not LetterKind.DELIVERY]
    for kind, letter_id in zip(kinds, (call, message, fact, mail), strict=True):
        with pytest.raises(LetterNotFound):
            dead_letters.letter(kind, letter_id)
        with pytest.raises(LetterNotFound):
            dead_letters.retry(kind, letter_id, by=BY)
        assert audited("retried", letter_id) == 0


@pytest.mark.requirement("S1-12", "S1-19")
@pytest.mark.parametrize("kind", LetterKind)
def test_a_letter_is_taken_up_again_once_and_that_is_kept(kind: LetterKind) -> None:
    letter_id = piled(kind)
    dead_letters.retry(kind, letter_id, by=BY)
    assert letters() == []
    assert audited("retried", letter_id) == 1
    due = {
        LetterKind.CALL: "SELECT state = 'unknown' AND due_at <= clock_now() AND claims = 0"
        " FROM provider_operation WHERE state <> 'pending' AND kind = 'confirm'",
        LetterKind.EVENT: "SELECT due_at <= clock_now() AND tries = 0 FROM provider_event",
        LetterKind.FACT: "SELECT due_at <= clock_now() AND tries = 0 FROM outbox_due"
        " WHERE tries = 0 AND last_error IS NOT NULL",
        LetterKind.MAIL: "SELECT status = 'waiting' AND tries = 0 FROM mail",
        LetterKind.DELIVERY: "SELECT state = 'due' AND tries = 0 FROM delivery"
        " WHERE resend_of IS NOT NULL",
    }
    assert scalar(due[kind]) is True
    with pytest.raises(LetterNotFound):
        dead_letters.retry(kind, letter_id, by=BY)
    assert audited("retried", letter_id) == 1


@pytest.mark.requirement("S1-19")
def test_all_letters_like_one_are_taken_up_again_and_no_others() -> None:
    with db.scoped(behind()):
        alike = [a_message() for _ in range(3)]
        others = {a_message(kind="charge.captured"), a_message("foreign_object: not its own")}
        mail = a_mail()
    assert dead_letters.how_many_like(dead_letters.letter(LetterKind.EVENT, alike[0])) == 3
    assert dead_letters.retry_like(LetterKind.EVENT, alike[1], by=BY) == 3
    assert {one.id for one in letters()} == {*others, mail}
    assert [audited("retried", one) for one in alike] == [1, 1, 1]
    with pytest.raises(LetterNotFound):
        dead_letters.retry_like(LetterKind.EVENT, alike[0], by=BY)


@pytest.mark.requirement("S1-12")
@pytest.mark.parametrize("kind", [one for one in LetterKind if one is not LetterKind.CALL])
def test_a_letter_is_discarded_for_a_reason_that_is_kept_and_never_worked_on(
    kind: LetterKind,
) -> None:
    letter_id = piled(kind)
    dead_letters.discard(kind, letter_id, because="A test of somebody else.", by=BY)
    assert letters() == []
    assert audited("discarded", letter_id) == 1
    kept = "SELECT data ->> 'because' FROM audit_entry WHERE action = 'dead_letter.discarded'"
    assert scalar(kept) == "A test of somebody else."
    with pytest.raises(LetterNotFound):
        dead_letters.discard(kind, letter_id, because="Again.", by=BY)
    left = {
        LetterKind.EVENT: "SELECT count(*) FROM provider_event WHERE processed_at IS NULL",
        LetterKind.FACT: "SELECT count(*) FROM outbox_due WHERE last_error IS NOT NULL",
        LetterKind.MAIL: "SELECT count(*) FROM mail WHERE status <> 'discarded'",
        LetterKind.DELIVERY: "SELECT count(*) FROM delivery WHERE state <> 'discarded'",
    }
    assert scalar(left[kind]) == 0


@pytest.mark.parametrize("because", ["", "   ", "x" * 301, "card 4242 4242 4242 4242"])
@pytest.mark.parametrize("kind", LetterKind)
def test_without_a_reason_nothing_is_discarded(kind: LetterKind, because: str) -> None:
    letter_id = piled(kind)
    decision = NOTHING if kind is LetterKind.CALL else None
    with pytest.raises(Invalid):
        dead_letters.discard(kind, letter_id, because=because, by=BY, decision=decision)
    assert [one.id for one in letters()] == [letter_id]
    assert audited("discarded", letter_id) == 0


def test_a_call_is_never_simply_dropped_and_nothing_else_is_decided() -> None:
    call, mail = piled(LetterKind.CALL), piled(LetterKind.MAIL)
    with pytest.raises(NotLikeThis):
        dead_letters.discard(LetterKind.CALL, call, because="Gone.", by=BY)
    with pytest.raises(NotLikeThis):
        dead_letters.discard(LetterKind.MAIL, mail, because="Gone.", by=BY, decision=NOTHING)
    assert len(letters()) == 2


def test_pages_of_the_list_meet_without_gap_or_double() -> None:
    made = []
    with db.scoped(behind()):
        for number in range(7):
            with clock.standing_at(clock.now()):
                made.append(a_message() if number % 2 else a_mail())
    seen: list[str] = []
    older = None
    while True:
        page = dead_letters.listed(page=page_request(older=older, newer=None, limit=3))
        seen += [one.id for one in page.rows]
        older = page.older
        if older is None:
            break
    assert sorted(seen) == sorted(made)
    back = dead_letters.listed(page=page_request(older=None, newer=page.newer, limit=3))
    assert [one.id for one in back.rows] == seen[-1 - 3 - len(page.rows) + 1 : -len(page.rows)]


def test_nobody_but_an_admin_reads_the_list() -> None:
    piled(LetterKind.MAIL)
    db.use_scope(db.NOBODY)
    with pytest.raises(db.DatabaseError), db.transaction():
        dead_letters.counts()
