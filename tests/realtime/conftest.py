"""Fixtures: the socket process, served by gunicorn as in production, on a database of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask, g, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.jobs.working import HERE, until
from tests.portal import Committed, cloned, dispose, environment
from tests.provider_process import free_port
from tests.realtime.browser import BrowserSocket
from webapp import config
from webapp.app import create_app
from webapp.kernel import db

OURS = "http://localhost:8000"


@dataclass(frozen=True)
class SocketProcess:
    """A running socket process beside its portal."""

    portal: Committed
    port: int

    def form_cookie(self) -> tuple[dict[str, str], str]:
        """Return the cookie and the token that any page of the portal gives a browser."""
        app: Flask = self.portal.app
        with app.test_request_context():
            g.pop("csrf_token", None)
            token = generate_csrf()
            cookie = SecureCookieSessionInterface().get_signing_serializer(app)
            assert cookie is not None
            sealed = cookie.dumps(dict(session))
        return {app.config["SESSION_COOKIE_NAME"]: str(sealed)}, token

    def browser(
        self, session_token: str | None = None, *, origin: str | None = OURS, **auth: object
    ) -> BrowserSocket:
        """Open a socket as a page of ours would; `auth` adds to or replaces what it shows."""
        cookies, csrf = self.form_cookie()
        if session_token is not None:
            settings = self.portal.app.extensions["paydeck_settings"]
            cookies[settings.session_cookie] = session_token
        return BrowserSocket(self.port, origin=origin, cookies=cookies, auth={"csrf": csrf} | auth)

    def health(self) -> dict[str, Any]:
        """Return what the process says of itself."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
            return dict(json.load(answer))

    def is_up(self) -> bool:
        """Whether it answers."""
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return bool(self.health())
        return False


@pytest.fixture(scope="module")
def beside(stores: Stores) -> Iterator[Committed]:
    """A portal with real commits, shared by the tests of one file."""
    with cloned(stores) as database:
        app = create_app(config.read(environment(stores, database)), ROUTES)
        yield Committed(app, stores, database)
        dispose(app)


@pytest.fixture
def sockets(running: SocketProcess) -> Iterator[SocketProcess]:
    """The socket process, and the portal's application in force for the test itself."""
    with running.portal.app.app_context():
        yield running
        db.session.remove()


@pytest.fixture(scope="module")
def running(beside: Committed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketProcess]:
    """The socket process on that portal's database."""
    port = free_port()
    env = environment(beside.stores, beside.database)
    env.pop("DATABASE_OWNER_URL")
    log = tmp_path_factory.mktemp("socket") / "log"
    command = ["-m", "gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", "40"]
    command += ["--no-control-socket", "--bind", f"127.0.0.1:{port}", "wsgi:socket_app"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=HERE,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    running = SocketProcess(beside, port)
    try:
        until(running.is_up, seconds=20, what=f"socket process up: {log.read_text()[-2000:]}")
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
