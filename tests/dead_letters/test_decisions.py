"""What a person decides about a call: the provider is asked first, and money needs two of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.builders import (
    a_checkout,
    a_merchant,
    a_payment,
    an_admin,
    calls_answered,
    hosted_tried,
    inr,
    now_at,
)
from tests.dead_letters.piles import STILL_IN_DOUBT, Answering, a_call, in_doubt, run
from tests.refunds.builders import asked, refund_now, released
from tests.stories import attempts, behind, postings, scalar
from webapp import dead_letters, gateway, payments, refunds
from webapp.dead_letters import LetterKind, LetterNotFound
from webapp.gateway import (
    BadDecision,
    Decision,
    Failure,
    NothingToConfirm,
    Operation,
    Outcome,
    ProviderError,
    Refused,
    Result,
    SameSigner,
    UnknownOutcome,
    Unreachable,
)
from webapp.kernel import clock, db
from webapp.kernel.errors import Conflict
from webapp.outbox import Actor
from webapp.payments import Status

pytestmark = pytest.mark.usefixtures("app")
CALL = LetterKind.CALL
PRICE = inr(1_000_00)
NOTHING = Decision("not_done", "The provider’s page shows nothing.")
TAKEN = Decision("taken", "Their page shows it.", PRICE, "ch_seen_by_hand")
GIVEN_BACK = Decision("refunded", "Seen.", None, "re_seen_by_hand")
ON_ITS_WAY = Decision("pending", "Seen.", None, "re_seen_by_hand")
NOT_FOUND = Refused("not_found")
AWAY = Unreachable("no_connection")


@pytest.fixture(autouse=True)
def provider(app: Flask) -> Iterator[Answering]:
    """The provider of these tests, which knows nothing until it is told to; admins are at work."""
    before = gateway.provider()
    answering = Answering(NOT_FOUND)
    gateway.put(answering)  # type: ignore[arg-type]
    db.use_scope(db.ADMIN)
    yield answering
    db.use_scope(db.NOBODY)
    gateway.put(before)


@pytest.fixture
def admins(app: Flask) -> tuple[Actor, Actor]:
    """Two admins."""
    with db.scoped(db.NOBODY):
        first, second = an_admin(), an_admin()
    return Actor("admin", first.id), Actor("admin", second.id)


def a_charge() -> tuple[str, str]:
    """Return a charge that waits for a person, and its payment."""
    with db.scoped(db.NOBODY):
        call = a_call()
    found = scalar("SELECT subject_id FROM provider_operation WHERE id = :id", id=call)
    return call, str(found)


def a_refund() -> tuple[str, str, str]:
    """Return the sending of a refund that waits for a person, the refund, and its payment."""
    with db.scoped(db.NOBODY):
        payment_id = a_payment(Status.CAPTURED)
        refund_id = asked(payment_id)
        released()
        calls_answered(payment_id)
        return in_doubt(refund_id, "refund"), refund_id, payment_id


def decided(call: str, decision: Decision, by: Actor) -> bool:
    return dead_letters.discard(CALL, call, because="Seen there.", by=by, decision=decision)


def worked_off(*, later: dt.timedelta = dt.timedelta()) -> None:
    """Let the workers make the calls that are due, as the jobs do."""

    def apply(operation: Operation, answer: Outcome | Failure) -> None:
        hear = refunds.apply if operation.subject_kind == "refund" else payments.apply
        hear(operation.subject_id, answer, purpose=operation.purpose)

    with db.scoped(behind()), clock.standing_at(clock.now() + later):
        gateway.operations.drain(apply, limit=1)


def state(call: str) -> str:
    return str(scalar("SELECT state FROM provider_operation WHERE id = :id", id=call))


def error(call: str) -> str:
    return str(scalar("SELECT last_error FROM provider_operation WHERE id = :id", id=call))


def audited(action: str, call: str) -> int:
    wanted = "SELECT count(*) FROM audit_entry WHERE action = :action AND subject_id = :id"
    return int(scalar(wanted, action=f"dead_letter.{action}", id=call))


def method_of(payment_id: str) -> str:
    wanted = "SELECT provider_method_id FROM attempt WHERE payment_id = :id"
    return str(scalar(wanted, id=payment_id))


@pytest.mark.parametrize("says", [TAKEN, NOTHING])
def test_what_the_provider_says_wins_over_what_a_person_says(
    provider: Answering, admins: tuple[Actor, Actor], says: Decision
) -> None:
    call, payment_id = a_charge()
    other = inr(400_00)
    provider.says = Outcome(Result.SUCCEEDED, method_id=method_of(payment_id), amount=other)
    if not decided(call, says, admins[0]):
        dead_letters.confirm(call, by=admins[1])
    worked_off()
    assert provider.asked == 1
    assert postings(payment_id) == 0
    aside = "SELECT amount_minor FROM anomaly WHERE payment_id = :id"
    assert scalar(aside, id=payment_id) == other.minor, "the provider’s amount, not the typed one"
    assert state(call) == "succeeded"


def test_a_refund_that_was_made_is_not_called_undone_by_anybody(
    provider: Answering, admins: tuple[Actor, Actor]
) -> None:
    call, refund_id, payment_id = a_refund()
    provider.says = Outcome(Result.REFUND_SUCCEEDED, refund_id="re_there", amount=PRICE)
    assert decided(call, NOTHING, admins[0])
    worked_off()
    assert refund_now(refund_id).status == "succeeded"
    back = "SELECT refunded_minor FROM payment WHERE id = :id"
    assert scalar(back, id=payment_id) == PRICE.minor


def test_money_is_booked_by_hand_with_two_signatures_and_where_the_provider_knows_nothing(
    admins: tuple[Actor, Actor],
) -> None:
    call, payment_id = a_charge()
    assert not decided(call, TAKEN, admins[0])
    worked_off()
    assert (state(call), now_at(payment_id).status) == ("manual", "processing")
    with pytest.raises(SameSigner):
        dead_letters.confirm(call, by=admins[0])
    dead_letters.confirm(call, by=admins[1])
    assert now_at(payment_id).status == "processing", "a worker applies it"
    worked_off()
    assert now_at(payment_id).status == "captured"
    assert postings(payment_id) == 1
    charge = "SELECT charge_id FROM attempt WHERE payment_id = :id"
    assert scalar(charge, id=payment_id) == "ch_seen_by_hand"
    signed = "SELECT (decision ->> 'by_id') || (decision ->> 'confirmed_by_id')"
    kept = scalar(f"{signed} FROM provider_operation WHERE id = :id", id=call)
    assert kept == f"{admins[0].id}{admins[1].id}"
    assert [audited(act, call) for act in ("proposed", "confirmed", "discarded")] == [1, 1, 0]
    with pytest.raises(LetterNotFound):
        dead_letters.confirm(call, by=admins[1])


@pytest.mark.parametrize(
    ("decision", "status"), [(NOTHING, "failed"), (GIVEN_BACK, "succeeded"), (ON_ITS_WAY, "sent")]
)
def test_a_refund_the_provider_does_not_know_is_decided_by_hand(
    admins: tuple[Actor, Actor], decision: Decision, status: str
) -> None:
    call, refund_id, payment_id = a_refund()
    if not decided(call, decision, admins[0]):
        dead_letters.confirm(call, by=admins[1])
    worked_off()
    assert refund_now(refund_id).status == status
    back = "SELECT refunded_minor FROM payment WHERE id = :id"
    assert scalar(back, id=payment_id) == (PRICE.minor if status == "succeeded" else 0)


def test_one_says_that_nothing_was_done_and_another_card_can_be_tried(
    provider: Answering, admins: tuple[Actor, Actor]
) -> None:
    call, payment_id = a_charge()
    assert decided(call, NOTHING, admins[0])
    worked_off()
    assert provider.asked == 1
    assert now_at(payment_id).status == "awaiting_method"
    assert attempts(payment_id) == ["declined"]
    assert postings(payment_id) == 0
    assert state(call) == "failed"
    assert audited("discarded", call) == 1


@pytest.mark.parametrize("away", [AWAY, UnknownOutcome("http_500"), Refused("no_permission")])
def test_without_an_answer_one_signature_never_counts(
    provider: Answering, admins: tuple[Actor, Actor], away: ProviderError
) -> None:
    call, refund_id, _payment_id = a_refund()
    provider.says = away
    decided(call, NOTHING, admins[0])
    worked_off()
    assert state(call) == "unknown", "it is asked again"
    worked_off(later=dt.timedelta(minutes=15))
    assert state(call) == "manual"
    assert error(call).startswith("not_answered")
    assert refund_now(refund_id).status == "unsent"
    assert not decided(call, NOTHING, admins[0]), "now it needs two"
    dead_letters.confirm(call, by=admins[1])
    worked_off()
    assert state(call) == "unknown"
    worked_off(later=dt.timedelta(minutes=15))
    assert refund_now(refund_id).status == "failed"


def test_money_that_the_provider_does_not_show_is_not_booked_whoever_signs(
    provider: Answering, admins: tuple[Actor, Actor]
) -> None:
    call, payment_id = a_charge()
    provider.says = Outcome(Result.CREATED)
    decided(call, TAKEN, admins[0])
    dead_letters.confirm(call, by=admins[1])
    worked_off()
    assert state(call) == "manual"
    assert error(call).startswith("provider_shows_otherwise")
    assert postings(payment_id) == 0


def test_what_ends_its_workers_is_decided_without_asking_by_two(
    provider: Answering, admins: tuple[Actor, Actor]
) -> None:
    call, payment_id = a_charge()
    run(
        "UPDATE provider_operation SET last_error = :error WHERE id = :id",
        error="claimed several times without an outcome",
        id=call,
    )
    assert not decided(call, NOTHING, admins[0])
    dead_letters.confirm(call, by=admins[1])
    run("UPDATE provider_operation SET claims = 2 WHERE id = :id", id=call)
    worked_off()
    assert provider.asked == 0
    assert now_at(payment_id).status == "awaiting_method"


def test_only_the_decision_that_was_shown_is_confirmed(admins: tuple[Actor, Actor]) -> None:
    call, _payment_id = a_charge()
    with pytest.raises(NothingToConfirm):
        dead_letters.confirm(call, by=admins[1])
    decided(call, TAKEN, admins[0])
    shown = gateway.proposal_of(call)
    assert shown is not None
    decided(call, Decision("taken", "Another.", inr(9_00), "ch_2"), admins[0])
    with pytest.raises(NothingToConfirm):
        dead_letters.confirm(call, by=admins[1], version=shown.version)
    dead_letters.retry(CALL, call, by=admins[0])
    assert gateway.proposal_of(call) is None
    kept = "SELECT state || coalesce(decision::text, '') FROM provider_operation WHERE id = :id"
    assert scalar(kept, id=call) == "unknown", "the proposal went with trying again"


@pytest.mark.parametrize("signer", ["first", "nobody", "shopper"])
def test_the_database_takes_no_money_decision_without_a_second_admin(
    admins: tuple[Actor, Actor], signer: str
) -> None:
    call, _payment_id = a_charge()
    decided(call, TAKEN, admins[0])
    signed = {"first": f'"{admins[0].id}"', "nobody": "null", "shopper": '"usr_ghost"'}[signer]
    with pytest.raises(db.DatabaseError, match="second admin"):
        run(
            "UPDATE provider_operation SET state = 'unknown', due_at = clock_now(), decision ="
            " decision || CAST(:signed AS jsonb) WHERE id = :id",
            signed=f'{{"confirmed_by_id": {signed}}}',
            id=call,
        )


def test_a_payment_of_the_providers_page_keeps_its_intent_so_that_it_can_be_refunded(
    admins: tuple[Actor, Actor],
) -> None:
    with db.scoped(db.NOBODY):
        payment_id = hosted_tried(a_checkout(a_merchant()))
        call = in_doubt(payment_id, "create_session", STILL_IN_DOUBT)
    with pytest.raises(BadDecision):
        decided(call, TAKEN, admins[0])
    decided(call, Decision("taken", "Seen.", PRICE, "pi_seen"), admins[0])
    dead_letters.confirm(call, by=admins[1])
    worked_off()
    paid = now_at(payment_id)
    assert (paid.status, paid.provider_intent_id) == ("captured", "pi_seen")


def test_what_the_provider_says_after_a_wrong_decision_still_counts(
    admins: tuple[Actor, Actor],
) -> None:
    call, payment_id = a_charge()
    decided(call, NOTHING, admins[0])
    worked_off()
    late = Outcome(Result.SUCCEEDED, method_id=method_of(payment_id), amount=PRICE)
    with db.scoped(behind()):
        payments.apply(payment_id, late)
        payments.apply(payment_id, late)
    assert now_at(payment_id).status == "captured"
    assert postings(payment_id) == 1


@pytest.mark.parametrize(
    "decision",
    [
        Decision("taken", "Seen."),
        Decision("taken", "Seen.", PRICE),
        Decision("taken", "Seen.", None, "ch_1"),
        Decision("taken", "Seen.", PRICE, " "),
        Decision("held", "Seen."),
        Decision("made", "Seen.", PRICE, "pi_1"),
        Decision("", "Seen."),
        Decision("taken", "Seen.", PRICE, "x" * 101),
        Decision("taken", "Seen.", PRICE, "4242 4242 4242 4242"),
        Decision("taken", "Of card 4242424242424242.", PRICE, "ch_1"),
    ],
)
def test_a_decision_that_leaves_something_out_decides_nothing(
    admins: tuple[Actor, Actor], decision: Decision
) -> None:
    call, _payment_id = a_charge()
    with pytest.raises(BadDecision):
        decided(call, decision, admins[0])
    assert state(call) == "manual"
    assert [audited(act, call) for act in ("proposed", "discarded")] == [0, 0]
    assert scalar("SELECT decision FROM provider_operation WHERE id = :id", id=call) is None


def test_another_amount_than_the_payments_is_set_aside_like_any_other(
    admins: tuple[Actor, Actor],
) -> None:
    call, payment_id = a_charge()
    decided(call, Decision("taken", "Seen.", inr(10_00), "ch_1"), admins[0])
    dead_letters.confirm(call, by=admins[1])
    worked_off()
    assert postings(payment_id) == 0
    assert scalar("SELECT count(*) FROM anomaly WHERE payment_id = :id", id=payment_id) == 1


def test_a_refund_that_turns_up_when_the_money_went_another_way_says_so_and_books_nothing(
    admins: tuple[Actor, Actor],
) -> None:
    call, refund_id, payment_id = a_refund()
    decided(call, NOTHING, admins[0])
    worked_off()
    with db.scoped(db.NOBODY):
        asked(payment_id)
    found = Outcome(Result.REFUND_SUCCEEDED, refund_id="re_late", amount=PRICE)
    with db.scoped(behind()), pytest.raises(Conflict, match="correction"):
        refunds.apply(refund_id, found)
    assert refund_now(refund_id).status == "failed"
