"""Every check of the wall is green where all is well, and can turn red: each is shown to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine
from structlog.testing import capture_logs

from tests.invariants.world import damage, everything_once, looked
from tests.stories import scalar
from webapp import invariants
from webapp.invariants import BY_NAME, INVARIANTS, Reach
from webapp.kernel import clock, db
from webapp.kernel.errors import NotFound

LONG_AGO = "'2020-01-01 00:00:00+00'"
A_CAPTURED = "(SELECT min(id) FROM payment WHERE status = 'captured' AND method_kind = 'card')"
A_TRANSFER = "(SELECT min(id) FROM transfer WHERE reference LIKE 'payment.captured:%')"
A_WALLET = "(SELECT min(account_id) FROM balance)"

#: How each check is made to fail: what a fault, or somebody with the owner's rights, might do.
DAMAGE = {
    "transfer_balances": f"UPDATE entry SET amount_minor = amount_minor + 1"
    f" WHERE position = 2 AND transfer_id = {A_TRANSFER}",
    "transfer_has_two_sides": f"DELETE FROM entry WHERE transfer_id = {A_TRANSFER}",
    "books_balance": "DELETE FROM entry WHERE account_kind = 'fees'",
    "balance_is_its_entries": "UPDATE balance SET amount_minor = amount_minor + 1",
    "wallets_have_balances": "DELETE FROM balance",
    "wallet_not_below_zero": "UPDATE entry SET amount_minor = amount_minor * 99"
    " WHERE account_kind = 'wallet' AND amount_minor < 0",
    "checkpoint_is_its_entries": "INSERT INTO balance_checkpoint"
    f" SELECT id, '1', 5, {LONG_AGO} FROM ledger_account WHERE kind = 'fees'",
    "checkpoints_miss_nothing": "DELETE FROM balance_checkpoint;"
    " UPDATE ledger_fold SET horizon = (pg_current_xact_id()::text::bigint + 1)::text::xid8",
    "books_fit_the_server": "UPDATE ledger_fold SET horizon = '9000000000'",
    "entry_fits_its_account": "UPDATE entry SET account_kind = 'fees'",
    "entry_fits_its_transfer": "UPDATE entry SET merchant_id = 'mer_x'",
    "reference_is_posted_once": "ALTER TABLE transfer DROP CONSTRAINT uq_transfer_reference;"
    " UPDATE transfer SET reference = 'payment.captured:one'",
    "correction_has_two_signatures": "ALTER TABLE correction"
    " DROP CONSTRAINT ck_correction_two_people; UPDATE correction SET approved_by = requested_by",
    "sending_is_booked": "UPDATE wallet_transfer SET amount_minor = amount_minor + 1",
    "money_is_in_a_wallet": "DELETE FROM outbox_due WHERE consumer = 'purse'",
    "captured_within_authorised": "ALTER TABLE payment DROP CONSTRAINT ck_payment_captured_minor;"
    f" UPDATE payment SET captured_minor = amount_minor + 1 WHERE id = {A_CAPTURED}",
    "payment_is_booked": f"UPDATE payment SET fee_minor = fee_minor + 1 WHERE id = {A_CAPTURED}",
    "booking_has_its_payment": f"UPDATE transfer SET reference = 'payment.captured:pay_none'"
    f" WHERE id = {A_TRANSFER}",
    "charged_once": "INSERT INTO attempt SELECT (jsonb_populate_record(attempt, jsonb_build_object("
    "'id', 'att_x', 'number', 99, 'provider_method_id', 'pm_x'))).* FROM attempt"
    f" WHERE payment_id = {A_CAPTURED} AND status = 'succeeded'",
    "order_is_paid_by_its_payment": "UPDATE shop_order SET status = 'pending', completed_at = NULL"
    f" WHERE id = (SELECT order_id FROM payment WHERE id = {A_CAPTURED})",
    "refunds_within_captured": "UPDATE payment SET refund_reserved_minor = 1,"
    " refunded_minor = 0 WHERE refund_reserved_minor > 1",
    "refund_is_booked": "UPDATE refund SET status = 'succeeded', finished_at = leaves_at,"
    " sent_at = leaves_at WHERE status = 'unsent'",
    "refund_is_sent_once": "DROP INDEX uq_provider_operation_one_refund;"
    " UPDATE provider_operation SET subject_id = 're_one' WHERE kind = 'refund'",
    "money_under_way_is_known": "UPDATE refund SET amount_minor = amount_minor - 1"
    " WHERE status = 'unsent'",
    "suspense_is_explained": "UPDATE anomaly SET amount_minor = amount_minor + 1",
    "credit_is_spent": "UPDATE ledger_account SET kind = 'store_credit' WHERE kind = 'fees'",
    "story_has_no_gap": "DELETE FROM fact WHERE version = 2 AND subject_kind = 'payment'",
    "status_is_what_moves_say": "UPDATE merchant SET status = 'suspended' WHERE NOT is_platform",
    "moves_follow_the_graph": "UPDATE move SET source = 'captured', target = 'created'"
    " WHERE noun = 'payment' AND version = 2",
    "row_is_what_was_told": f"UPDATE payment SET amount_minor = amount_minor + 1"
    f" WHERE id = {A_CAPTURED}",
    "records_are_intact": f"UPDATE payment SET integrity_hash = 'x' WHERE id = {A_CAPTURED}",
    "figures_are_their_facts": "INSERT INTO rollup_quarter VALUES ('mer_x', false, 'INR',"
    f" {LONG_AGO}, 'failed', 'card', 1, 1, 0)",
    "figures_are_the_books": "INSERT INTO rollup_quarter VALUES ('mer_x', false, 'INR',"
    f" {LONG_AGO}, 'captured', 'card', 1, 1, 0)",
    "audit_trail_is_whole": "UPDATE audit_entry SET action = 'nothing'",
    "event_for_every_fact": "DELETE FROM webhook_event WHERE name = 'payment.success'",
    "delivery_for_every_listener": f"UPDATE webhook_endpoint SET listens_since = {LONG_AGO};"
    " DELETE FROM delivery WHERE state = 'due'",
    "deliveries_stay_home": "UPDATE webhook_event SET livemode = true"
    " WHERE id = (SELECT min(event_id) FROM delivery)",
    "tries_are_counted": "UPDATE delivery SET tries = tries + 1 WHERE state = 'delivered'",
    "arrived_means_answered": "UPDATE delivery_attempt SET status = 500, error = 'x'",
    "dead_was_tried_out": "UPDATE delivery SET state = 'dead', finished_at = created_at,"
    " due_at = NULL WHERE state = 'due'",
    "nobody_keeps_a_delivery": f"UPDATE delivery SET lease_until = {LONG_AGO} WHERE state = 'due'",
    "nothing_past_its_deadline": f"UPDATE payment SET deadline_at = {LONG_AGO}"
    " WHERE check_at IS NOT NULL",
    "refunds_leave_in_time": "UPDATE refund SET status = 'approved', check_at = NULL,"
    f" leaves_at = {LONG_AGO} WHERE status = 'unsent'",
    "links_end_in_time": f"UPDATE checkout_session SET opened_at = {LONG_AGO},"
    f" expires_at = {LONG_AGO}::timestamptz + interval '1 h', status = 'open', closed_at = NULL",
    "facts_are_told_in_time": f"UPDATE outbox_due SET due_at = {LONG_AGO}",
    "no_call_without_an_owner": "UPDATE provider_operation SET state = 'in_flight',"
    f" lease_until = {LONG_AGO}, lease_token = 1 WHERE state = 'pending'",
    "calls_are_made_in_time": f"UPDATE provider_operation SET due_at = {LONG_AGO}"
    " WHERE state = 'pending'",
    "messages_are_applied_in_time": "INSERT INTO provider_event (provider, event_id, kind,"
    " object_id, livemode, payload, received_at, tries, due_at)"
    f" VALUES ('stripe', 'evt_x', 'x', 'pi_x', false, '{{}}', {LONG_AGO}, 0, {LONG_AGO})",
    "acts_are_sealed_in_time": f"UPDATE audit_entry SET at = {LONG_AGO};"
    " INSERT INTO audit_unsealed SELECT min(id) FROM audit_entry",
}


@pytest.fixture(scope="module")
def standing(portal: Flask) -> Iterator[Connection]:
    """One connection on which everything has happened once; each test undoes only its own."""
    engine = create_engine(portal.config["held_url"])
    with portal.app_context(), engine.connect() as connection:
        outer = connection.begin()
        with db.held_connection(connection):
            db.use_scope(db.NOBODY)
            everything_once()
            db.session.remove()
            yield connection
        outer.rollback()
    engine.dispose()


@pytest.fixture
def world(standing: Connection) -> Iterator[None]:
    """The world as it was made, whatever another test has done to it."""
    db.use_scope(db.NOBODY)
    mine = standing.begin_nested()
    yield
    db.session.remove()
    mine.rollback()


def test_there_is_a_way_to_break_every_check() -> None:
    assert list(DAMAGE) == [one.name for one in INVARIANTS]
    assert len(BY_NAME) == len(INVARIANTS)


def test_where_all_is_well_every_check_is_green(world: None) -> None:
    with db.scoped(db.WORKER):
        found = {one.name: one.find(None) for one in INVARIANTS}
    assert {name: one.findings for name, one in found.items() if one.count} == {}
    lately = {one.name: looked(one.name, Reach.HOUR).count for one in INVARIANTS if one.is_quick}
    assert {name: count for name, count in lately.items() if count} == {}
    assert len(lately) > 25


@pytest.mark.requirement("S2-63", "S1-15")
@pytest.mark.parametrize("name", DAMAGE)
def test_each_check_turns_red_names_the_row_and_only_once_it_is_broken(
    world: None, name: str
) -> None:
    assert looked(name).findings == []
    damage(DAMAGE[name])
    reach = Reach.HOUR if BY_NAME[name].is_quick else Reach.ALL
    for wide in {reach, Reach.ALL}:
        found = looked(name, wide)
        assert found.count >= 1, wide
        assert found.findings[0].subject
    with db.scoped(db.WORKER):
        assert invariants.red_count() == 1


def test_what_was_red_stays_red_until_it_is_mended_however_long_ago_it_broke(world: None) -> None:
    name = "payment_is_booked"
    damage(DAMAGE[name])
    assert looked(name, Reach.HOUR).count == 1
    with clock.standing_at(clock.now() + dt.timedelta(hours=30)):
        assert looked(name, Reach.HOUR).count == 1
    damage("UPDATE payment SET fee_minor = fee_minor - 1 WHERE id = " + A_CAPTURED)
    assert looked(name, Reach.HOUR).count == 0
    deeds = "SELECT string_agg(action, ' ' ORDER BY id) FROM audit_entry WHERE subject_id = :name"
    assert scalar(deeds, name=name) == "invariant.turned_red invariant.turned_green"


def test_a_red_check_says_so_in_the_log_once_for_each_look(world: None) -> None:
    damage(DAMAGE["suspense_is_explained"])
    with capture_logs() as lines:
        looked("suspense_is_explained", Reach.HOUR)
        looked("payment_is_booked", Reach.HOUR)
    (said,) = [line for line in lines if line["event"] == "invariant_broken"]
    assert (said["log_level"], said["invariant"]) == ("error", "suspense_is_explained")


def test_an_approved_refund_that_does_not_leave_is_named_but_not_while_all_are_frozen(
    world: None,
) -> None:
    stuck = "UPDATE refund SET status = 'approved', leaves_at = " + LONG_AGO
    damage(f"{stuck} WHERE status = 'unsent'")
    assert looked("nothing_past_its_deadline").findings[0].subject.startswith("re_")
    damage(f"UPDATE refund_freeze SET frozen_at = {LONG_AGO}")
    assert looked("nothing_past_its_deadline").findings == []


def test_the_last_hour_leaves_out_what_is_older_and_the_night_does_not(world: None) -> None:
    damage(DAMAGE["payment_is_booked"])
    with clock.standing_at(clock.now() + dt.timedelta(hours=2)):
        assert looked("payment_is_booked", Reach.HOUR).count == 0
        assert looked("payment_is_booked", Reach.ALL).count == 1


def test_each_check_is_made_every_minute_and_every_night(world: None) -> None:
    quick = len([one for one in INVARIANTS if one.is_quick])
    now = clock.now().replace(hour=12)
    with db.scoped(db.WORKER), clock.standing_at(now):
        assert invariants.is_due()
        assert invariants.run_due(seconds=60) == quick + len(INVARIANTS)
        assert not invariants.is_due()
        assert invariants.run_due(seconds=60) == 0
    with db.scoped(db.WORKER), clock.standing_at(now + dt.timedelta(seconds=61)):
        assert invariants.is_due()
        assert invariants.run_due(seconds=60) == quick
    with db.scoped(db.WORKER), clock.standing_at(now + dt.timedelta(hours=15)):
        assert invariants.run_due(seconds=60) == quick + len(INVARIANTS)


def test_the_night_comes_once_a_day() -> None:
    evening = dt.datetime(2026, 11, 21, 22, 0, tzinfo=dt.UTC)
    night = invariants.next_look(Reach.ALL, evening)
    assert night == dt.datetime(2026, 11, 22, 2, 30, tzinfo=dt.UTC)
    assert invariants.next_look(Reach.ALL, night) == night + dt.timedelta(days=1)
    assert invariants.next_look(Reach.HOUR, evening) == evening + dt.timedelta(minutes=1)


def test_a_look_stops_when_its_time_is_over_and_goes_on_later(world: None) -> None:
    ticks = iter(range(100))
    with db.scoped(db.WORKER):
        assert invariants.run_due(seconds=3, clock_seconds=lambda: next(ticks)) == 2
        assert invariants.is_due()


def test_a_check_that_is_not_there_is_not_made(world: None) -> None:
    for name, reach in (("nothing", Reach.ALL), ("audit_trail_is_whole", Reach.HOUR)):
        with db.scoped(db.WORKER), pytest.raises(NotFound):
            invariants.run(name, reach)


def test_every_noun_that_moves_is_looked_at(world: None) -> None:
    known = scalar("SELECT array_agg(DISTINCT noun ORDER BY noun) FROM flow_edge")
    assert known == sorted(noun.flow.noun for noun in invariants.NOUNS)


def test_the_web_may_count_but_not_see_what_is_behind(world: None) -> None:
    damage(DAMAGE["payment_is_booked"])
    looked("payment_is_booked")
    with db.scoped(db.NOBODY):
        assert invariants.red_count() == 1
    with (
        db.scoped(db.NOBODY),
        pytest.raises(db.DatabaseError, match="permission denied"),
        db.transaction(),
    ):
        invariants.wall()
