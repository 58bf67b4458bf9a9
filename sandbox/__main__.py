"""Starts the sandbox: `python -m sandbox`."""

import ctypes
import os
import signal
import sys
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from sandbox.app import create_app
from sandbox.config import BadSetting, Settings, from_environment
from sandbox.connection import ConnectionCutter
from sandbox.store import Store
from sandbox.webhooks import Sender

_THREADS = 32
_KEEP_ALIVE_SECONDS = 75
_PARENT_DEATH_SIGNAL = 1


class Server(BaseApplication):  # type: ignore[misc]
    """One worker with many threads; the background sender lives in the worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Sets up the server; nothing is read from files."""
        options = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": _THREADS,
            "keepalive": _KEEP_ALIVE_SECONDS,
            "graceful_timeout": 3,
            "timeout": 300,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_fork": _die_with_parent,
            "post_worker_init": self._ready,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> ConnectionCutter:
        """Builds the app in the worker and starts the sender."""
        store = Store(self._settings.data)
        Sender(store, self._settings).start()
        return ConnectionCutter(create_app(store, self._settings).wsgi_app)

    def _ready(self, _worker: Any) -> None:
        sys.stdout.write(f"sandbox ready {self._settings.public_origin}\n")
        sys.stdout.flush()


def _die_with_parent(_server: Any, _worker: Any) -> None:
    """A worker must not outlive its killed master and hold the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def main() -> int:
    """Serves until it is told to stop; a bad setting is said in one sentence."""
    try:
        settings = from_environment(os.environ)
    except BadSetting as bad:
        sys.stderr.write(f"sandbox: {bad}\n")
        return 2
    Server(settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
