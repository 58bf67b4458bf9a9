"""The start command: it heals, refuses in one sentence, and leaves nothing running."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from supervisor.child import marked
from supervisor.settings import ROOT
from supervisor.stack import Stack

STAND_IN = ("-m", "tests.setup.stand_in")
NO_DEMO = {"PAYDECK_DEMO": "0"}


@pytest.fixture
def stack() -> Iterator[Stack]:
    with Stack(command=STAND_IN, env=NO_DEMO) as running:
        yield running


def _eventually(question: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if question():
            return True
        time.sleep(0.05)
    return question()


def _alive(pids: list[int]) -> list[int]:
    """Those that still live; one that only waits for its parent to notice counts as gone."""
    found = []
    for pid in pids:
        status = Path(f"/proc/{pid}/status")
        try:
            if "State:\tZ" not in status.read_text():
                found.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _family(stack: Stack) -> list[int]:
    """Every process of a stack, the horses of its two workers included."""
    mark = f"{stack.digest}/run/{stack.supervisor_pid}/"
    assert _eventually(lambda: len(list(marked(mark))) == len(stack.pids) - 2 + 2)
    return sorted({*stack.pids.values(), *marked(mark), stack.supervisor_pid})


def _start_by_hand(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *STAND_IN],
        cwd=ROOT,
        env={**os.environ, **NO_DEMO, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_start_says_where_everything_is_and_a_stop_leaves_nothing(stack: Stack) -> None:
    told = stack.demo
    assert told["portal"] == stack.url
    assert told["socket"] == f"http://localhost:{stack.port + 1}"
    assert told["sandbox"] == f"http://127.0.0.1:{stack.port + 2}"
    assert set(told["pids"]) == {"postgres", "valkey", "sandbox", "relay", "worker-1", "worker-2"}
    assert stack.log.read_text().endswith(f"ready {stack.url}\n")
    family = _family(stack)
    assert _alive(family) == family
    began = time.monotonic()
    stack.stop()
    assert stack.exit_code == 0
    assert time.monotonic() - began < 5
    assert _alive(family) == []
    assert not (stack.data / "demo.json").exists()


def test_every_kind_of_process_is_started_again_after_a_crash(stack: Stack) -> None:
    for name in ("worker-1", "sandbox", "valkey", "postgres"):
        old = stack.kill(name)
        assert stack.wait_until_back(name, old) != old


def test_the_horse_of_a_killed_worker_dies_with_it(stack: Stack) -> None:
    mark = f"{stack.digest}/run/{stack.supervisor_pid}/worker-1/"
    assert _eventually(lambda: len(list(marked(mark))) == 2)
    family = list(marked(mark))
    old = stack.kill("worker-1")
    stack.wait_until_back("worker-1", old)
    assert _eventually(lambda: _alive(family) == [])


def test_a_process_that_ends_with_success_is_started_again_too(stack: Stack) -> None:
    old = stack.kill("relay", signal.SIGTERM)
    assert stack.wait_until_back("relay", old) != old


def test_nothing_outlives_a_killed_supervisor_and_the_next_start_heals(stack: Stack) -> None:
    family = _family(stack)
    stack.kill("supervisor")
    assert _eventually(lambda: _alive(family) == []), _alive(family)
    stack.start()
    assert set(stack.pids) >= {"postgres", "valkey", "worker-1"}


def test_a_second_start_on_the_same_folder_is_refused_in_one_sentence(stack: Stack) -> None:
    refused = _start_by_hand(PAYDECK_DATA=str(stack.data), PORT=str(stack.port + 10))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "already running on" in refused.stderr
    assert "PAYDECK_DATA" in refused.stderr
    assert stack.pids


def test_a_busy_port_is_named_with_what_to_set(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        refused = _start_by_hand(PAYDECK_DATA=str(tmp_path / "data"), PORT=str(port))
    assert refused.returncode == 1
    assert f"Port {port} is in use: set PORT" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_two_copies_run_side_by_side(stack: Stack) -> None:
    with Stack(command=STAND_IN, env=NO_DEMO) as other:
        assert other.port != stack.port
        assert not set(other.pids.values()) & set(stack.pids.values())
        other.kill("postgres")
    assert _alive(list(stack.pids.values())) == list(stack.pids.values())


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT must be a whole number"),
        ({"PORT": "70000"}, "PORT must be a whole number"),
        ({"PAYDECK_DEMO": "perhaps"}, "PAYDECK_DEMO must be 0 or 1"),
        ({"PAYDECK_DEMO": "1", "BIND": "0.0.0.0"}, "set PAYDECK_DEMO=0 too"),  # noqa: S104
        ({"PAYDECK_DEMO": "0", "BIND": "0.0.0.0"}, "set STRIPE_SECRET_KEY too"),  # noqa: S104
        ({"PAYDECK_DEMO": "1", "STRIPE_SECRET_KEY": "sk_live_x"}, "does not go with the demo"),
        ({"STRIPE_SECRET_KEY": "sk_test_x"}, "STRIPE_WEBHOOK_SECRET must be set"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "DATABASE_URL cannot be used"),
        (
            {
                "DATABASE_URL": "postgresql://a@127.0.0.1/x",
                "DATABASE_OWNER_URL": "postgresql://b/x",
            },
            "not set: DATABASE_ADMIN_URL, DATABASE_WORKER_URL",
        ),
    ],
)
def test_a_bad_setting_stops_the_start_and_names_itself(
    tmp_path: Path, setting: dict[str, str], sentence: str
) -> None:
    env = {"PAYDECK_DATA": str(tmp_path / "data"), "REDIS_URL": "unix:///nowhere", **setting}
    refused = _start_by_hand(**env)
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_server_of_ones_own_gets_roles_and_an_owner(stack: Stack) -> None:
    cluster = json.loads((stack.data / "secrets.json").read_text())
    sockets = stack.sockets
    administrator = f"postgresql://postgres:{cluster['password_postgres']}@/postgres?host={sockets}"
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute("CREATE DATABASE theirs")
    theirs = administrator.replace("/postgres?", "/theirs?")
    env = {**NO_DEMO, "DATABASE_URL": theirs}
    with Stack(command=STAND_IN, env=env) as other:
        assert "postgres" not in other.pids
        with psycopg.connect(theirs) as connection:
            owner = connection.execute(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'theirs'"
            ).fetchone()
        assert owner == ("paydeck_owner",)
