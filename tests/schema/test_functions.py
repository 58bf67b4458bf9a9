"""Who may call the database's functions, and that no table of one's own fools its guards."""

from __future__ import annotations

import psycopg
import pytest

from tests.portal import Committed

PLATFORM = "mer_00000000000000000000000000"
UNGRANTED = "42501"
NOT_IN_THE_GRAPH = "PD002"
NOT_ALLOWED = "PD005"
OURS = (
    "SELECT p.proname, p.prosecdef, p.proconfig, p.oid FROM pg_proc p"
    " WHERE p.pronamespace = 'public'::regnamespace"
)
#: A table in the place of the graph of states, in which everything is allowed.
OWN_GRAPH = """
CREATE TEMPORARY TABLE flow_edge (noun text, source text, target text);
INSERT INTO flow_edge VALUES ('wallet', '', 'inactive');
"""
#: A wallet born in a state in which none may be born.
STILLBORN = f"""
INSERT INTO wallet
  (id, merchant_id, livemode, user_id, currency, status, version, created_at, metadata)
VALUES ('wal_x', '{PLATFORM}', false, 'usr_x', 'INR', 'inactive', 1, now(), '{{}}')
"""
#: A table whose rows would move balances, were its maker allowed to use the ledger's trigger.
OWN_ENTRIES = """
CREATE TEMPORARY TABLE entries (account_id text, amount_minor bigint);
CREATE TRIGGER moves AFTER INSERT ON entries
  FOR EACH ROW EXECUTE FUNCTION entry_moves_balance();
"""
INTO_THE_PLATFORM = f"""
INSERT INTO membership (id, merchant_id, user_id, role, created_at)
VALUES ('mem_x', '{PLATFORM}', 'usr_x', 'owner', now())
"""


def refusal(committed: Committed, *statements: str) -> str | None:
    """Return the state with which the portal's role is refused, as a person `usr_x`."""
    with committed.connect() as web:
        web.execute("SELECT set_config('app.user', 'usr_x', true)")
        try:
            for statement in statements:
                web.execute(statement)
        except psycopg.Error as refused:
            return refused.sqlstate
        return None


def test_every_function_that_borrows_rights_looks_into_our_tables_first(
    committed: Committed,
) -> None:
    with committed.connect("postgres") as server:
        ours = server.execute(OURS).fetchall()
    borrowing = {name: config for name, borrows, config, _oid in ours if borrows}
    assert len(borrowing) > 10
    wrong = {n: c for n, c in borrowing.items() if c != ["search_path=public, pg_temp"]}
    assert wrong == {}


def test_nobody_calls_a_function_without_having_been_granted_it(committed: Committed) -> None:
    public = f"{OURS} AND has_function_privilege('public', p.oid, 'EXECUTE')"
    with committed.connect("postgres") as server:
        assert server.execute(public).fetchall() == []


@pytest.mark.parametrize("role", ["paydeck_web", "paydeck_admin", "paydeck_worker"])
def test_every_role_reads_the_one_clock(committed: Committed, role: str) -> None:
    with committed.connect(role) as connection:
        assert connection.execute("SELECT clock_now() IS NOT NULL").fetchone() == (True,)


def test_a_graph_of_ones_own_is_not_believed(committed: Committed) -> None:
    assert refusal(committed, STILLBORN) == NOT_IN_THE_GRAPH
    assert refusal(committed, OWN_GRAPH, STILLBORN) == NOT_IN_THE_GRAPH


def test_a_table_of_ones_own_moves_no_balance(committed: Committed) -> None:
    assert refusal(committed, OWN_ENTRIES) == UNGRANTED


def test_nobody_becomes_a_member_of_the_platform(committed: Committed) -> None:
    assert refusal(committed, INTO_THE_PLATFORM) == NOT_ALLOWED
