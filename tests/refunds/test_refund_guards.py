"""What the database refuses about refunds, whoever asks and whatever the code above believes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from supervisor.stores import Stores
from tests.books import committed_portal
from tests.builders import a_merchant, a_person, inr
from tests.portal import Committed
from tests.refunds.builders import (
    a_member_of,
    a_paid_payment,
    a_payment_of,
    an_approver,
    asked,
    paid_out,
    refund_now,
    released,
    told,
)
from webapp import refunds
from webapp.kernel import db
from webapp.outbox import Actor

WEB, ADMIN, WORKER, OWNER = "paydeck_web", "paydeck_admin", "paydeck_worker", "paydeck_owner"
PORTAL_ROLES = (WEB, ADMIN, WORKER)
DONE = "it was done"
NO_PRIVILEGE, NO_ROW = "42501", "nothing was changed"
APPEND_ONLY, WRONG_STEP, FROZEN, NO_STORY, REFUSED = "PD001", "PD002", "PD003", "PD004", "PD005"
FREEZE, CHECK, UNIQUE, FOREIGN = "PD008", "23514", "23505", "23503"


@dataclass(frozen=True)
class Scene:
    """Refunds in several states, on one database with real roles."""

    portal: Committed
    shop: str
    rival: str
    payment: str
    waiting: str
    leaving: str
    unsent: str
    succeeded: str
    person: str
    clerk: str
    boss: str

    def attempt(self, role: str, *statements: str, merchant: str | None = None) -> str:
        """Run statements as a role and undo them; returns the SQLSTATE, DONE or NO_ROW."""
        scope = self.shop if merchant is None else merchant
        names = {name: value for name, value in vars(self).items() if isinstance(value, str)}
        with self.portal.connect(role) as connection:
            try:
                connection.execute(
                    "SELECT set_config('app.merchant', %s, true),"
                    " set_config('app.livemode', %s, true)",
                    (scope, "false" if scope else ""),
                )
                changed = [
                    connection.execute(statement.format(**names)).rowcount
                    for statement in statements
                ]
                connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except psycopg.Error as refused:
                return refused.sqlstate or ""
            finally:
                connection.rollback()
        return DONE if all(changed) else NO_ROW


@pytest.fixture(scope="module")
def scene(stores: Stores) -> Iterator[Scene]:
    """One payment of ₹60,000 with refunds, another merchant, and one that succeeded."""
    with committed_portal(stores) as portal, portal.app.app_context(), db.scoped(db.NOBODY):
        shop, rival = a_merchant(), a_merchant()
        payment, other = a_paid_payment(shop, inr(60_000_00)), a_paid_payment(shop)
        succeeded = asked(other, inr(100_00))
        unsent = asked(other, inr(200_00))
        released_by_owner(portal)
        told(succeeded, paid_out(amount=inr(100_00)))
        assert refund_now(unsent).status == "unsent"
        yield Scene(
            portal=portal,
            shop=shop,
            rival=rival,
            payment=payment,
            leaving=asked(payment, inr(50_00)),
            waiting=asked(payment, inr(50_000_01), by=an_approver(shop)),
            unsent=unsent,
            succeeded=succeeded,
            person=a_person().id,
            clerk=a_member_of(shop, "support"),
            boss=a_member_of(shop, "owner"),
        )


def past_undo(portal: Committed) -> None:
    """Have everything that is approved be past the time in which it can be undone."""
    with portal.connect("postgres") as connection:
        connection.execute("ALTER TABLE refund DISABLE TRIGGER USER")
        connection.execute("UPDATE refund SET leaves_at = leaves_at - interval '1 hour'")
        connection.execute("ALTER TABLE refund ENABLE TRIGGER USER")


def released_by_owner(portal: Committed) -> None:
    """Let everything leave at once, past the undo window, as only a test may."""
    past_undo(portal)
    released()


NEW = (
    "INSERT INTO refund (id, merchant_id, livemode, payment_id, status, version, amount_minor,"
    " currency, reason, note, destination, needs_approval, requested_by_kind, leaves_at,"
    " created_at, metadata{more}) VALUES ('re_new', '{{shop}}', false, '{{payment}}', '{status}',"
    " 1, {minor}, '{currency}', 'other', '', 'original', {needs}, 'api', now(), now(),"
    " '{{{{}}}}'{values})"
)


def new(
    status: str = "approved",
    minor: int = 1_00,
    currency: str = "INR",
    needs: str = "false",
    more: str = "",
    values: str = "",
) -> str:
    """Return the statement that makes a refund; its story is missing."""
    return NEW.format(
        status=status, minor=minor, currency=currency, needs=needs, more=more, values=values
    )


@pytest.mark.parametrize("role", PORTAL_ROLES)
@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        (new(), NO_STORY),
        (new(more=", user_id", values=", '{person}'"), REFUSED),
        (new().replace("now()", "now() - interval '1 minute'", 1), REFUSED),
        (new(minor=60_000_00), CHECK),
        (new(minor=9_949_99 + 1), CHECK),
        (new(minor=0), CHECK),
        (new(minor=-5), CHECK),
        (new(currency="EUR"), REFUSED),
        (new(status="sent"), WRONG_STEP),
        (new(status="succeeded"), WRONG_STEP),
        (new(needs="true"), CHECK),
        (new(more=", approved_by_kind, approved_by_id", values=", 'user', 'usr_1'"), WRONG_STEP),
        (new(more=", provider_refund_id", values=", 're_x'"), WRONG_STEP),
        (new(more=", anomaly_id", values=", 'ano_x'"), FOREIGN),
    ],
)
def test_no_refund_is_born_that_could_not_be(
    scene: Scene, role: str, statement: str, refused: str
) -> None:
    assert scene.attempt(role, statement) == refused


@pytest.mark.parametrize("role", PORTAL_ROLES)
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("refund_reserved_minor", "0"),
        ("refund_reserved_minor", "refund_reserved_minor - 1"),
        ("refunded_minor", "1"),
    ],
)
def test_what_is_counted_on_the_payment_moves_with_a_refund_only(
    scene: Scene, role: str, column: str, value: str
) -> None:
    statement = f"UPDATE payment SET {column} = {value} WHERE id = '{{payment}}'"
    assert scene.attempt(role, statement) in {APPEND_ONLY, NO_PRIVILEGE}


LATER = "leaves_at = leaves_at + interval '1 second'"
EARLIER = "leaves_at = leaves_at - interval '1 second'"
GONE = "leaves_at = now() - interval '1 minute'"
SIGNED = "approved_by_kind = 'admin', approved_by_id ="
APPROVE = "status = 'approved', version = version + 1, leaves_at = now()"


@pytest.mark.parametrize("role", [WEB, ADMIN])
@pytest.mark.parametrize(
    ("change", "refund", "refused"),
    [
        ("status = 'unsent', version = version + 1", "leaving", REFUSED),
        ("status = 'succeeded', version = version + 1", "leaving", REFUSED),
        ("status = 'failed', version = version + 1", "unsent", REFUSED),
        ("status = 'approved', version = version + 1", "unsent", WRONG_STEP),
        ("status = 'cancelled', version = version + 1", "unsent", WRONG_STEP),
        (APPROVE, "waiting", REFUSED),
        (
            f"{APPROVE}, approved_by_kind = 'user', approved_by_id = requested_by_id",
            "waiting",
            CHECK,
        ),
        (f"{APPROVE}, {SIGNED} 'usr_none'", "waiting", REFUSED),
        (f"{APPROVE}, {SIGNED} '{{person}}'", "waiting", REFUSED),
        (f"{APPROVE}, {SIGNED} '{{clerk}}'", "waiting", REFUSED),
        (f"{APPROVE}, {SIGNED} '{{boss}}'", "waiting", NO_STORY),
        (f"{APPROVE} - interval '1 minute', {SIGNED} '{{boss}}'", "waiting", REFUSED),
        (GONE, "leaving", FROZEN),
        (LATER, "leaving", FROZEN),
        ("amount_minor = 1", "leaving", NO_PRIVILEGE),
        ("payment_id = 'pay_x'", "leaving", NO_PRIVILEGE),
        ("requested_by_id = NULL", "waiting", NO_PRIVILEGE),
        ("provider_refund_id = 're_x'", "unsent", NO_PRIVILEGE),
    ],
)
def test_a_page_decides_and_sends_nothing(
    scene: Scene, role: str, change: str, refund: str, refused: str
) -> None:
    statement = f"UPDATE refund SET {change} WHERE id = '{{{refund}}}'"
    assert scene.attempt(role, statement) == refused


@pytest.mark.parametrize(
    ("change", "refund", "refused"),
    [
        ("status = 'unsent', version = version + 1", "leaving", REFUSED),
        ("status = 'succeeded', version = version + 1", "waiting", WRONG_STEP),
        ("status = 'unsent', version = version + 1", "succeeded", WRONG_STEP),
        ("status = 'sent', version = version + 1", "unsent", CHECK),
        ("status = 'failed', version = version + 1, finished_at = now()", "unsent", CHECK),
        ("provider_refund_id = 're_other'", "succeeded", FROZEN),
        (EARLIER, "leaving", FROZEN),
        (LATER, "unsent", FROZEN),
        ("amount_minor = amount_minor - 1", "unsent", FROZEN),
        ("requested_by_id = 'usr_other'", "waiting", FROZEN),
        ("destination = 'wallet'", "unsent", FROZEN),
        ("version = version + 1", "unsent", WRONG_STEP),
        ("status = 'cancelled'", "leaving", WRONG_STEP),
    ],
)
def test_a_worker_goes_along_the_graph_and_changes_nothing_else(
    scene: Scene, change: str, refund: str, refused: str
) -> None:
    statement = f"UPDATE refund SET {change} WHERE id = '{{{refund}}}'"
    assert scene.attempt(WORKER, statement) == refused


@pytest.mark.parametrize("role", [*PORTAL_ROLES, OWNER])
def test_refunds_are_never_deleted_nor_emptied(scene: Scene, role: str) -> None:
    wanted = {NO_PRIVILEGE} if role != OWNER else {APPEND_ONLY}
    assert scene.attempt(role, "DELETE FROM refund WHERE id = '{leaving}'") in wanted
    assert scene.attempt(role, "TRUNCATE refund") in wanted
    assert scene.attempt(role, "DELETE FROM refund_freeze") in wanted


OPERATION = (
    "INSERT INTO provider_operation (id, kind, provider, subject_kind, subject_id, purpose,"
    " merchant_id, livemode, request, state, tries, claims, due_at, created_at) SELECT 'op_new',"
    " 'refund', 'stripe', 'refund', r.id, 'refund', r.merchant_id, r.livemode, jsonb_build_object("
    "'amount_minor', {minor}, 'currency', 'INR', 'intent_id', {intent}), 'pending', 0, 0, now(),"
    " now() FROM refund r JOIN payment p ON p.id = r.payment_id WHERE r.id = '{refund}'"
)


@pytest.mark.parametrize("role", PORTAL_ROLES)
def test_each_refund_is_sent_once_and_as_it_was_approved(scene: Scene, role: str) -> None:
    right = {"minor": "r.amount_minor", "intent": "p.provider_intent_id"}
    assert scene.attempt(role, OPERATION.format(**right, refund="{unsent}")) == UNIQUE
    assert scene.attempt(role, OPERATION.format(**right, refund="{leaving}")) == REFUSED
    more = right | {"minor": "r.amount_minor + 1"}
    assert scene.attempt(role, OPERATION.format(**more, refund="{unsent}")) == REFUSED
    elsewhere = right | {"intent": "'pi_other'"}
    assert scene.attempt(role, OPERATION.format(**elsewhere, refund="{unsent}")) == REFUSED


def test_a_refund_is_seen_by_its_merchant_and_by_nobody_else(scene: Scene) -> None:
    change = "UPDATE refund SET leaves_at = leaves_at WHERE id = '{leaving}'"
    assert scene.attempt(WEB, change) == DONE
    assert scene.attempt(WEB, change, merchant=scene.rival) == NO_ROW
    assert scene.attempt(WEB, change, merchant="") == NO_ROW
    with scene.portal.connect(WEB) as connection:
        assert connection.execute("SELECT count(*) FROM refund").fetchone() == (0,)


def test_whoever_may_only_read_a_refund_finds_none_to_decide_about(scene: Scene) -> None:
    shopper = a_person()
    theirs = asked(a_payment_of(shopper, scene.shop), inr(100_00))
    by = Actor("merchant_user", shopper.id)
    with db.scoped(db.Scope(merchant_id=scene.rival, livemode=False, user_id=shopper.id)):
        assert refunds.refund_of_user(shopper.id, theirs).refund.id == theirs
        for decide in (refunds.undo, refunds.approve):
            with pytest.raises(refunds.RefundNotFound):
                decide(theirs, by=by)
    assert refund_now(theirs).status == "approved"


def test_nothing_leaves_while_refunds_are_frozen_whatever_the_code_believes(scene: Scene) -> None:
    past_undo(scene.portal)
    leaves = "UPDATE refund SET status = 'unsent', version = version + 1 WHERE id = '{leaving}'"
    assert scene.attempt(WORKER, leaves) == NO_STORY
    with scene.portal.app.app_context(), db.scoped(db.ADMIN):
        refunds.freeze(because="The books differ.", by=Actor("admin", "usr_root"))
        try:
            assert scene.attempt(WORKER, leaves) == FREEZE
        finally:
            refunds.unfreeze(by=Actor("admin", "usr_root"))
    for role in (WEB, WORKER):
        assert scene.attempt(role, "UPDATE refund_freeze SET because = 'x'") == NO_PRIVILEGE
