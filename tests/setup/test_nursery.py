"""The nursery gives processes that are ours in every way, or none at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.child import Child, Command, marked
from supervisor.nursery import Nursery, bury_strangers
from supervisor.settings import ROOT


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    made = Nursery(("json",), log=tmp_path / "nursery.log", mark=f"{tmp_path}/nursery/")
    made.start()
    yield made
    made.stop()


def _command(folder: Path, *words: str, **env: str) -> Command:
    return Command(
        name="one",
        argv=[sys.executable, "-m", *words],
        log=folder / "one.log",
        mark=f"{folder}/one/",
        env={"PATH": os.defpath, **env},
        cwd=ROOT,
    )


def test_what_it_gives_is_our_child_with_its_own_name_mark_and_group(
    nursery: Nursery, tmp_path: Path
) -> None:
    child = Child(_command(tmp_path, "tests.setup.stand_in", "wait"), nursery.bear)
    child.start()
    status = Path(f"/proc/{child.pid}/status").read_text()
    words = Path(f"/proc/{child.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    assert f"PPid:\t{os.getpid()}\n" in status
    assert os.getpgid(child.pid) == child.pid
    assert words[1:] == [b"-m", b"tests.setup.stand_in", b"wait"]
    assert list(marked(f"{tmp_path}/one/")) == [child.pid]
    child.ask_to_stop()
    child.wait_until_stopped(5)
    assert child.exit_code == -signal.SIGTERM


def test_its_output_environment_and_exit_code_are_those_of_its_order(
    nursery: Nursery, tmp_path: Path
) -> None:
    told = "import os; print(sorted(os.environ), os.environ['WHO'], flush=True); os._exit(7)"
    command = _command(tmp_path, "timeit", "-n1", "-r1", told, WHO="Mina")
    given = nursery.bear(command)
    assert given is not None
    assert given.wait(10) == 7
    assert command.log.read_text() == "['PATH', 'PAYDECK_CHILD', 'WHO'] Mina\n"


def test_one_that_does_not_end_in_time_is_reported_and_can_be_killed(
    nursery: Nursery, tmp_path: Path
) -> None:
    given = nursery.bear(_command(tmp_path, "tests.setup.stand_in", "wait"))
    assert given is not None
    with pytest.raises(subprocess.TimeoutExpired):
        given.wait(0.05)
    given.kill()
    assert given.wait(5) == -signal.SIGKILL


def test_when_it_cannot_import_a_process_is_started_afresh(tmp_path: Path) -> None:
    broken = Nursery(("no_such_module",), log=tmp_path / "n.log", mark=f"{tmp_path}/nursery/")
    broken.start()
    child = Child(_command(tmp_path, "tests.setup.stand_in", "wait"), broken.bear)
    child.start()
    assert child.is_running
    assert "no_such_module" in (tmp_path / "n.log").read_text()
    child.ask_to_stop()
    child.wait_until_stopped(5)
    broken.stop()


def test_orphans_that_became_ours_are_buried_and_our_own_are_left_to_their_keepers() -> None:
    ours = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ours.pid, os.WEXITED | os.WNOWAIT)
    bury_strangers({ours.pid})
    assert ours.wait(5) == 0
    stranger = os.fork()
    if stranger == 0:
        os._exit(0)
    os.waitid(os.P_PID, stranger, os.WEXITED | os.WNOWAIT)
    bury_strangers(set())
    with pytest.raises(ChildProcessError):
        os.waitpid(stranger, os.WNOHANG)
