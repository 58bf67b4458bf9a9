"""The sandbox as the tests meet it: a process of its own on a free port of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import urlencode

import urllib3

SECRET_KEY = "sk_test_sandbox"
WEBHOOK_SECRET = "whsec_c2FuZGJveC10ZXN0LXNlY3JldA"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HERE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox; `origin` is where its API and its control page are."""

    origin: str

    def fault(self, fault: str, *, endpoint: str = "*", times: int = 1, seconds: float = 0) -> None:
        """Switch a fault on for so many calls."""
        self._post("/control/faults", endpoint=endpoint, fault=fault, times=times, seconds=seconds)

    def calm(self) -> None:
        """Switch every fault off and set the clock and the weather right."""
        self._post("/control/faults", endpoint="*", fault="none")
        self._post("/control/clock", offset_seconds=0)
        self._post("/control/webhooks", duplicates=0, shuffle=False, delay_seconds=0)

    def clock(self, offset_seconds: float) -> None:
        """Move the provider's clock."""
        self._post("/control/clock", offset_seconds=offset_seconds)

    def weather(self, **values: object) -> None:
        """Say how webhooks are delivered."""
        self._post("/control/webhooks", **values)

    def charges(self, subject_id: str) -> int:
        """Return how often the provider charged for one of our payments."""
        return sum(book["successful_charges"] for book in self.books(subject_id))

    def taken(self, subject_id: str) -> int:
        """Return how much the provider took for one of our payments, in minor units."""
        return sum(book["captured"] for book in self.books(subject_id))

    def books(self, subject_id: str) -> list[dict[str, Any]]:
        """Return the provider's books about one of our payments."""
        answer = urllib3.request("GET", f"{self.origin}/control/books", timeout=5)
        intents = answer.json()["payment_intents"]
        return [book for book in intents if book["metadata"].get("subject") == subject_id]

    def pages(self, operation_id: str) -> int:
        """Return how many payment pages the provider opened for one of our operations."""
        answer = urllib3.request(
            "GET",
            f"{self.origin}/v1/checkout/sessions?limit=100",
            headers={"Authorization": f"Bearer {SECRET_KEY}"},
            timeout=5,
        )
        opened = answer.json()["data"]
        return sum(page["metadata"].get("operation") == operation_id for page in opened)

    def form(self, url: str, **fields: str) -> str:
        """Send a page's form as a browser without JavaScript would; returns where that leads."""
        answer = urllib3.request(
            "POST", url, body=urlencode(fields), headers=FORM, redirect=False, timeout=5
        )
        assert answer.status == 303, (answer.status, answer.data[:500])
        return answer.headers["Location"]

    def _post(self, path: str, **values: object) -> None:
        answer = urllib3.request("POST", self.origin + path, json=values, timeout=5)
        assert answer.status == 200, answer.data


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_sandbox(folder: Path, *, webhook_url: str = "") -> Iterator[Sandbox]:
    """Run a sandbox with its data in `folder` until the block ends."""
    port = free_port()
    env = {
        **os.environ,
        "SANDBOX_PORT": str(port),
        "SANDBOX_DATA": str(folder / "sandbox.sqlite3"),
        "SANDBOX_WEBHOOK_URL": webhook_url,
        "SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "SANDBOX_SECRET_KEY": SECRET_KEY,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox"], cwd=HERE, env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("sandbox ready"), line
        yield Sandbox(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()
