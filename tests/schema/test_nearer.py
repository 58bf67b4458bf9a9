"""What waits in test mode comes nearer, though not before now; and not a word else is changed."""

from __future__ import annotations

import pytest

from tests.schema.scene import ADMIN, DONE, WEB, WORKER, Scene

NO_PRIVILEGE, FROZEN = "42501", "PD003"
UNGUARDED = "SET LOCAL session_replication_role = replica"
GUARDED = "SET LOCAL session_replication_role = origin"
LIVE_SCOPE = "SELECT set_config('app.livemode', 'true', true)"
HOUR = "clock_now() + interval '1 hour'"
#: A payment link, and a refund that leaves in an hour.
LINK = (
    "INSERT INTO payment_link (id, merchant_id, livemode, status, version, amount_minor, currency,"
    " description, ends_at, token_sealed, token_index, created_at, metadata) VALUES ('plink_x',"
    f" '{{shop}}', false, 'active', 1, 500, 'INR', 'x', {HOUR}, 'x', 'x',"
    " clock_now() - interval '1 hour', '{{}}')"
)
REFUND = (
    "INSERT INTO refund (id, merchant_id, livemode, payment_id, status, version, amount_minor,"
    " currency, reason, note, destination, needs_approval, requested_by_kind, leaves_at,"
    " created_at, metadata) VALUES ('re_x', '{shop}', false, '{captured}', 'approved', 1, 1,"
    f" 'INR', 'other', '', 'original', false, 'api', {HOUR}, clock_now(), '{{{{}}}}')"
)
SESSION = (
    f"UPDATE checkout_session SET expires_at = {HOUR}, opened_at = clock_now() - interval '1 day',"
    " status = 'open', closed_at = NULL WHERE order_id = '{free_order}'"
)
#: How each is made, its row, the column that may come nearer, and a status in which it may not.
KINDS = {
    "checkout_session": (SESSION, "order_id = '{free_order}'", "expires_at", "expired"),
    "payment_link": (LINK, "id = 'plink_x'", "ends_at", "ended"),
    "refund": (REFUND, "id = 're_x'", "leaves_at", "cancelled"),
}
ALSO = {
    "checkout_session": "closed_at = clock_now()",
    "payment_link": 'metadata = \'{{"a": "b"}}\'',
    "refund": "expected_by = '2026-01-01'",
}


def changed(table: str, to: str, *, role: str = WEB, first: str = "", also: str = "") -> list[str]:
    """Return statements that make a row, change it past its guards, and bring it to a moment."""
    make, where, column, _ended = KINDS[table]
    before = [f"UPDATE {table} SET {first} WHERE {where}"] if first else []
    setting = f"{column} = {to.format(column=column)}" + (f", {also}" if also else "")
    change = f"UPDATE {table} SET {setting} WHERE {where}"
    return [UNGUARDED, make, *before, GUARDED, f"SET ROLE {role}", change]


@pytest.mark.parametrize("table", KINDS)
@pytest.mark.parametrize(
    ("to", "result"),
    [
        ("{column} - interval '10 minutes'", DONE),
        ("clock_now()", DONE),
        ("{column} + interval '1 second'", FROZEN),
        ("clock_now() - interval '1 minute'", FROZEN),
        ("'infinity'", FROZEN),
        ("NULL", FROZEN),
    ],
)
def test_a_moment_comes_nearer_and_does_nothing_else(
    scene: Scene, table: str, to: str, result: str
) -> None:
    assert scene.attempt("postgres", *changed(table, to)) == result


@pytest.mark.parametrize("table", KINDS)
def test_what_has_passed_or_ended_stays(scene: Scene, table: str) -> None:
    _make, _where, column, ended = KINDS[table]
    passed = f"{column} = clock_now() - interval '1 second'"
    sooner = "{column} - interval '1 second'"
    assert scene.attempt("postgres", *changed(table, sooner, first=passed)) == FROZEN
    finished = {"payment_link": ", ended_at = clock_now()", "refund": ", finished_at = clock_now()"}
    over = f"status = '{ended}'{finished.get(table, '')}"
    assert scene.attempt("postgres", *changed(table, sooner, first=over)) == FROZEN


@pytest.mark.parametrize("table", KINDS)
def test_in_live_mode_no_moment_comes_nearer(scene: Scene, table: str) -> None:
    nearer = changed(table, "clock_now()", first="livemode = true")
    assert scene.attempt("postgres", LIVE_SCOPE, *nearer) == FROZEN


@pytest.mark.parametrize("table", KINDS)
def test_with_the_moment_nothing_else_is_changed(scene: Scene, table: str) -> None:
    nearer = changed(table, "clock_now()", also=ALSO[table])
    assert scene.attempt("postgres", *nearer) == FROZEN


@pytest.mark.parametrize("table", KINDS)
def test_only_who_serves_pages_and_programs_brings_it_nearer(scene: Scene, table: str) -> None:
    for role in (ADMIN, WORKER):
        nearer = changed(table, "clock_now() + interval '1 minute'", role=role)
        assert scene.attempt("postgres", *nearer) in {NO_PRIVILEGE, FROZEN}, role
