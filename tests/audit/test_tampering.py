"""Whatever is changed behind the portal's back, the verifier names the row."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from tests.audit.conftest import DEEDS
from tests.books import RIVAL, SHOP, refusal_of
from tests.portal import Committed
from webapp import audit
from webapp.audit.chain import COLUMNS, START, hash_of, what_is_wrong
from webapp.audit.models import Entry, Seal
from webapp.kernel import crypto

TAMPERINGS = 1_000
NO_PRIVILEGE = "42501"
APPEND_ONLY = "PD001"
ROLES = ("paydeck_web", "paydeck_admin", "paydeck_worker")


def tamper(trail: Committed, statement: str) -> None:
    """Change the trail as nobody but the superuser can."""
    with trail.connect("postgres") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


@pytest.mark.requirement("S2-62")
@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE audit_entry SET data = '{}' WHERE subject_id = 'ord_3'", "seal 4: audit row"),
        ("UPDATE audit_entry SET actor_id = NULL WHERE subject_id = 'ord_0'", "seal 1: audit row"),
        ("UPDATE audit_entry SET at = at + interval '1 microsecond'", "seal 1: audit row"),
        ("DELETE FROM audit_entry WHERE subject_id = 'ord_5'", "seal 6: audit row"),
        ("DELETE FROM audit_seal WHERE seq = 5", "seal 6: the seals before it are missing"),
        ("DELETE FROM audit_seal WHERE seq = 1", "seal 2: the seals before it are missing"),
        ("UPDATE audit_seal SET hash = repeat('0', 64) WHERE seq = 7", "seal 7: audit row"),
        ("UPDATE audit_seal SET previous = '' WHERE seq = 7", "seal 7: does not continue"),
    ],
)
def test_the_verifier_names_the_first_row_that_was_changed(
    trail: Committed, statement: str, says: str
) -> None:
    tamper(trail, statement)
    found = audit.verify()
    assert not found.ok
    assert found.first_bad is not None
    assert found.first_bad.startswith(says)
    assert found.says == found.first_bad


def test_a_trail_whose_end_was_cut_off_contradicts_the_head_kept_outside(trail: Committed) -> None:
    kept = audit.head()
    assert audit.verify(kept).ok
    tamper(trail, "DELETE FROM audit_seal WHERE seq > 10")
    tamper(trail, "DELETE FROM audit_entry WHERE subject_id IN ('ord_10', 'ord_11')")
    assert audit.verify().ok
    found = audit.verify(kept)
    assert not found.ok
    assert found.first_bad == f"seal {DEEDS}: was there once and is missing"


def test_a_trail_written_anew_contradicts_the_head_kept_outside(trail: Committed) -> None:
    other = audit.Head(seq=4, hash="0" * 64)
    assert audit.verify(other).first_bad == "seal 4: is not the one that was kept outside"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
def test_no_role_of_the_portal_changes_the_trail(
    shared_trail: Committed, role: str, table: str
) -> None:
    with shared_trail.connect(role) as connection:
        for statement in (
            f"UPDATE {table} SET {'action' if table == 'audit_entry' else 'hash'} = 'x'",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
        ):
            assert refusal_of(connection, statement) == NO_PRIVILEGE, statement


@pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
def test_not_even_the_owner_changes_the_trail(shared_trail: Committed, table: str) -> None:
    column = "action" if table == "audit_entry" else "hash"
    with shared_trail.connect("paydeck_owner") as connection:
        for statement in (
            f"UPDATE {table} SET {column} = 'x'",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            assert refusal_of(connection, statement) == APPEND_ONLY, statement


def test_a_seal_that_does_not_continue_the_chain_is_refused(shared_trail: Committed) -> None:
    seal = "INSERT INTO audit_seal (seq, audit_id, hash, previous) SELECT %s, id, %s, %s"
    seal += " FROM audit_entry LIMIT 1"
    with shared_trail.connect("paydeck_worker") as connection:
        good = connection.execute("SELECT hash FROM audit_seal ORDER BY seq DESC LIMIT 1")
        found = good.fetchone()
        assert found is not None
        a_hash = "a" * 64
        assert refusal_of(connection, seal, DEEDS + 2, a_hash, found[0]) == APPEND_ONLY
        assert refusal_of(connection, seal, DEEDS + 1, a_hash, a_hash) == APPEND_ONLY
        assert refusal_of(connection, seal, 1, a_hash, "") == APPEND_ONLY


def test_the_web_writes_nothing_about_another_merchant_and_reads_nothing(
    shared_trail: Committed,
) -> None:
    deed = (
        "INSERT INTO audit_entry (id, at, actor_kind, action, subject_kind, subject_id,"
        " merchant_id, data) VALUES ('aud_x', now(), 'x', 'x', 'x', 'x', %s, '{}')"
    )
    with shared_trail.connect("paydeck_web") as connection:
        connection.execute("SELECT set_config('app.merchant', %s, false)", (SHOP,))
        connection.commit()
        assert refusal_of(connection, deed, RIVAL) == NO_PRIVILEGE
        assert refusal_of(connection, "SELECT * FROM audit_entry") == NO_PRIVILEGE
        connection.execute(deed, (SHOP,))
        connection.rollback()


def chain_of(length: int) -> tuple[list[Entry], list[Seal]]:
    """Return a chain in memory."""
    crypto.use(crypto.KeyRing((("k1", bytes(32)),), bytes(range(32))))
    entries, seals, previous = [], [], START
    for number in range(1, length + 1):
        entry = Entry(
            id=f"aud_{number}",
            at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=number),
            actor_kind="user",
            actor_id=f"usr_{number}",
            action="order.cancelled",
            subject_kind="order",
            subject_id=f"ord_{number}",
            merchant_id="mer_1",
            livemode=bool(number % 2),
            data={"because": "Sold out.", "number": number},
            request_id=f"req_{number}",
        )
        hashed = hash_of(previous, entry)
        seals.append(Seal(seq=number, audit_id=entry.id, hash=hashed, previous=previous))
        entries.append(entry)
        previous = hashed
    return entries, seals


def first_wrong(entries: list[Entry], seals: list[Seal]) -> int | None:
    """Return the place of the first bad link, or None."""
    before = None
    for place, (entry, seal) in enumerate(zip(entries, seals, strict=True)):
        if what_is_wrong(seal, entry, before=before):
            return place
        before = seal
    return None


def changed(value: object, chance: random.Random) -> object:
    """Return something like `value`, with one letter or figure of it changed."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, dt.datetime):
        return value + dt.timedelta(microseconds=chance.randint(1, 10**9))
    if isinstance(value, dict):
        return {**value, "number": value["number"] + chance.randint(1, 99)}
    text = str(value)
    place = chance.randrange(len(text))
    return text[:place] + chr((ord(text[place]) + 1) % 128) + text[place + 1 :]


def test_a_thousand_random_changes_are_all_found_at_their_row() -> None:
    entries, seals = chain_of(40)
    assert first_wrong(entries, seals) is None
    chance = random.Random(20)
    for _ in range(TAMPERINGS):
        place, column = chance.randrange(len(entries)), chance.choice(COLUMNS)
        copies = list(entries)
        copies[place] = Entry(**{name: getattr(entries[place], name) for name in COLUMNS})
        setattr(copies[place], column, changed(getattr(entries[place], column), chance))
        assert first_wrong(copies, seals) == place, (place, column)
