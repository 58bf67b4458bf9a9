"""What the database itself refuses, tried as the portal's role with real commits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.accounts.people import PASSWORD, as_user, new_address, person_of, signed_in, somebody
from tests.portal import Committed
from webapp import accounts
from webapp.accounts import errors
from webapp.kernel import crypto, db

TABLES = ("app_user", "merchant", "membership", "sign_in_session", "secret_token")
PEPPER = ("Zebedee", "Quillfeather", "zebedee.q@canary.example", "+919812345678")


Two = tuple[Committed, list[str], tuple[str, str]]
Connection = psycopg.Connection[Any]


def counts(connection: Connection) -> dict[str, int]:
    return {table: len(connection.execute(f"SELECT 1 FROM {table}").fetchall()) for table in TABLES}


@pytest.fixture
def two(committed: Committed) -> Two:
    """Two people, each with a merchant, a session and links."""
    emails = (new_address(), new_address())
    ids = []
    for email in emails:
        user_id = somebody(email)
        accounts.create_merchant("Chai & Co", user_id)
        accounts.ask_reset(email)
        signed_in(email)
        ids.append(user_id)
    return committed, ids, emails


def as_(connection: Connection, user_id: str = "", merchant_id: str = "") -> None:
    connection.execute("SELECT set_config('app.user', %s, true)", (user_id,))
    connection.execute("SELECT set_config('app.merchant', %s, true)", (merchant_id,))


@pytest.mark.requirement("S2-49")
def test_a_scope_that_was_never_set_sees_nothing(two: Two) -> None:
    committed, _ids, _emails = two
    with committed.connect() as web:
        assert counts(web) == dict.fromkeys(TABLES, 0)


@pytest.mark.requirement("S2-45")
def test_a_person_sees_their_own_rows_and_nobody_elses(two: Two) -> None:
    committed, (mine, theirs), _emails = two
    with committed.connect() as web:
        as_(web, mine)
        seen = counts(web)
        assert seen == {"app_user": 1, "merchant": 1, "membership": 1, "sign_in_session": 1,
                        "secret_token": 2}  # fmt: skip
        for table in TABLES:
            column = "id" if table == "app_user" else "user_id"
            found = web.execute(f"SELECT 1 FROM {table} WHERE {column} = %s", (theirs,)).fetchall()
            assert found == []
        changed = web.execute("UPDATE app_user SET timezone = 'UTC' WHERE id = %s", (theirs,))
        assert changed.rowcount == 0


FORBIDDEN = [
    "UPDATE app_user SET is_admin = true",
    "UPDATE app_user SET id = 'usr_other'",
    "DELETE FROM app_user",
    "TRUNCATE app_user CASCADE",
    "UPDATE app_user SET status = 'suspended', version = version + 1",
    "UPDATE app_user SET version = version + 1",
    "UPDATE app_user SET password_hash = 'plain text'",
    "UPDATE app_user SET email_sealed = 'asha@shop.example'",
    "UPDATE merchant SET fee_bps = 0",
    "UPDATE merchant SET status = 'suspended', version = version + 1",
    "UPDATE merchant SET is_platform = true",
    "DELETE FROM merchant",
    "UPDATE membership SET role = 'owner'",
    "UPDATE membership SET user_id = 'usr_x'",
    "DELETE FROM membership",
    "UPDATE sign_in_session SET token_hash = repeat('0', 64)",
    "UPDATE sign_in_session SET ends_at = ends_at + interval '1 year'",
    "UPDATE sign_in_session SET is_admin = true",
    "DELETE FROM sign_in_session",
    "UPDATE secret_token SET expires_at = expires_at + interval '1 year'",
    "DELETE FROM secret_token",
    "SELECT * FROM sign_in_try",
    "DELETE FROM sign_in_try",
    "INSERT INTO sign_in_try VALUES ('x', 'sign_in', 'a', 'b', now())",
    "ALTER TABLE app_user DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE app_user DISABLE TRIGGER ALL",
    "SET ROLE paydeck_owner",
    "SET ROLE paydeck_admin",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION forget_tries(text, text) RETURNS void LANGUAGE sql AS ''",
]


def test_the_portals_role_is_refused_what_is_not_its_own(two: Two) -> None:
    committed, (mine, _theirs), _emails = two
    allowed = []
    for statement in FORBIDDEN:
        with committed.connect() as web:
            as_(web, mine)
            try:
                web.execute(statement)
                web.commit()
                allowed.append(statement)
            except psycopg.Error:
                web.rollback()
    assert allowed == []


def test_nobody_puts_themselves_into_a_merchant(two: Two) -> None:
    committed, (mine, theirs), _emails = two
    with committed.connect("postgres") as root:
        foreign = root.execute("SELECT merchant_id FROM membership WHERE user_id = %s", (theirs,))
        merchant_id = foreign.fetchall()[0][0]
    join = "INSERT INTO membership VALUES ('mem_x', %s, %s, %s, now(), NULL)"
    for user_id, role in [(mine, "owner"), (mine, "viewer"), (theirs, "owner")]:
        with committed.connect() as web:
            as_(web, mine, merchant_id)
            with pytest.raises(psycopg.Error):
                web.execute(join, (merchant_id, user_id, role))


def test_a_status_is_not_changed_without_its_story(two: Two) -> None:
    committed, (mine, _theirs), _emails = two
    suspend = "UPDATE app_user SET status = 'suspended', version = version + 1 WHERE id = %s"
    with committed.connect("paydeck_admin") as admin:
        admin.execute(suspend, (mine,))
        with pytest.raises(psycopg.Error, match="no story"):
            admin.commit()


@pytest.mark.requirement("S4-43")
def test_a_dump_of_every_table_holds_no_plain_name_address_or_phone(committed: Committed) -> None:
    first, last, email, phone = PEPPER
    new = accounts.register(email, f"{first} {last}", PASSWORD)
    accounts.verify(new.verification_token)
    accounts.update_profile(new.user_id, name=f"{first} {last}", phone=phone, timezone="UTC")
    person = person_of(signed_in(email))
    accounts.ask_new_email(
        person, new_email=f"new.{email}", current=PASSWORD, address="203.0.113.7"
    )
    accounts.ask_reset(email)
    dumped = []
    with committed.connect("postgres") as root:
        tables = root.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            rows = root.execute(f"SELECT row_to_json(t)::text FROM {table} t").fetchall()
            dumped += [row for (row,) in rows]
    text = "\n".join(dumped)
    assert new.user_id in text, "the dump holds the person's rows"
    for word in (first, last, email, phone, phone.removeprefix("+91"), PASSWORD):
        assert word.lower() not in text.lower()


@pytest.mark.requirement("S4-43")
def test_a_sealed_value_does_not_open_in_another_persons_row(two: Two) -> None:
    committed, (mine, theirs), _emails = two
    with committed.connect("postgres") as root:
        root.execute(
            "UPDATE app_user SET name_sealed ="
            " (SELECT name_sealed FROM app_user WHERE id = %s) WHERE id = %s",
            (theirs, mine),
        )
    with db.scoped(as_user(mine)):
        user = accounts.user_of(mine)
        with pytest.raises(crypto.CannotOpen):
            assert user.name


@pytest.mark.races
def test_eight_guesses_at_once_are_at_most_five(committed: Committed) -> None:
    email, answers = new_address(), list[str]()
    somebody(email)

    def guess() -> None:
        with committed.app.app_context():
            try:
                signed_in(email, password="not the password at all")
            except (errors.WrongCredentials, errors.TooManyTries, errors.Busy) as refused:
                answers.append(type(refused).__name__)

    _all_at_once(guess)
    assert answers.count("WrongCredentials") <= 5
    assert answers.count("TooManyTries") >= 3
    assert len(answers) == 8


@pytest.mark.races
def test_eight_registrations_of_one_address_open_one_account(committed: Committed) -> None:
    email, answers = new_address(), list[str]()

    def open_account() -> None:
        with committed.app.app_context():
            try:
                accounts.register(email, "Asha", PASSWORD)
                answers.append("opened")
            except (errors.AlreadyRegistered, errors.TooManyTries, errors.Busy) as refused:
                answers.append(type(refused).__name__)

    _all_at_once(open_account)
    assert answers.count("opened") == 1
    assert len(answers) == 8


@pytest.mark.races
def test_one_reset_link_pressed_eight_times_sets_one_password(committed: Committed) -> None:
    email, answers = new_address(), list[str]()
    somebody(email)
    token = accounts.ask_reset(email) or ""

    def press(number: int) -> None:
        with committed.app.app_context():
            try:
                accounts.reset_password(token, f"seven llamas hum {number}")
                answers.append("set")
            except (errors.LinkSpent, errors.Busy) as refused:
                answers.append(type(refused).__name__)

    _all_at_once(press)
    assert answers.count("set") == 1


def _all_at_once(work: Callable[..., None]) -> None:
    takes_number = bool(work.__code__.co_argcount)
    threads = [
        threading.Thread(target=work, args=(number,) if takes_number else ()) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
