"""Webhooks: a backlog of 10,000 beside a dead endpoint, and how soon an event is on its way."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg

from bench.report import Report, quantile
from bench.world import World
from jobs import context, relay, sender
from jobs.subscriptions import WEBHOOKS
from jobs.wakeups import Wakeups
from webapp import webhooks
from webapp.kernel import clock, db
from webapp.outbox import SYSTEM
from webapp.webhooks import NewEndpoint

BACKLOG = 10_000
ROUNDS = 8
A_ROUND = 1_600
ENDPOINTS = 8
OF_THE_DEAD = 200
EVENTS = 40
PUBLIC = "93.184.216.34"
#: How long a dead endpoint holds a thread: as long as connecting may take.
DEAD_SECONDS = 3.0
LONGEST = 600.0
_FILL = """
WITH made AS (
  INSERT INTO webhook_event (id, fact_id, merchant_id, livemode, name, subject_kind, subject_id,
                             subject_version, at, place, is_test)
  SELECT 'evt_' || upper(substr(md5(e || ' ' || n), 1, 26)), NULL, %(merchant)s, false,
         'order.created', 'order', 'ord_x', 1, clock_now(), nextval('webhook_event_order'), true
  FROM unnest(%(endpoints)s::text[]) AS e, generate_series(%(first)s::int, %(last)s::int) AS n
  RETURNING id, place
), bodies AS (
  INSERT INTO webhook_body (event_id, api_version, merchant_id, livemode, body)
  SELECT id, %(version)s, %(merchant)s, false,
         json_build_object('id', id, 'type', 'order.created', 'data', repeat('x', 900))::text
  FROM made RETURNING event_id)
SELECT event_id FROM bodies
"""
_SEND = """
INSERT INTO delivery (id, merchant_id, livemode, event_id, endpoint_id, api_version, state, tries,
                      claims, due_at, created_at)
SELECT 'whd_' || substr(e.id, 5), %(merchant)s, false, e.id,
       (%(endpoints)s::text[])[1 + (e.place %% %(many)s::int)::int], %(version)s, 'due', 0, 0,
       clock_now(), clock_now()
FROM webhook_event AS e WHERE NOT EXISTS (SELECT FROM delivery WHERE event_id = e.id) AND is_test
"""
_LEFT = "SELECT count(*) FROM delivery WHERE state = 'due' AND endpoint_id = ANY(%s)"
_TOOK = (
    "SELECT extract(epoch FROM finished_at - created_at)::float FROM delivery"
    " WHERE state = 'delivered' AND created_at >= %s AND endpoint_id = ANY(%s)"
)
_ON_ITS_WAY = (
    "SELECT extract(epoch FROM a.started_at - f.at)::float * 1000 FROM delivery_attempt a"
    " JOIN delivery d ON d.id = a.delivery_id JOIN webhook_event e ON e.id = d.event_id"
    " JOIN fact f ON f.id = e.fact_id WHERE d.endpoint_id = ANY(%s)"
)


class Plain:
    """Stands in for TLS: what is measured is our own work."""

    def wrap_socket(self, connection: socket.socket, **_named: object) -> socket.socket:
        return connection


def measure(report: Report, world: World) -> None:
    """Drain backlogs without and with a dead endpoint beside them, then time single events."""
    webhooks.use(receiver=None, resolve=lambda _host, _port: [PUBLIC])
    with psycopg.connect(world.stores.dsn("paydeck_owner"), autocommit=True) as owner:
        well = [_endpoint(world, f"https://well-{n}.example/in") for n in range(ENDPOINTS)]
        dead = _endpoint(world, "https://dead.example/in")
        with _receiver() as port:
            _compare(report, world, owner, port, well, dead)
            seconds, _p95 = _drained(world, owner, port, well, [dead], count=BACKLOG)
            report.add("webhooks: 10,000 drained beside a dead endpoint", "s", [seconds])
            report.add("webhooks: sent beside a dead endpoint", "deliveries/s", [BACKLOG / seconds])
            _soon(report, world, owner, port, well)


def _compare(
    report: Report,
    world: World,
    owner: psycopg.Connection[Any],
    port: int,
    well: list[str],
    dead: str,
) -> None:
    """Drain small backlogs without and with a dead endpoint beside them.

    Each comes first every other time, since tables grow; what the first drain of all took is
    forgotten, since it also warms up.
    """
    alone: list[float] = []
    beside: list[float] = []
    _drained(world, owner, port, well, [], count=A_ROUND)
    for number in range(ROUNDS):
        pair = [(alone, []), (beside, [dead])]
        for took, others in pair if number % 2 else reversed(pair):
            took.append(_drained(world, owner, port, well, others, count=A_ROUND)[1])
    report.add("webhooks: p95 of 1,600 alone", "s", alone)
    report.add("webhooks: p95 of 1,600 beside a dead endpoint", "s", beside)
    name = "webhooks: others' p95 beside a dead endpoint ÷ alone"
    report.ratio(name, statistics.median(beside) / statistics.median(alone))


def _endpoint(world: World, url: str) -> str:
    with world.web.app_context():
        db.use_scope(world.scope)
        endpoint, _secret = webhooks.create_endpoint(
            world.merchant_id, NewEndpoint(url, ["order.created"]), livemode=False, by=SYSTEM
        )
    return endpoint.id


@contextmanager
def _receiver() -> Iterator[int]:
    argv = [sys.executable, "-m", "bench.receiver"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def _sending(world: World, port: int) -> Iterator[context.Process]:
    """Run the sender's threads; what goes to `dead` hangs as long as connecting may."""

    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        if threading.current_thread() in hanging:
            time.sleep(DEAD_SECONDS)
            raise TimeoutError
        return socket.create_connection(("127.0.0.1", port), timeout=seconds)

    def resolve(host: str, _port: int) -> list[str]:
        here = threading.current_thread()
        (hanging.add if host.startswith("dead") else hanging.discard)(here)
        return [PUBLIC]

    hanging: set[threading.Thread] = set()
    settings = world.worker.extensions["paydeck_settings"]
    process = context.Process("bench", settings, world.worker, clock.now().timestamp())
    context.put(process)
    network = webhooks.Network(resolve=resolve, connect=connect, tls=Plain())  # type: ignore[arg-type]
    thread = threading.Thread(target=sender.run, args=(process, network))
    thread.start()
    try:
        yield process
    finally:
        process.stop.set()
        thread.join()


def _drained(
    world: World,
    owner: psycopg.Connection[Any],
    port: int,
    well: list[str],
    dead: list[str],
    *,
    count: int,
) -> tuple[float, float]:
    """Drain a backlog; returns how long it took, and the p95 of the others' deliveries, in s."""
    _fill(owner, world, dead, OF_THE_DEAD)
    _fill(owner, world, well, count // ENDPOINTS)
    owner.execute("VACUUM ANALYZE delivery")
    (at,) = owner.execute("SELECT min(created_at) FROM delivery WHERE state = 'due'").fetchone()  # type: ignore[misc]
    began = time.perf_counter()
    with _sending(world, port):
        while owner.execute(_LEFT, (well,)).fetchone() != (0,):
            assert time.perf_counter() - began < LONGEST, "the backlog is not drained"
            time.sleep(0.05)
        seconds = time.perf_counter() - began
    took = [row[0] for row in owner.execute(_TOOK, (at, well))]
    owner.execute(
        "UPDATE delivery SET state = 'discarded', due_at = NULL, lease_until = NULL,"
        " finished_at = clock_now() WHERE state = 'due'"
    )
    owner.execute("UPDATE webhook_health SET open_until = NULL, failures = 0, failing_since = NULL")
    return seconds, quantile(took, 0.95)


def _fill(owner: psycopg.Connection[Any], world: World, endpoints: list[str], each: int) -> None:
    if not endpoints:
        return
    first = (owner.execute("SELECT count(*) FROM webhook_event").fetchone() or (0,))[0]
    values = {
        "merchant": world.merchant_id,
        "endpoints": endpoints,
        "many": len(endpoints),
        "version": webhooks.NEWEST,
        "first": first + 1,
        "last": first + each,
    }
    owner.execute(_FILL, values)
    owner.execute(_SEND, values)


def _soon(
    report: Report, world: World, owner: psycopg.Connection[Any], port: int, well: list[str]
) -> None:
    """Time from the moment of a fact to the first try of its delivery, on an idle system."""
    with _sending(world, port) as process:
        bell = threading.Event()
        tell = relay.consuming(process, WEBHOOKS, webhooks.fan_out, bell)
        unheard = Wakeups(lambda _kind: True)
        with ThreadPoolExecutor(2) as threads:
            told = threads.submit(tell)
            heard = threads.submit(relay.listen, process, {WEBHOOKS: bell}, unheard, unheard)
            for _ in range(EVENTS):
                time.sleep(0.25)
                world.checkouts(1)
            time.sleep(1.0)
            process.stop.set()
            bell.set()
        told.result()
        heard.result()
    rows = owner.execute(_ON_ITS_WAY, (well,)).fetchall()
    times = [row[0] for row in rows]
    report.add("webhooks: fact to first try, idle, p50", "ms", [quantile(times, 0.5)])
    report.add("webhooks: fact to first try, idle, p99", "ms", [quantile(times, 0.99)])
