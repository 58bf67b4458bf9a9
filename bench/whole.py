"""A whole running copy: how fast it starts, what it weighs, how soon a commit knocks, its pages."""

from __future__ import annotations

import gzip
import http.client
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from flask import Flask

from bench.report import Report, quantile
from bench.visitor import Visitor, signed_in
from jobs.subscriptions import ROUTES
from supervisor.stack import Stack
from tests.realtime.browser import BrowserSocket
from webapp import accounts, config, orders
from webapp.app import create_app
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest

KNOCKS = 60
PAGE_ROUNDS = 3
PAGES_A_ROUND = 40
PROC = Path("/proc")


def measure(report: Report) -> None:
    """Start a copy cold and warm, then measure what runs."""
    with tempfile.TemporaryDirectory(prefix="paydeck-bench-") as folder:
        data = Path(folder) / "data"
        begun = time.perf_counter()
        with Stack(data):
            report.add("cold start, demo data included", "s", [time.perf_counter() - begun])
        begun = time.perf_counter()
        with Stack(data) as stack:
            report.add("warm start", "s", [time.perf_counter() - begun])
            time.sleep(5)
            _weigh(report, stack)
            merchant = signed_in(stack.demo, "merchant")
            _knocks(report, stack, merchant)
            _pages(report, stack, merchant)


def _weigh(report: Report, stack: Stack) -> None:
    """Add up the proportional memory of every process by name."""
    total = 0.0
    for name, pid in sorted(stack.pids.items()):
        weight = sum(_pss(child) for child in _family(pid)) / 1024
        total += weight
        report.add(f"idle memory of {name}", "MiB", [weight])
    report.add("idle memory of the whole copy", "MiB", [total])


def _family(pid: int) -> list[int]:
    found, wanted = [], [pid]
    while wanted:
        one = wanted.pop()
        found.append(one)
        for task in (PROC / str(one) / "task").glob("*/children"):
            wanted += [int(child) for child in task.read_text().split()]
    return found


def _pss(pid: int) -> float:
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def _knocks(report: Report, stack: Stack, merchant: Visitor) -> None:
    """Commit orders beside the running copy and time how soon a browser's socket hears of each."""
    app = _beside(stack)
    waits = []
    with app.app_context():
        db.use_scope(db.ADMIN)
        shop = accounts.merchants_page(PageRequest(limit=1), name="Lotus Tea House").rows[0].id
        socket = BrowserSocket(
            stack.port + 1,
            origin=stack.url,
            cookies=merchant.cookies,
            auth={"csrf": merchant.csrf("/merchant"), "merchant": shop},
        )
        socket.wait("joined")
        for _ in range(KNOCKS):
            db.use_scope(db.Scope(merchant_id=shop, livemode=False))
            committed: list[float] = []
            with db.transaction():
                made = orders.create(orders.NewOrder(shop, False, Money(1_000_00, "INR")))
                db.after_commit(partial(_stamp, committed))
            socket.wait("knock", id=made.id)
            waits.append((time.perf_counter() - committed[0]) * 1000)
            time.sleep(0.05)
        socket.close()
        for engine in db.db.engines.values():
            engine.dispose()
    report.add("commit to a browser's knock, p50", "ms", [quantile(waits, 0.5)])
    report.add("commit to a browser's knock, p99", "ms", [quantile(waits, 0.99)])


def _stamp(moments: list[float]) -> None:
    moments.append(time.perf_counter())


def _beside(stack: Stack) -> Flask:
    """Make a portal in this process that shares the running copy's stores."""
    raw = (PROC / str(stack.pids["web"]) / "environ").read_bytes().decode()
    env = dict(pair.split("=", 1) for pair in raw.split("\0") if "=" in pair)
    return create_app(config.read({**env, "LOG_LEVEL": "ERROR"}), ROUTES)


def _pages(report: Report, stack: Stack, merchant: Visitor) -> None:
    """Time pages beside a bare Flask route on the same kind of server, in interleaved rounds."""
    cookie = "; ".join(f"{name}={value}" for name, value in merchant.cookies.items())
    checkout = merchant.session.get(f"{stack.url}/demo/checkout", timeout=20).url
    wanted = {
        "checkout": urlsplit(checkout).path,
        "merchant's home": "/merchant",
        "payments list": "/merchant/payments",
    }
    with _Bare() as bare:
        rounds: dict[str, list[float]] = {name: [] for name in ("bare Flask route", *wanted)}
        for _ in range(PAGE_ROUNDS):
            rounds["bare Flask route"].append(_milliseconds(bare.port, "/", ""))
            for name, path in wanted.items():
                rounds[name].append(_milliseconds(stack.port, path, cookie))
    for name, values in rounds.items():
        report.add(f"{name}, p50 one at a time", "ms", values)
    for name, path in wanted.items():
        page = merchant.session.get(f"{stack.url}{path}", timeout=20)
        report.add(f"{name}, page compressed", "kB", [len(gzip.compress(page.content)) / 1000])


def _milliseconds(port: int, path: str, cookie: str) -> float:
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    took = []
    for _ in range(PAGES_A_ROUND):
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)
        took.append((time.perf_counter() - begun) * 1000)
    connection.close()
    return quantile(took, 0.5)


class _Bare:
    """A Flask application with one empty route, on werkzeug's threads."""

    def __init__(self) -> None:
        from werkzeug.serving import make_server  # noqa: PLC0415 - the yardstick alone needs it

        app = Flask("bare")
        app.add_url_rule("/", view_func=lambda: "ok")
        self._server: Any = make_server("127.0.0.1", 0, app, threaded=True)
        self.port: int = self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
