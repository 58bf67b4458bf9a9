"""A whole Paydeck for tests and measurements: the real start command, in a folder of its own."""

import json
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from supervisor.child import Child, Command, kill_marked
from supervisor.places import settle
from supervisor.settings import ROOT

_START_SECONDS = 180.0
_STOP_SECONDS = 30.0
_LOWEST_PORT, _HIGHEST_PORT = 10_000, 32_000


def free_port(count: int = 3) -> int:
    """A port on loopback that is free now, as are the ones after it.

    It lies below those that systems give to outgoing connections, one of which could take it
    before the copy does.
    """
    while True:
        first = _LOWEST_PORT + secrets.randbelow(_HIGHEST_PORT - _LOWEST_PORT - count)
        if all(_is_free(first + step) for step in range(count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Stack:
    """A running copy on `data` (a temporary folder when None) and `port` (a free one when None).

    Used as `with Stack() as stack: get(stack.url)`. Its start command gets this process's
    environment and `env` over it; a start that fails raises RuntimeError with what it said.
    Start it from a thread that outlives it: the copy ends with the thread that started it.
    """

    def __init__(
        self,
        data: Path | None = None,
        port: int | None = None,
        *,
        env: Mapping[str, str] | None = None,
        command: Sequence[str] = ("-m", "supervisor"),
    ) -> None:
        self._made = None
        if data is None:
            self._made = tempfile.TemporaryDirectory(prefix="paydeck-stack-")
            data = Path(self._made.name) / "data"
            data.parent.chmod(0o755)
        self.data = data.absolute()
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        places = settle(self.data)
        self.digest, self.sockets = places.digest, places.sockets
        self.log = self.data / "supervisor.log"
        inherited = {name: text for name, text in os.environ.items() if name not in _OWN}
        settings = {"PORT": str(self.port), "PAYDECK_DATA": str(self.data), **(env or {})}
        self._child = Child(
            Command(
                name="supervisor",
                argv=[sys.executable, *command],
                log=self.log,
                mark=f"{self.digest}/stack/",
                env={**inherited, **settings, "PYTHONUNBUFFERED": "1"},
                cwd=ROOT,
            )
        )

    def start(self, seconds: float = _START_SECONDS) -> None:
        """Start and wait for the line `ready …`; can be called again after stop() or a kill."""
        self.log.touch()
        before = self.log.stat().st_size
        self._child.start()
        until = time.monotonic() + seconds
        while f"ready {self.url}" not in self._said_since(before):
            if not self._child.is_running or time.monotonic() > until:
                said = self._said_since(before)
                self.stop()
                raise RuntimeError(f"Paydeck did not start:\n{said}")
            time.sleep(0.05)

    def _said_since(self, place: int) -> str:
        """What the start command printed behind byte `place` of its log."""
        return self.log.read_bytes()[place:].decode(errors="replace")

    def stop(self) -> None:
        """Stop as Ctrl-C does; whatever an earlier kill of the supervisor left is ended too."""
        self._child.ask_to_stop()
        self._child.wait_until_stopped(_STOP_SECONDS)
        kill_marked(f"{self.digest}/")

    @property
    def supervisor_pid(self) -> int:
        """The process id of the supervisor."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """How the supervisor ended, or None while it runs."""
        return self._child.exit_code

    @property
    def demo(self) -> dict[str, Any]:
        """What demo.json says now."""
        told: dict[str, Any] = json.loads((self.data / "demo.json").read_text())
        return told

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name: postgres, valkey, web, socket, relay, worker-1 and so on."""
        pids: dict[str, int] = self.demo["pids"]
        return pids

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal (a crash, by default) to one process, or to `supervisor`; its id."""
        pid = self.supervisor_pid if name == "supervisor" else self.pids[name]
        os.kill(pid, number)
        return pid

    def wait_until_back(self, name: str, old_pid: int, seconds: float = 20.0) -> int:
        """Wait until `name` runs under another id than `old_pid`; answers it."""
        until = time.monotonic() + seconds
        while self.pids[name] == old_pid:
            if time.monotonic() > until:
                raise TimeoutError(f"{name} was not started again within {seconds} s")
            time.sleep(0.05)
        return self.pids[name]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._made is not None:
            self._made.cleanup()


_OWN = {"PORT", "PAYDECK_DATA", "DATABASE_URL", "REDIS_URL", "BIND", "PUBLIC_URL", "REALTIME_URL"}
