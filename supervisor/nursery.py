"""The supervisor's side of the nursery: asks it for processes, and looks after those it gives."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from supervisor.child import MARK, Child, Command
from supervisor.settings import ROOT

_PR_SET_CHILD_SUBREAPER = 36
_BIRTH_SECONDS = 60.0
_POLL_SECONDS = 0.02
#: Room in the program's first memory for the label of whoever is forked from it.
_ROOM = "-" * 512
_HANDED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")


class Forked:
    """A process that was forked for us and handed over; used as subprocess.Popen is."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, negative for a signal, or None while it runs."""
        if self.returncode is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(_POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """A process that has imported `modules` and forks the portal's processes from itself.

    They share its memory, and none of them waits for imports. Linux alone can hand a grandchild
    over to us; elsewhere, and whenever it does not answer, `bear` gives None.
    """

    def __init__(self, modules: Sequence[str], *, log: Path, mark: str) -> None:
        self._modules = modules
        self._log = log
        self._mark = mark
        self._address = b""
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Its process id, or 0 while there is none."""
        return self._child.pid if self._child else 0

    def start(self) -> None:
        """Begin to import; returns at once. From now on orphans in our family become ours."""
        if sys.platform != "linux" or ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1) != 0:
            return
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("")  # an address that the kernel chooses and no folder shows
            self._address = listener.getsockname()
            listener.listen(64)
            self._child = Child(self._command(listener.fileno()))
            self._child.start()

    def bear(self, command: Command) -> Forked | None:
        """Have a process forked that runs `command`, or None when that cannot be done."""
        if self._child is None or not self._child.is_running:
            self.start()
        if self._child is None:
            return None
        order = {
            "argv": list(command.argv[1:]),
            "env": {**command.env, MARK: command.mark},
            "mark": command.mark,
            "cwd": str(command.cwd),
            "log": str(command.log),
            "stop_signal": int(command.stop_signal),
        }
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(_BIRTH_SECONDS)
                line.connect(self._address)
                line.sendall(json.dumps(order).encode())
                line.shutdown(socket.SHUT_WR)
                answer = line.recv(32)
        except OSError:
            return None
        return Forked(int(answer)) if answer else None

    def stop(self) -> None:
        """End it; those it gave are not touched."""
        if self._child is not None:
            self._child.kill()

    def _command(self, descriptor: int) -> Command:
        env = {
            name: text
            for name, text in os.environ.items()
            if name in _HANDED_ON or name.startswith(("PYTHON", "LC_"))
        }
        words = ("-m", "supervisor.nursery_program", str(descriptor), str(os.getpid()))
        return Command(
            name="nursery",
            argv=[sys.executable, *words, *self._modules],
            log=self._log,
            mark=self._mark,
            env=env | {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2", "PAYDECK_ROOM": _ROOM},
            cwd=ROOT,
            descriptors=(descriptor,),
        )


def bury_strangers(known: Collection[int]) -> None:
    """Take note of the end of orphans that became ours; those in `known` are waited for elsewhere.

    Returns at the first dead one of `known`: the others' turn comes when that one was noticed.
    """
    with contextlib.suppress(ChildProcessError):
        while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if dead.si_pid in known:
                return
            os.waitpid(dead.si_pid, os.WNOHANG)
