"""One process under supervision: started on a leash, found again, stopped with its whole family."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

MARK = "PAYDECK_CHILD"
_LARGEST_LOG = 10_000_000
_LEASH = Path(__file__).with_name("leash.py")


@dataclass(frozen=True, slots=True)
class Owner:
    """The unprivileged user that runs a child when we are root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """What to run and how to end it; `log` collects its output, `mark` finds its orphans.

    `descriptors` stay open in it.
    """

    name: str
    argv: Sequence[str]
    log: Path
    mark: str
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    stop_signal: int = signal.SIGTERM
    owner: Owner | None = None
    descriptors: Sequence[int] = ()


class Running(Protocol):
    """What is asked of a started process: a part of subprocess.Popen."""

    pid: int

    def poll(self) -> int | None:
        """How it ended, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired."""

    def send_signal(self, number: int, /) -> None:
        """Send a signal, if it still runs."""

    def kill(self) -> None:
        """End it at once."""


class Child:
    """A running Command. Its family is its process group and whatever carries its mark.

    `fork`, where given, is asked for the process first; what it cannot give is started afresh.
    """

    def __init__(
        self, command: Command, fork: Callable[[Command], Running | None] | None = None
    ) -> None:
        self.command = command
        self.started_at = 0.0
        self._fork = fork
        self._process: Running | None = None

    @property
    def name(self) -> str:
        """The name it goes by in the table, the log folder and demo.json."""
        return self.command.name

    @property
    def pid(self) -> int:
        """The process id, or 0 while it has never been started."""
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        """Whether the process itself still lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal, or None while it runs or was never started."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the process; what an earlier life left behind is killed first."""
        self.kill_family()
        log = self.command.log
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".old"))
        forked = self._fork(self.command) if self._fork else None
        self._process = forked or self._execute(self.command)
        self.started_at = time.monotonic()

    def _execute(self, command: Command) -> Running:
        """Start a program of its own, on a leash."""
        owner = command.owner or Owner(os.getuid(), os.getgid())
        numbers = (int(command.stop_signal), os.getpid(), owner.uid, owner.gid)
        leashed = [sys.executable, "-I", "-S", str(_LEASH), *(str(n) for n in numbers)]
        with command.log.open("ab") as log:
            return subprocess.Popen(
                [*leashed, *command.argv],
                env={**command.env, MARK: command.mark},
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                pass_fds=command.descriptors,
            )

    def ask_to_stop(self) -> None:
        """Send the stop signal, if it still runs."""
        if self._process is not None and self.is_running:
            self._process.send_signal(self.command.stop_signal)

    def wait_until_stopped(self, seconds: float) -> None:
        """Wait for its end, then kill it and its family if they take longer than `seconds`."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.kill_family()

    def kill(self) -> None:
        """Kill the process alone, as a crash would."""
        if self._process is not None and self.is_running:
            self._process.kill()
            self._process.wait()

    def kill_family(self) -> None:
        """Kill everything a dead child left behind, such as orphaned work-horses."""
        if self._process is not None and not self.is_running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            kill_marked(self.command.mark)


def marked(prefix: str) -> Iterator[int]:
    """The ids of all living processes whose mark starts with `prefix` (Linux; else none)."""
    wanted = f"{MARK}={prefix}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            settings = (place / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        pid = int(place.name)
        if pid != os.getpid() and any(setting.startswith(wanted) for setting in settings):
            yield pid


def kill_marked(prefix: str) -> list[int]:
    """Kill all living processes whose mark starts with `prefix`; answers their ids."""
    victims = list(marked(prefix))
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return victims


def end_orphan(pid_file: Path, place: Path, polite: signal.Signals, seconds: float = 5.0) -> None:
    """End the server that `pid_file` names, if its command line says that it works in `place`.

    It is asked first; one that is frozen is killed. Returns once it is gone.
    """
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if str(place).encode() not in line:
        return
    for number in (polite, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if _is_gone(pid, seconds):
            return


def _is_gone(pid: int, seconds: float) -> bool:
    """Whether a process ends within `seconds`; one that came to us as an orphan is reaped.

    Unreaped it would still count as running, and Postgres refuses to start beside it.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
