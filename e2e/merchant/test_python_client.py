"""The Python client and its command beside a running copy: pay, give back, listen, miss nothing."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from paydeck import InvalidRequest, Paydeck
from paydeck.command import trigger
from supervisor.stack import Stack

CLIENTS = Path(__file__).resolve().parents[2] / "clients" / "python"
PATIENCE = 60


@dataclass
class Home:
    """A server of a developer’s own, on this machine."""

    url: str = ""
    got: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)

    def next_of(self, secret: str, name: str) -> str:
        """Return what the next event of a name is about; each must be signed by the secret."""
        while True:
            headers, body = self.got.get(timeout=PATIENCE)
            event = Webhook(secret).verify(body, headers)
            if event["type"] == name:
                about: str = event["data"]["object"]["id"]
                return about


@contextmanager
def at_home() -> Iterator[Home]:
    """Give a server that takes whatever is posted."""
    home = Home()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            home.got.put(({name.lower(): text for name, text in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    home.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield home
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Shell:
    """Where `paydeck` is typed."""

    env: dict[str, str]
    folder: Path

    def run(self, *typed: str) -> str:
        """Return what a command said; it must end well."""
        done = subprocess.run(
            self._command(typed),
            check=False,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def listening(self, home: Home) -> Iterator[str]:
        """Listen while the block runs; gives the secret."""
        typed = ("listen", "--forward-to", home.url, "--state", str(self.folder / "place"))
        with subprocess.Popen(
            self._command(typed), env=self.env, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline().startswith("Forwarding to ")
            try:
                yield child.stdout.readline().split()[-1]
            finally:
                child.terminate()

    def _command(self, typed: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "paydeck.command.main", *typed]


@pytest.fixture
def key(stack: Stack) -> str:
    """The demo shop’s key."""
    told: str = stack.demo["api_keys"]["secret"]
    return told


@pytest.fixture
def shell(stack: Stack, key: str, tmp_path: Path) -> Shell:
    """A shell with key and address set."""
    told = {"PAYDECK_API_KEY": key, "PAYDECK_BASE_URL": stack.url, "PYTHONPATH": str(CLIENTS)}
    return Shell({**os.environ, **told}, tmp_path)


def test_the_client_pays_is_refused_and_gives_back(stack: Stack, key: str) -> None:
    with Paydeck(key, stack.url) as client:
        begun = client.payments.create(amount=12_300, currency="INR", payment_method=trigger.VISA)
        paid = trigger.Maker(client).taken(begun["id"])
        assert (paid["amount_captured"], paid["fee"] > 0) == (12_300, True)
        with pytest.raises(InvalidRequest) as told:
            client.refunds.create(payment=paid["id"], amount=12_301)
        assert client.requests.get(str(told.value.request_id))["error_code"] == told.value.code
        refund = client.refunds.create(payment=paid["id"], amount=300)
        assert client.payments.get(paid["id"])["amount_refundable"] == 12_000
        assert client.refunds.withdraw(refund["id"])["status"] == "CANCELLED"
        assert client.payments.get(paid["id"])["amount_refundable"] == 12_300


def test_events_reach_a_server_at_home_also_those_of_while_nobody_listened(shell: Shell) -> None:
    with at_home() as home:
        with shell.listening(home) as secret:
            made = shell.run("trigger", "payment.success").split()[-1].rstrip(".")
            assert home.next_of(secret, "payment.success") == made
        missed = shell.run("trigger", "refund.approved").split()[-1].rstrip(".")
        with shell.listening(home) as again:
            assert again == secret
            assert home.next_of(secret, "refund.approved") == missed
