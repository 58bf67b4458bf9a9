"""What the database refuses of keys and tokens, with real commits, and what happens at once."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.accounts.people import new_address, signed_in, somebody
from tests.counting import statements
from tests.portal import Committed
from webapp import accounts
from webapp.accounts import NewKey, Tokens, errors
from webapp.kernel import db, ids
from webapp.outbox import Actor

HOUR = dt.timedelta(hours=1)
NO_PRIVILEGE, CHECKED, HIDDEN = "42501", "23514", "42501"
NEVER_DELETED, NOT_POSSIBLE, FROZEN = "PD001", "PD002", "PD003"


@dataclass(frozen=True)
class Keys:
    """A merchant with a key, on its own database."""

    portal: Committed
    merchant_id: str
    by: Actor
    new: NewKey

    def scope(self) -> db.Scope:
        """Return what its door puts in force."""
        return db.Scope(merchant_id=self.merchant_id, livemode=False)

    def refusal(self, statement: str, *, role: str = "paydeck_web") -> str | None:
        """Return the state with which a statement is refused in the merchant's scope."""
        with self.portal.connect(role) as connection:
            connection.execute(
                "SELECT set_config('app.merchant', %s, true),"
                " set_config('app.livemode', 'false', true)",
                (self.merchant_id,),
            )
            try:
                done = connection.execute(statement.replace("{merchant}", self.merchant_id))
                assert done.rowcount != 0, "the statement met a row"
                connection.commit()
            except psycopg.Error as refused:
                return refused.sqlstate
            return None

    def insert(self, **values: object) -> str | None:
        """Return the state with which a row like a good one but for `values` is refused."""
        row: dict[str, Any] = {
            "id": ids.new("api_key"),
            "merchant_id": self.merchant_id,
            "livemode": False,
            "kind": "secret",
            "name": "Kitchen",
            "prefix": "sk_test_",
            "last_four": "abcd",
            "token_hash": ids.token_hash(ids.secret_token()),
            "scopes": None,
            "api_version": "2026-11-01",
            "created_at": self.new.key.created_at,
            **values,
        }
        return self.refusal(
            f"INSERT INTO api_key ({', '.join(row)}) VALUES"
            f" ({', '.join(_literal(value) for value in row.values())})"
        )


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(_literal, value))}]::text[]"
    return f"'{value}'"


@pytest.fixture
def keys(committed: Committed) -> Keys:
    user_id = somebody(new_address())
    merchant_id, by = accounts.create_merchant("Chai & Co", user_id), Actor("user", user_id)
    with db.scoped(db.Scope(merchant_id=merchant_id, livemode=False)):
        new = accounts.create_key(merchant_id, livemode=False, kind="secret", name="Shop", by=by)
    return Keys(committed, merchant_id, by, new)


def test_a_good_row_is_taken(keys: Keys) -> None:
    assert keys.insert() is None
    assert keys.insert(kind="publishable", prefix="pk_test_") is None


@pytest.mark.parametrize(
    "values",
    [
        {"prefix": "sk_live_"},
        {"prefix": "pk_test_"},
        {"kind": "publishable"},
        {"kind": "restricted"},
        {"kind": "publishable", "prefix": "pk_test_", "scopes": ["orders:read"]},
        {"scopes": ["orders"]},
        {"scopes": []},
        {"token_hash": "sk_test_plain"},
        {"last_four": "abcde"},
        {"name": ""},
        {"api_version": "newest"},
    ],
)
def test_a_row_that_contradicts_itself_is_refused(keys: Keys, values: dict[str, object]) -> None:
    assert keys.insert(**values) == CHECKED


@pytest.mark.parametrize(
    "values",
    [
        {"livemode": True, "prefix": "sk_live_"},
        {"merchant_id": "mer_00000000000000000000000000"},
        {"revoked_at": "2026-01-01"},
        {"last_used_at": "2026-01-01"},
        {"replaced_by": "key_x"},
    ],
)
def test_a_key_is_born_working_in_its_own_merchant_and_mode(
    keys: Keys, values: dict[str, object]
) -> None:
    assert keys.insert(**values) == HIDDEN


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("token_hash = repeat('0', 64)", FROZEN),
        ("scopes = ARRAY['orders:read']", FROZEN),
        ("kind = 'publishable', prefix = 'pk_test_'", FROZEN),
        ("livemode = true, prefix = 'sk_live_'", FROZEN),
        ("merchant_id = 'mer_00000000000000000000000000'", FROZEN),
        ("created_by = 'usr_x'", FROZEN),
        ("name = 'other'", FROZEN),
        ("expires_at = '2020-01-01', revoked_at = '2020-01-01'", None),
    ],
)
def test_what_a_key_is_never_changes_whoever_asks(
    keys: Keys, change: str, expected: str | None
) -> None:
    asked = f"UPDATE api_key SET {change}"
    assert keys.refusal(asked, role="postgres") == expected
    if expected is not None:
        assert keys.refusal(asked) == NO_PRIVILEGE


@pytest.mark.parametrize(
    ("before", "change", "expected"),
    [
        ("revoked_at = clock_now()", "revoked_at = NULL", NOT_POSSIBLE),
        ("revoked_at = clock_now()", "revoked_at = '2030-01-01'", NOT_POSSIBLE),
        ("expires_at = '2030-01-01'", "expires_at = '2031-01-01'", NOT_POSSIBLE),
        ("expires_at = '2030-01-01'", "expires_at = NULL", NOT_POSSIBLE),
        ("expires_at = '2030-01-01'", "expires_at = '2029-01-01'", None),
        ("last_used_at = '2026-01-02'", "last_used_at = '2026-01-01'", FROZEN),
        ("last_used_at = '2026-01-02'", "last_used_at = NULL", FROZEN),
    ],
)
def test_what_ended_is_not_revived_and_no_end_put_off(
    keys: Keys, before: str, change: str, expected: str | None
) -> None:
    assert keys.refusal(f"UPDATE api_key SET {before}") is None
    assert keys.refusal(f"UPDATE api_key SET {change}") == expected


def test_no_key_is_deleted(keys: Keys) -> None:
    assert keys.refusal("DELETE FROM api_key") == NO_PRIVILEGE
    assert keys.refusal("DELETE FROM api_key", role="postgres") == NEVER_DELETED


def test_an_admin_may_end_a_key_and_nothing_else(keys: Keys) -> None:
    assert keys.refusal("UPDATE api_key SET expires_at = NULL", role="paydeck_admin")
    with db.scoped(db.ADMIN):
        accounts.revoke_key(keys.new.key.id, by=Actor("admin", "usr_x"))
    assert accounts.key_for(keys.new.token) is None


def test_the_look_up_gives_ids_alone_and_to_the_web_alone(keys: Keys) -> None:
    hashed = ids.token_hash(keys.new.token)
    asked = f"SELECT * FROM api_key_by_hash('{hashed}')"
    with keys.portal.connect() as web:
        found = web.execute(asked)
        columns = [column.name for column in found.description or ()]
        assert len(found.fetchall()) == 1
        assert web.execute("SELECT * FROM api_key").fetchall() == [], "without a scope"
        assert web.execute("SELECT * FROM api_key_by_hash('x')").fetchall() == []
    assert columns == [
        "key_id", "merchant_id", "livemode", "kind", "scopes", "api_version", "used_long_ago",
    ]  # fmt: skip
    for role in ("paydeck_admin", "paydeck_worker"):
        assert keys.refusal(asked, role=role) == NO_PRIVILEGE


def test_a_session_is_described_to_its_own_person_alone(committed: Committed) -> None:
    mine, theirs = new_address(), new_address()
    my_id, their_id = somebody(mine), somebody(theirs)
    accounts.begin_tokens(signed_in(mine))
    with committed.connect("postgres") as root:
        found = root.execute("SELECT id FROM sign_in_session WHERE user_id = %s", (my_id,))
        session_id = found.fetchall()[0][0]
    with committed.connect() as web:
        for person, count in ((my_id, 1), (their_id, 0), ("", 0)):
            web.execute("SELECT set_config('app.user', %s, true)", (person,))
            rows = web.execute("SELECT * FROM own_session(%s)", (session_id,)).fetchall()
            assert len(rows) == count


def test_a_refresh_token_is_its_persons_row_and_stays_used(committed: Committed) -> None:
    email = new_address()
    user_id = somebody(email)
    pair = accounts.begin_tokens(signed_in(email))
    accounts.refresh_tokens(pair.refresh)
    for statement in (
        "UPDATE refresh_token SET used_at = NULL WHERE used_at IS NOT NULL",
        "UPDATE refresh_token SET expires_at = expires_at + interval '1 year'",
        "UPDATE refresh_token SET token_hash = repeat('0', 64)",
        "DELETE FROM refresh_token",
    ):
        with committed.connect() as web:
            assert web.execute("SELECT * FROM refresh_token").fetchall() == []
            web.execute("SELECT set_config('app.user', %s, true)", (user_id,))
            assert len(web.execute("SELECT * FROM refresh_token").fetchall()) == 2
            with pytest.raises(psycopg.Error):
                web.execute(statement)


def test_a_call_costs_one_question_and_its_scope_once_its_caller_was_seen(keys: Keys) -> None:
    """What each call of a program pays before it is answered."""
    email = new_address()
    somebody(email)
    pair = accounts.begin_tokens(signed_in(email))
    for ask in (
        lambda: accounts.key_for(keys.new.token),
        lambda: accounts.person_for_access(pair.access),
    ):
        assert ask() is not None
        db.end_reads()
        with statements() as sent:
            assert ask() is not None
        db.end_reads()
        assert len(sent) == 2, sent


@pytest.mark.races
@pytest.mark.requirement("S2-76")
def test_eight_refreshes_at_once_give_one_successor_and_end_nothing(committed: Committed) -> None:
    email, answers = new_address(), list[Tokens]()
    somebody(email)
    pair = accounts.begin_tokens(signed_in(email))
    _all_at_once(committed, lambda: answers.append(accounts.refresh_tokens(pair.refresh)))
    assert len(answers) == 8
    assert len({answer.refresh for answer in answers}) == 1
    with committed.connect("postgres") as root:
        assert root.execute("SELECT count(*) FROM refresh_token").fetchone() == (2,)
    assert all(accounts.person_for_access(answer.access) for answer in answers)


@pytest.mark.races
def test_a_thief_and_its_victim_at_once_leave_a_family_that_ended(committed: Committed) -> None:
    email, refused = new_address(), list[str]()
    somebody(email)
    first = accounts.begin_tokens(signed_in(email))
    second = accounts.refresh_tokens(first.refresh)
    third = accounts.refresh_tokens(second.refresh)

    def use_again() -> None:
        try:
            accounts.refresh_tokens(first.refresh)
        except errors.RefreshEnded:
            refused.append("refused")

    _all_at_once(committed, use_again)
    assert len(refused) == 8
    assert accounts.person_for_access(third.access) is None
    with committed.connect("postgres") as root:
        counted = root.execute(
            "SELECT count(*) FROM audit_entry WHERE action = 'user.refresh_token_reused'"
        )
        assert counted.fetchone() == (1,)


@pytest.mark.races
def test_a_key_rolled_eight_times_at_once_has_one_successor(keys: Keys) -> None:
    answers = list[str]()

    def roll() -> None:
        with db.scoped(keys.scope()):
            try:
                accounts.roll_key(keys.new.key.id, overlap=HOUR, by=keys.by)
                answers.append("rolled")
            except errors.KeyEnded:
                answers.append("ended")

    _all_at_once(keys.portal, roll)
    assert sorted(answers) == ["ended"] * 7 + ["rolled"]
    with db.scoped(keys.scope()):
        assert len(accounts.keys_of(keys.merchant_id, livemode=False)) == 2


@pytest.mark.races
def test_a_key_used_eight_times_at_once_notes_its_use_without_waiting(keys: Keys) -> None:
    answers = list[bool]()
    _all_at_once(keys.portal, lambda: answers.append(accounts.key_for(keys.new.token) is not None))
    assert answers == [True] * 8
    with db.scoped(keys.scope()):
        assert accounts.key_of(keys.merchant_id, keys.new.key.id).last_used_at is not None


def _all_at_once(portal: Committed, work: Callable[[], None]) -> None:
    ready = threading.Barrier(8)

    def run() -> None:
        with portal.app.app_context():
            ready.wait()
            work()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
