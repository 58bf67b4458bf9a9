"""A whole running copy: its start, its weight, its knocks, its pages, and a card payment."""

from __future__ import annotations

import gzip
import http.client
import logging
import re
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
from supervisor import keys, settings
from supervisor.environment import environment
from supervisor.once import of_the_running_copy
from supervisor.processes import PROCESSES
from supervisor.stack import Stack
from tests.realtime.browser import BrowserSocket
from webapp import accounts, config, orders
from webapp.app import create_app
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest

KNOCKS = 60
CARD_PAYMENTS = 30
LONGEST_PAYMENT = 20.0
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
            _weigh(report, stack, "idle")
            merchant = signed_in(stack.demo, "merchant")
            _knocks(report, stack, merchant)
            _card_payments(report, stack)
            _pages(report, stack, merchant)
            _checkout_bytes(report, stack)
            _weigh(report, stack, "after use")


def _weigh(report: Report, stack: Stack, when: str) -> None:
    """Add up the proportional memory of everything that the start command has started."""
    weights = {pid: _pss(pid) / 1024 for pid in _family(stack.supervisor_pid)}
    named: dict[str, float] = {}
    for name, pid in sorted(stack.pids.items()):
        kind = name.partition("-")[0]
        named[kind] = named.get(kind, 0.0) + sum(weights.get(one, 0.0) for one in _family(pid))
    total = sum(weights.values())
    named["supervisor, keeper and nursery"] = total - sum(named.values())
    for name, weight in named.items():
        report.add(f"{when}: memory of {name}", "MiB", [weight])
    ours = total - sum(named[name] for name in ("postgres", "valkey", "sandbox"))
    report.add(f"{when}: memory of the portal's own processes", "MiB", [ours])
    report.add(f"{when}: memory of the whole copy", "MiB", [total])


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
        csrf = merchant.csrf("/merchant")  # the page's cookie belongs to it
        socket = BrowserSocket(
            stack.port + 1,
            origin=stack.url,
            cookies=merchant.cookies,
            auth={"csrf": csrf, "merchant": shop},
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
    chosen = settings.read({"PORT": str(stack.port), "PAYDECK_DATA": str(stack.data)})
    web = next(row for row in PROCESSES if row.name == "web")
    env = environment(web, chosen, of_the_running_copy(chosen), keys.load(stack.data))
    return create_app(config.read({**env, "LOG_LEVEL": "ERROR"}), ROUTES)


def _card_payments(report: Report, stack: Stack) -> None:
    """Pay by card as a guest, one payment after another: click, answer, and paid on the page."""
    answered, paid = [], []
    for _ in range(CARD_PAYMENTS):
        guest = Visitor(stack.url)
        page = guest.session.get(f"{stack.url}/demo/checkout", timeout=20)
        fields = {name: _field(page.text, name) for name in ("csrf_token", "form_key")}
        chosen = {"method": "card", "payment_method": "pm_card_visa"}
        begun = time.perf_counter()
        guest.session.post(
            f"{page.url}/pay", data=fields | chosen, allow_redirects=False, timeout=20
        )
        answered.append((time.perf_counter() - begun) * 1000)
        while not _is_paid(guest, page.url) and time.perf_counter() - begun < LONGEST_PAYMENT:
            time.sleep(0.02)
        paid.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.2)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        report.add(f"card: click to answer, {name}", "ms", [quantile(answered, share)])
        report.add(f"card: click to paid, {name}", "ms", [quantile(paid, share)])
    report.add("card: click to paid, the quickest", "ms", [min(paid)])


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, f"the page has no field {name}"
    return found.group(1)


def _is_paid(guest: Visitor, checkout: str) -> bool:
    answer = guest.session.get(
        f"{checkout}/status", headers={"Accept": "application/json"}, timeout=20
    )
    return bool(answer.json()["stage"] == "paid")


def _checkout_bytes(report: Report, stack: Stack) -> None:
    """Add up what a browser fetches to show the checkout: the page, and its files as served."""
    guest = Visitor(stack.url)
    page = guest.session.get(f"{stack.url}/demo/checkout", timeout=20)
    at_once = set(re.findall(r'\s(?:href|src)="(/static/[^"#]+)', page.text))
    later = set(re.findall(r'\sdata-[a-z-]+-src="(/static/[^"#]+)', page.text))
    for name, paths in (("at once", at_once), ("when it is needed", later)):
        served = 0
        for path in paths:
            answer = guest.session.get(f"{stack.url}{path}", stream=True, timeout=20)
            served += len(answer.raw.read(decode_content=False))
        report.add(f"checkout: files fetched {name}, as served", "kB", [served / 1000])
    report.add("checkout: page as served", "kB", [len(page.content) / 1000])
    report.add("checkout: page compressed", "kB", [len(gzip.compress(page.content)) / 1000])


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
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
