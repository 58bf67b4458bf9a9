"""Everything real that one run needs: stores with fsync, the proxy, a whole copy, its clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psycopg
import requests

from supervisor import roles
from supervisor.child import Child, Command
from supervisor.settings import ROOT
from supervisor.stack import Stack
from supervisor.stores import Stores
from tests.chaos.proxy import Proxy

WORKERS = 4
_COMMAND_SECONDS = 180
_DIRECT = "-c statement_timeout=20000"


class Town:
    """Used as `with Town(seed=1, skew=90) as town`; all that it starts, and only that, it ends.

    It lives in `folder` and leaves it behind, or in a temporary one.
    """

    def __init__(self, *, seed: int, skew: float, folder: Path | None = None) -> None:
        self._seed, self._skew, self._kept = seed, skew, folder
        self._exits = ExitStack()
        self._clients: Child | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = self._kept or Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="paydeck-chaos-"))
            )
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            self.folder.chmod(0o755)
            self.stores = stack.enter_context(Stores(self.folder / "stores", fsync=True))
            socket = self.stores.places.sockets / ".s.PGSQL.5432"
            self.proxy = stack.enter_context(Proxy(socket, seed=self._seed))
            self.stack = Stack(
                self.folder / "copy", env=self._environment(), command=("-m", "tests.chaos.start")
            )
            stack.enter_context(self.stack)
            stack.callback(self.stop_clients)
            self._exits = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._exits.close()

    def _environment(self) -> dict[str, str]:
        """Every address leads through the proxy, but for the owner's, who migrates and seeds."""
        return {
            "DATABASE_URL": self._through_proxy("paydeck_web"),
            "DATABASE_ADMIN_URL": self._through_proxy("paydeck_admin"),
            "DATABASE_WORKER_URL": self._through_proxy("paydeck_worker"),
            "DATABASE_OWNER_URL": self.stores.owner_url,
            "REDIS_URL": self.stores.redis_url,
            "PAYDECK_WORKERS": str(WORKERS),
            "PAYDECK_DEMO": "1",
            "CHAOS_SKEW": str(self._skew),
            "LOG_LEVEL": "WARNING",
            "REFUND_UNDO_SECONDS": "1",
        }

    def _through_proxy(self, role: str) -> str:
        password = quote(self.stores.secrets[f"password_{role}"], safe="")
        return (
            f"postgresql+psycopg://{role}:{password}@127.0.0.1:{self.proxy.port}/{roles.DATABASE}"
            "?sslmode=disable&gssencmode=disable"
        )

    # what it offers ---------------------------------------------------------------------------

    @property
    def history(self) -> Path:
        """Where the clients write down what they saw."""
        return self.folder / "history.jsonl"

    @property
    def sandbox(self) -> str:
        """The provider's address."""
        return f"http://127.0.0.1:{self.stack.port + 2}"

    def direct(self) -> psycopg.Connection[Any]:
        """Connect past the proxy as the superuser, whom no policy hides anything from."""
        return psycopg.connect(
            self.stores.dsn("postgres", roles.DATABASE), options=_DIRECT, connect_timeout=3
        )

    def control(self, verb: str, **values: Any) -> dict[str, Any]:
        """Turn a switch of the sandbox; raises requests.RequestException while it is away."""
        answer = requests.post(f"{self.sandbox}/control/{verb}", json=values, timeout=5)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def provider_books(self) -> list[dict[str, Any]]:
        """Return what was really charged and refunded, for each payment intent."""
        answer = requests.get(f"{self.sandbox}/control/books", timeout=60)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["payment_intents"]
        return found

    def flask(self, *words: str) -> str:
        """Run a `flask` command beside the copy, as an operator does; returns what it printed."""
        env = {**os.environ, **self._environment()}
        env |= {"PORT": str(self.stack.port), "PAYDECK_DATA": str(self.stack.data)}
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.once", *words],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        return done.stdout + done.stderr

    def start_clients(self, people: dict[str, int]) -> None:
        """Let so many clients of each kind loose."""
        who = {person["role"]: person for person in self.stack.demo["sign_ins"]}
        config = {
            "portal": self.stack.url,
            "sandbox": self.sandbox,
            "seed": self._seed,
            "history": str(self.history),
            "people": people,
            "shopper": [who["shopper"]["email"], who["shopper"]["password"]],
            "merchant": [who["merchant"]["email"], who["merchant"]["password"]],
        }
        path = self.folder / "clients.json"
        path.write_text(json.dumps(config))
        self._clients = Child(
            Command(
                name="clients",
                argv=[sys.executable, "-m", "tests.chaos.clients", str(path)],
                log=self.folder / "clients.log",
                mark=f"{self.stack.digest}/clients/",
                env=dict(os.environ),
                cwd=ROOT,
            )
        )
        self._clients.start()

    def stop_clients(self) -> None:
        """Let them finish what they are at, and end them."""
        if self._clients is not None:
            self._clients.ask_to_stop()
            self._clients.wait_until_stopped(25)
            self._clients = None
