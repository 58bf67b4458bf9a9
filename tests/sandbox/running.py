"""A sandbox in a process of its own and a receiver of its webhooks, for tests."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import stripe

ROOT = Path(__file__).parents[2]
SECRET = "whsec_of_the_tests"
PORTAL = "http://localhost:9"
SECRET_KEY = "sk_test_sandbox"

Shape = Any
"""An object of the client library, whose fields are only known when it is read."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(question: Callable[[], object], seconds: float = 10) -> None:
    """Asks until the answer is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


class Receiver:
    """Takes webhooks; answers 200, or the statuses in `answers` first."""

    def __init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.taken.append((dict(self.headers), body, status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                return

        self.answers: list[int] = []
        self.taken: list[tuple[dict[str, str], bytes, int]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/inbound/stripe"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def events(self) -> list[dict[str, Any]]:
        """The accepted events, in the order they came."""
        return [json.loads(body) for _, body, status in self.taken if status == 200]

    def clear(self) -> None:
        self.answers.clear()
        self.taken.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class RunningSandbox:
    """One sandbox process on a free port, with its data in `folder`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.data = folder / "sandbox.sqlite3"
        self._environment = {
            **os.environ,
            "SANDBOX_PORT": str(self.port),
            "SANDBOX_DATA": str(self.data),
            "SANDBOX_PUBLIC_ORIGIN": self.origin,
            "SANDBOX_WEBHOOK_SECRET": SECRET,
            "PORTAL_ORIGIN": PORTAL,
            **settings,
        }
        self._process: subprocess.Popen[str] | None = None
        self.stripe = stripe.StripeClient(
            SECRET_KEY, base_addresses={"api": self.origin}, max_network_retries=0
        )

    def start(self) -> "RunningSandbox":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox"],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line == f"sandbox ready {self.origin}\n", line
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(timeout=15)
        assert self._process.stdout
        self._process.stdout.close()
        self._process = None

    def get(self, path: str) -> dict[str, Any]:
        answer = requests.get(self.origin + path, timeout=10)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def control(self, path: str, **values: Shape) -> dict[str, Any]:
        """Posts to the control endpoint `path`, such as `faults`."""
        answer = requests.post(f"{self.origin}/control/{path}", json=values, timeout=10)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def post(
        self, path: str, values: dict[str, str], *, key: str = "", secret: str = SECRET_KEY
    ) -> requests.Response:
        """One raw call of the API, so that a test sees bytes and headers."""
        headers = {"Authorization": f"Bearer {secret}"}
        if key:
            headers["Idempotency-Key"] = key
        return requests.post(self.origin + path, data=values, headers=headers, timeout=30)

    def typed_card(self, number: str, **others: str) -> requests.Response:
        """What the card fields page sends for a typed card."""
        card = {"number": number, "exp_month": "12", "exp_year": "2040", "cvc": "123"} | others
        values = {f"card[{name}]": value for name, value in card.items()}
        return self.post(
            "/v1/payment_methods", {"type": "card", **values}, secret="pk_test_sandbox"
        )

    def intent(self, amount: int = 1000_00, currency: str = "inr", **others: Shape) -> Shape:
        """A new payment intent."""
        wanted: Shape = {"amount": amount, "currency": currency, **others}
        return self.stripe.v1.payment_intents.create(wanted)

    def paid(self, method: str = "pm_card_visa", **others: Shape) -> Shape:
        """A new payment intent confirmed with the method, its latest charge in full."""
        intent = self.intent(**others)
        return self.stripe.v1.payment_intents.confirm(
            intent.id, {"payment_method": method, "expand": ["latest_charge"]}
        )

    def books_of(self, intent_id: str) -> dict[str, Any]:
        """The provider's own books for one payment intent."""
        rows = self.get("/control/books")["payment_intents"]
        found: dict[str, Any] = next(row for row in rows if row["id"] == intent_id)
        return found

    def page(self, url: str) -> str:
        """The path of an absolute address on this sandbox."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == self.origin
        return parts.path
