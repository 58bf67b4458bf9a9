"""The proxy before a real Postgres: what is cut, when, and what the server has done by then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from supervisor.stores import Stores
from tests.chaos.proxy import AFTER, BEFORE, LATE, WAYS, Cut, Proxy
from tests.chaos.wire import Listener

ROLE = "postgres"


@pytest.fixture
def proxy(stores: Stores) -> Iterator[Proxy]:
    with Proxy(stores.places.sockets / ".s.PGSQL.5432", seed=1) as running:
        yield running


@pytest.fixture
def table(stores: Stores) -> Iterator[str]:
    """Make a table of its own, seen past the proxy."""
    with psycopg.connect(stores.dsn(ROLE, "postgres"), autocommit=True) as server:
        server.execute("CREATE TABLE cut_here (n int)")
        yield "cut_here"
        server.execute("DROP TABLE cut_here")


def through(proxy: Proxy, stores: Stores) -> psycopg.Connection:
    password = stores.secrets[f"password_{ROLE}"]
    return psycopg.connect(
        f"host=127.0.0.1 port={proxy.port} user={ROLE} password={password} dbname=postgres"
        " sslmode=disable gssencmode=disable"
    )


def numbers(stores: Stores) -> list[int]:
    with psycopg.connect(stores.dsn(ROLE, "postgres")) as server:
        return [row[0] for row in server.execute("SELECT n FROM cut_here ORDER BY n").fetchall()]


def cuts_of(proxy: Proxy, count: int) -> list[Cut]:
    """Wait until so many cuts are over."""
    until = time.monotonic() + 10
    while len(proxy.cuts) < count and time.monotonic() < until:
        time.sleep(0.01)
    return proxy.cuts


def test_nothing_is_cut_unless_it_was_asked_for(proxy: Proxy, stores: Stores, table: str) -> None:
    with through(proxy, stores) as client:
        for n in range(8):
            client.execute("INSERT INTO cut_here VALUES (%s)", (n,))
            client.commit()
    assert numbers(stores) == list(range(8))
    assert proxy.cuts == []


@pytest.mark.parametrize("way", WAYS)
def test_a_commit_is_cut_and_what_the_client_hears_is_the_same_whatever_happened(
    proxy: Proxy, stores: Stores, table: str, way: str
) -> None:
    client = through(proxy, stores)
    client.execute("SELECT 1")
    client.commit()
    proxy.arm(way, ROLE)
    client.execute("INSERT INTO cut_here VALUES (1)")
    with pytest.raises(psycopg.OperationalError) as lost:
        client.commit()
    assert lost.value.sqlstate is None
    assert cuts_of(proxy, 1) == [Cut(ROLE, way, was_done=way in {AFTER, LATE})]
    assert numbers(stores) == ([] if way == BEFORE else [1])
    client.close()


def test_the_end_of_a_transaction_that_only_read_is_left_alone(
    proxy: Proxy, stores: Stores, table: str
) -> None:
    proxy.arm(BEFORE, ROLE)
    with through(proxy, stores) as client:
        client.execute("SELECT n FROM cut_here FOR UPDATE")
        client.commit()
        assert proxy.waiting == 1


def test_another_role_is_not_cut(proxy: Proxy, stores: Stores, table: str) -> None:
    proxy.arm(BEFORE, "paydeck_web")
    with through(proxy, stores) as client:
        client.execute("INSERT INTO cut_here VALUES (1)")
        client.commit()
    assert numbers(stores) == [1]


def test_a_prepared_write_is_known_by_its_name(proxy: Proxy, stores: Stores, table: str) -> None:
    client = through(proxy, stores)
    client.execute("INSERT INTO cut_here VALUES (%s)", (1,), prepare=True)
    client.commit()
    client.execute("INSERT INTO cut_here VALUES (%s)", (2,), prepare=True)
    proxy.arm(BEFORE, ROLE)
    with pytest.raises(psycopg.OperationalError):
        client.commit()
    assert numbers(stores) == [1]
    client.close()


def test_a_server_that_is_away_hangs_up(tmp_path: Path) -> None:
    with (
        Proxy(tmp_path / "nobody", seed=1) as proxy,
        pytest.raises(psycopg.OperationalError) as away,
    ):
        psycopg.connect(f"host=127.0.0.1 port={proxy.port} user=x dbname=y sslmode=disable")
    assert away.value.sqlstate is None


def test_messages_are_told_apart_wherever_the_stream_is_cut() -> None:
    first = (12).to_bytes(4, "big") + (196608).to_bytes(4, "big") + b"user"
    stream = first + b"Q" + (19).to_bytes(4, "big") + b"INSERT INTO a\0\0"
    stream += b"Q" + (11).to_bytes(4, "big") + b"COMMIT\0"
    for size in (1, 2, 7, 1000):
        listener = Listener()
        found = [
            (message.kind, listener.is_commit(message))
            for start in range(0, len(stream), size)
            for message in listener.feed(stream[start : start + size])
        ]
        assert found == [(b"", False), (b"Q", False), (b"Q", True)]
