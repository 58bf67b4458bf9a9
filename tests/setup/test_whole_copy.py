"""The whole of Paydeck as `make run` starts it: what it tells, what it survives, how it ends."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.answers import answers
from supervisor.child import marked
from supervisor.settings import ROOT
from supervisor.stack import Stack

START_SECONDS = 120
#: More than the web process has threads.
HELD = 80
BODY_SECONDS = 10
pytestmark = pytest.mark.xdist_group("whole copy")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    began = time.monotonic()
    with Stack() as running:
        assert time.monotonic() - began < START_SECONDS
        yield running


def _alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if _state(pid) not in {"", "Z"}]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def _all_answer(stack: Stack) -> bool:
    return (
        answers(f"{stack.url}/ready")
        and answers(f"http://127.0.0.1:{stack.port + 1}/health")
        and answers(f"http://127.0.0.1:{stack.port + 2}/health")
    )


def _eventually_answers(stack: Stack, seconds: float = 30.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if _all_answer(stack):
            return True
        time.sleep(0.2)
    return False


def test_the_summary_names_its_people_and_a_checkout_that_is_always_fresh(stack: Stack) -> None:
    told = stack.demo
    roles = [person["role"] for person in told["sign_ins"]]
    assert roles == ["shopper", "merchant", "admin", "clerk", "controller"]
    said = stack.log.read_text()
    for person in told["sign_ins"]:
        assert person["email"] in said
        assert person["password"] in said
    assert said.rstrip().endswith(f"ready {stack.url}")
    places = {_where_to(stack, told["checkout"]) for _ in range(2)}
    assert len(places) == 2
    assert all("/checkout/" in place for place in places)


def _where_to(stack: Stack, address: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    try:
        connection.request("GET", address.removeprefix(stack.url))
        answer = connection.getresponse()
        assert answer.status in {302, 303}
        return answer.headers["Location"]
    finally:
        connection.close()


def test_bodies_that_never_end_hold_up_nobody_and_are_told_so(stack: Stack) -> None:
    path, host = "/api/v1/auth/tokens", f"localhost:{stack.port}"
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 50"
    with contextlib.ExitStack() as held:
        lines = []
        for _ in range(HELD):
            line = held.enter_context(socket.create_connection(("127.0.0.1", stack.port)))
            line.sendall(f'{head}\r\nContent-Type: application/json\r\n\r\n{{"a"'.encode())
            line.settimeout(3 * BODY_SECONDS)
            lines.append(line)
        time.sleep(1)  # until a thread that would wait for a body does
        for _ in range(5):
            connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=1)
            connection.request("GET", "/health")
            assert connection.getresponse().status == 200
            connection.close()
        told = [http.client.HTTPResponse(line) for line in lines]
        for answer in told:
            answer.begin()
        assert {answer.status for answer in told} <= {408, 503}
        late = [json.loads(answer.read()) for answer in told if answer.status == 408]
        assert len(late) >= HELD // 2
        assert {answer["error"]["code"] for answer in late} == {"body_too_slow"}


def test_a_body_in_chunks_beyond_the_limit_is_told_to_be_too_large(stack: Stack) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    with contextlib.closing(connection):
        connection.request(
            "POST",
            "/api/v1/orders",
            body=iter([b'{"a": "', *[b"x" * 10_000] * 30, b'"}']),
            headers={"Content-Type": "application/json"},
            encode_chunked=True,
        )
        answer = connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["error"]["code"] == "body_too_large"


@pytest.mark.parametrize(
    "name",
    [
        "web",
        "socket",
        "sandbox",
        "relay",
        "sweeper",
        "sender",
        "worker-1",
        "worker-2",
        "valkey",
        "postgres",
    ],
)
def test_every_process_comes_back_after_a_crash_with_nothing_left_of_its_old_life(
    stack: Stack, name: str
) -> None:
    family = list(marked(f"{stack.digest}/run/{stack.supervisor_pid}/{name}/"))
    old = stack.kill(name)
    stack.wait_until_back(name, old)
    assert _alive(family) == []
    assert _eventually_answers(stack)


def test_a_killed_supervisor_takes_everything_along_and_the_next_start_finds_all_as_it_was(
    stack: Stack,
) -> None:
    before = stack.demo
    family = [*stack.pids.values(), *marked(f"{stack.digest}/")]
    stack.kill("supervisor")
    until = time.monotonic() + 10
    while _alive(family) and time.monotonic() < until:
        time.sleep(0.1)
    assert _alive(family) == []
    stack.start()
    after = stack.demo
    same = ("portal", "sandbox", "sign_ins", "checkout", "cluster")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert _all_answer(stack)


def test_each_process_knows_its_own_role_alone(stack: Stack) -> None:
    secrets = json.loads((stack.data / "secrets.json").read_text())
    owner, key = (secrets[name].encode() for name in ("password_paydeck_owner", "ENCRYPTION_KEY"))
    for name in ("web", "socket", "relay", "sweeper", "sender", "worker-1", "sandbox"):
        known = _remembered(stack.pids[name])
        assert owner not in known, name
        assert (key in known) == (name != "sandbox"), name


def _remembered(pid: int) -> bytes:
    """All that a process holds in memory, its environment included."""
    found = [Path(f"/proc/{pid}/environ").read_bytes()]
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights, *_more = line.split()
            begin, end = (int(half, 16) for half in place.split("-"))
            if not rights.startswith("rw") or "[v" in line:
                continue
            memory.seek(begin)
            found.append(memory.read(end - begin))
    return b"".join(found)


def test_the_nursery_knows_no_secret_and_what_came_from_it_lives_on_without_it(
    stack: Stack,
) -> None:
    (nursery,) = marked(f"{stack.digest}/run/{stack.supervisor_pid}/nursery/")
    secrets = json.loads((stack.data / "secrets.json").read_text())
    known = _remembered(nursery)
    assert [name for name, secret in secrets.items() if secret.encode() in known] == []
    before = stack.pids
    os.kill(nursery, signal.SIGKILL)
    old = stack.kill("relay")
    stack.wait_until_back("relay", old)
    changed = {name for name, pid in stack.pids.items() if before[name] != pid}
    assert changed == {"relay"}
    assert _all_answer(stack)


def test_an_operator_sees_beside_the_running_copy_what_gave_up(stack: Stack) -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "supervisor.once", "dead-letters", "list"],
        env={**os.environ, "PORT": str(stack.port), "PAYDECK_DATA": str(stack.data)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip() == "0 call, 0 event, 0 fact, 0 mail, 0 delivery"


def test_a_stop_leaves_nothing_and_is_quick(stack: Stack) -> None:
    family = [*stack.pids.values(), *marked(f"{stack.digest}/"), stack.supervisor_pid]
    began = time.monotonic()
    stack.stop()
    assert time.monotonic() - began < 15
    assert _alive(family) == []
    assert stack.exit_code == 0
