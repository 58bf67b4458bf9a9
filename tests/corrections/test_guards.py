"""What the database itself refuses about corrections, whichever role asks, with real commits."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.books import at_once, refusal_of
from tests.builders import a_merchant, an_admin, an_imported_sale
from tests.portal import Committed
from webapp import corrections, ledger
from webapp.corrections import Status
from webapp.kernel import db
from webapp.kernel.errors import Conflict, Refusal
from webapp.outbox import Actor

AS_ADMIN = db.Scope(role=db.Role.ADMIN, livemode=False)
NOT_ALLOWED = "PD005"
NO_PRIVILEGE = "42501"
CHECK_FAILED = "23514"
PORTAL_ROLES = ("paydeck_web", "paydeck_admin", "paydeck_worker")
POST = (
    "SELECT ledger_post('tr_x', %s, 'x', t.merchant_id, t.livemode, clock_now(), 'x', NULL,"
    " jsonb_build_array("
    " jsonb_build_object('position', 1, 'account', a.name, 'amount', -1, 'id', 'acc_x',"
    "   'merchant', a.merchant_id, 'kind', a.kind, 'currency', a.currency),"
    " jsonb_build_object('position', 2, 'account', b.name, 'amount', 1, 'id', 'acc_y',"
    "   'merchant', b.merchant_id, 'kind', b.kind, 'currency', b.currency)))"
    " FROM transfer t, ledger_account a, ledger_account b WHERE t.reverses IS NULL"
    " AND a.kind = 'fees' AND b.kind = 'payable' AND NOT t.livemode LIMIT 1"
)


@pytest.fixture
def asked(committed: Committed) -> Iterator[tuple[Committed, str, Actor, Actor]]:
    """A portal with a correction that waits, who asked for it and who may decide."""
    sale = an_imported_sale(a_merchant())
    asks, decides = (Actor("admin", an_admin().id) for _ in range(2))
    with db.scoped(AS_ADMIN):
        proposal = corrections.reversal(ledger.transfer(sale))
        waiting = corrections.request(proposal, because="Booked by mistake.", by=asks)
    yield committed, waiting.id, asks, decides
    db.session.remove()


def as_role(committed: Committed, role: str, statement: str, *values: object) -> str:
    """Run a statement as a role of the portal; returns the SQLSTATE with which it is refused."""
    with committed.connect(role) as connection:
        return refusal_of(connection, statement, *values)


@pytest.mark.parametrize("role", PORTAL_ROLES)
def test_nobody_books_a_correction_that_was_not_approved(
    asked: tuple[Committed, str, Actor, Actor], role: str
) -> None:
    committed, correction_id, _, _ = asked
    found = as_role(committed, role, POST, f"correction:{correction_id}")
    assert found in {NOT_ALLOWED, NO_PRIVILEGE, "it was done"}
    with committed.connect("postgres") as root:
        rows = root.execute("SELECT count(*) FROM transfer WHERE id = 'tr_x'").fetchone()
    assert rows == (0,), "a web role without a scope finds no rows and posts nothing"


def test_an_admin_books_nothing_but_corrections(
    asked: tuple[Committed, str, Actor, Actor],
) -> None:
    committed, *_ = asked
    assert as_role(committed, "paydeck_admin", POST, "payment.captured:pay_x") == NOT_ALLOWED
    assert as_role(committed, "paydeck_admin", POST, "anything:1") == NOT_ALLOWED
    assert as_role(committed, "paydeck_worker", POST, "anything:1") == "it was done"


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("UPDATE correction SET lines = '[]'", NO_PRIVILEGE),
        ("UPDATE correction SET because = 'Something else'", NO_PRIVILEGE),
        ("UPDATE correction SET requested_by = approved_by", NO_PRIVILEGE),
        ("UPDATE correction SET transfer_id = 'tr_x'", NO_PRIVILEGE),
        ("DELETE FROM correction", NO_PRIVILEGE),
        ("UPDATE correction SET status = 'posted', version = 2", CHECK_FAILED),
        (
            (
                "UPDATE correction SET status = 'posted', version = 2, decided_at = clock_now(),"
                " deadline_at = NULL, approved_by = requested_by"
            ),
            CHECK_FAILED,
        ),
        (
            (
                "UPDATE correction SET status = 'posted', version = 2, decided_at = clock_now(),"
                " deadline_at = NULL, approved_by = 'usr_nobody'"
            ),
            NOT_ALLOWED,
        ),
        ("UPDATE transfer SET corrects = NULL", NO_PRIVILEGE),
    ],
)
def test_an_admins_role_cannot_bend_what_was_asked(
    asked: tuple[Committed, str, Actor, Actor], statement: str, state: str
) -> None:
    committed, correction_id, _, _ = asked
    assert as_role(committed, "paydeck_admin", statement) == state
    with db.scoped(AS_ADMIN):
        assert corrections.any_correction(correction_id).status == Status.REQUESTED


def test_approved_without_being_booked_as_it_was_asked_is_refused_at_the_commit(
    asked: tuple[Committed, str, Actor, Actor],
) -> None:
    committed, correction_id, _, decides = asked
    approve = (
        "UPDATE correction SET status = 'posted', version = 2, decided_at = clock_now(),"
        " deadline_at = NULL, approved_by = %s"
    )
    told = (
        (
            "INSERT INTO move (id, noun, subject_id, version, source, target, because, actor_kind,"
            " at) VALUES ('mov_x', 'correction', %s, 2, 'requested', 'posted', 'x', 'admin',"
            " clock_now())"
        ),
        (
            "INSERT INTO fact (id, name, subject_kind, subject_id, version, snapshot, because,"
            " actor_kind, at) VALUES ('fact_x', 'correction.posted', 'correction', %s, 2, '{}',"
            " 'x', 'admin', clock_now())"
        ),
    )
    with committed.connect("paydeck_admin") as admin:
        admin.execute(approve, (decides.id,))
        for statement in told:
            admin.execute(statement, (correction_id,))
        with pytest.raises(psycopg.Error) as refused:
            admin.commit()
    assert refused.value.sqlstate == NOT_ALLOWED


def test_somebody_who_is_no_admin_signs_nothing(
    asked: tuple[Committed, str, Actor, Actor],
) -> None:
    committed, correction_id, _, decides = asked
    with committed.connect("postgres") as root:
        root.execute("UPDATE app_user SET is_admin = false WHERE id = %s", (decides.id,))
    with db.scoped(AS_ADMIN), pytest.raises(db.DatabaseError):
        corrections.approve(correction_id, by=decides)
    with db.scoped(AS_ADMIN):
        assert corrections.any_correction(correction_id).status == Status.REQUESTED


def test_a_correction_approved_by_many_at_once_is_booked_once(
    asked: tuple[Committed, str, Actor, Actor],
) -> None:
    committed, correction_id, _, decides = asked
    others = [decides, *(Actor("admin", an_admin().id) for _ in range(3))]

    def approve(number: int) -> str:
        try:
            return corrections.approve(correction_id, by=others[number % 4]).status
        except Conflict as late:
            return late.code

    ends = at_once(committed.app, AS_ADMIN, approve, threads=8)
    assert set(ends) == {"posted"}
    with committed.connect("postgres") as root:
        rows = root.execute(
            "SELECT count(*), count(DISTINCT reference) FROM transfer WHERE corrects IS NOT NULL"
        ).fetchone()
        moves = root.execute("SELECT count(*) FROM move WHERE noun = 'correction'").fetchone()
    assert (rows, moves) == ((1, 1), (2,))


def test_approving_and_refusing_at_once_ends_in_one_of_the_two(
    asked: tuple[Committed, str, Actor, Actor],
) -> None:
    committed, correction_id, asks, decides = asked
    third = Actor("admin", an_admin().id)

    def decide(number: int) -> str:
        acts = (
            lambda: corrections.approve(correction_id, by=decides),
            lambda: corrections.refuse(correction_id, because="No.", by=third),
            lambda: corrections.withdraw(correction_id, by=asks),
        )
        try:
            return str(acts[number % 3]().status)
        except Refusal as late:
            return late.code

    ends = at_once(committed.app, AS_ADMIN, decide, threads=6)
    decided = set(ends) - {"wrong_state"}
    assert len(decided) == 1
    with db.scoped(AS_ADMIN):
        found = corrections.any_correction(correction_id)
        assert {found.status} == decided
        booked = ledger.transfer_by_reference(found.reference)
        assert (booked is not None) == (found.status == Status.POSTED)


def test_two_admins_asking_at_once_leave_one_correction_waiting(committed: Committed) -> None:
    sale = an_imported_sale(a_merchant())
    admins = [Actor("admin", an_admin().id) for _ in range(4)]

    def ask(number: int) -> str:
        proposal = corrections.reversal(ledger.transfer(sale))
        try:
            asked = corrections.request(proposal, because="By mistake.", by=admins[number])
            return str(asked.status)
        except corrections.CorrectionWaits as waits:
            return waits.code

    ends = at_once(committed.app, AS_ADMIN, ask, threads=4)
    assert sorted(ends) == ["correction_waits"] * 3 + ["requested"]


def test_a_merchant_sees_no_correction_of_another(
    asked: tuple[Committed, str, Actor, Actor],
) -> None:
    committed, *_ = asked
    assert as_role(committed, "paydeck_web", "SELECT * FROM correction") == NO_PRIVILEGE
