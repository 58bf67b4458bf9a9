"""The embedded stores: they survive crashes, refuse a second start and live side by side."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from psycopg.pq import Ping

from supervisor.errors import CannotStart, StoreDown
from supervisor.settings import ROOT
from supervisor.stores import Stores, remove_abandoned
from supervisor.valkey import client


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="paydeck-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "data"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_was_committed_survives_a_crash_of_both_stores(folder: Path) -> None:
    with Stores(folder) as stores:
        with psycopg.connect(stores.dsn("paydeck_owner"), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('here')")
        with client(stores.redis_url) as valkey:
            valkey.set("hint", "there")
            valkey.execute_command("WAITAOF", 1, 0, 2000)
        stores.kill("postgres")
        stores.kill("valkey")
        stores.heal()
        with psycopg.connect(stores.dsn("paydeck_owner")) as connection:
            assert connection.execute("SELECT word FROM kept").fetchall() == [("here",)]
        with client(stores.redis_url) as valkey:
            assert valkey.get("hint") == b"there"


def test_postgres_that_reads_its_log_again_is_waited_for_and_one_that_is_silent_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Stores(folder, fsync=False, wanted=("postgres",)) as stores:
        answers = iter([False, False, False, True])
        monkeypatch.setattr(stores, "all_answer", lambda: next(answers))
        with pytest.raises(StoreDown):
            stores.heal(seconds=0.0)
        reading = SimpleNamespace(ping=lambda _address: Ping.REJECT)
        monkeypatch.setattr("supervisor.stores.PGconn", reading)
        stores.heal(seconds=0.0)
    assert list(answers) == []


def test_a_second_start_finds_everything_as_it_was(folder: Path) -> None:
    with Stores(folder) as stores:
        with psycopg.connect(stores.dsn("paydeck_owner"), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (word text)")
        secrets = stores.secrets
        pids = stores.pids
    assert not any(_is_alive(pid) for pid in pids.values())
    assert not stores.places.sockets.exists()
    with Stores(folder) as again:
        assert again.secrets == secrets
        with psycopg.connect(again.dsn("paydeck_owner")) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def _is_running(pid: int) -> bool:
    """Alive and not merely waiting for its parent to notice its end."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_start_heals_when_frozen_servers_outlived_their_supervisor(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from supervisor.stores import Stores\n"
        "stores = Stores(Path(sys.argv[1])); stores.start()\n"
        "print(*stores.pids.values(), flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, cwd=ROOT
    ) as first:
        assert first.stdout is not None
        pids = [int(word) for word in first.stdout.readline().split()]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        first.kill()
    assert all(_is_running(pid) for pid in pids)
    with Stores(folder) as second:
        assert second.all_answer()
        assert not any(_is_running(pid) for pid in pids)


def test_an_interrupted_creation_of_the_cluster_starts_again(folder: Path) -> None:
    with Stores(folder) as stores:
        cluster = stores.places.cluster / "pg18"
    cluster.rename(cluster.with_suffix(".new"))
    (cluster.with_suffix(".new") / "PG_VERSION").unlink()
    with Stores(folder) as stores:
        assert stores.all_answer()


def test_a_database_without_its_secrets_is_refused_in_one_sentence(folder: Path) -> None:
    with Stores(folder, fsync=False):
        pass
    (folder / "secrets.json").unlink()
    with pytest.raises(CannotStart, match=r"secrets\.json is missing"):
        Stores(folder)
    assert not (folder / "secrets.json").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps a cluster outside its folder")
def test_the_cluster_of_a_removed_folder_is_set_aside_when_the_folder_begins_anew() -> None:
    with tempfile.TemporaryDirectory(prefix="paydeck-test-") as name:
        data = Path(name) / "data"  # in a folder that the stores' user cannot enter
        with Stores(data) as stores:
            cluster = stores.places.cluster
        assert not cluster.is_relative_to(data)
        shutil.rmtree(data)
        with Stores(data) as stores:
            assert stores.all_answer()
        (aside,) = cluster.parent.glob(f"{cluster.name}.abandoned-*")
        assert (aside / "pg18" / "PG_VERSION").exists()
        shutil.rmtree(aside)
        shutil.rmtree(cluster)


def test_temporary_folders_of_killed_runs_are_removed_and_those_in_use_are_not() -> None:
    with Stores(fsync=False) as living:
        left = Path(tempfile.mkdtemp(prefix="paydeck-stores-"))
        for folder in (left, living.places.data):
            os.utime(folder, (1, 1))
        remove_abandoned()
        assert not left.exists()
        assert living.all_answer()
        assert living.places.data.exists()


def test_a_second_start_in_the_same_folder_is_refused_in_one_sentence(folder: Path) -> None:
    with Stores(folder, fsync=False), pytest.raises(CannotStart, match="already running on"):
        Stores(folder, fsync=False)


def test_several_run_side_by_side_and_temporary_ones_leave_nothing() -> None:
    with Stores(fsync=False) as one, Stores(fsync=False) as two:
        for stores in (one, two):
            assert stores.all_answer()
        assert one.redis_url != two.redis_url
        assert one.owner_url != two.owner_url
    for stores in (one, two):
        for place in (stores.places.data, stores.places.cluster, stores.places.sockets):
            assert not place.exists()


def test_secrets_are_for_our_eyes_only_and_roles_need_their_passwords(folder: Path) -> None:
    with Stores(folder) as stores:
        mode = stat.S_IMODE((folder / "secrets.json").stat().st_mode)
        assert mode == 0o600
        wrong = stores.dsn("paydeck_owner").replace(stores.secrets["password_paydeck_owner"], "x")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_no_role_of_ours_is_above_row_level_policies(folder: Path) -> None:
    with (
        Stores(folder, fsync=False) as stores,
        psycopg.connect(stores.dsn("postgres", "postgres")) as connection,
    ):
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles"
            " WHERE rolname LIKE 'paydeck%' ORDER BY rolname"
        ).fetchall()
        names = ("paydeck_admin", "paydeck_owner", "paydeck_web", "paydeck_worker")
        assert rows == [(name, False, False, False) for name in names]
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the stores as another user")
def test_under_root_an_unreachable_folder_keeps_its_permissions() -> None:
    with tempfile.TemporaryDirectory(prefix="paydeck-test-") as name:
        private = Path(name)
        private.chmod(0o700)
        with Stores(private / "data", fsync=False) as stores:
            assert stores.all_answer()
            assert stores.places.cluster.parent == Path("/var/lib/paydeck")
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert not stores.places.cluster.exists()
