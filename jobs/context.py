"""What a process of ours stands on: the application, its scope, its heartbeat, its way to stop."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from flask import Flask

from jobs.faults import describe, is_passing
from jobs.subscriptions import ROUTES
from webapp import config
from webapp.app import create_app
from webapp.config import Settings
from webapp.kernel import clock, db, wake

BEAT_SECONDS = 2.0
LEASE_BEAT_SECONDS = 3.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """One process of ours; `stop` is set when it is asked to end."""

    name: str
    settings: Settings
    app: Flask
    started_at: float
    stop: threading.Event = field(default_factory=threading.Event)

    def beat(self) -> None:
        """Report it as alive; a hint for the health page."""
        wake.beat(self.name, started_at=self.started_at)


_here: list[Process] = []


def start(name: str) -> Process:
    """Make this process ready to work as `name`; a bad setting ends it with its name."""
    settings = config.read()
    process = Process(name, settings, create_app(settings, ROUTES), clock.now().timestamp())
    put(process)
    _log.info("started", process=name, pid=os.getpid())
    return process


def put(process: Process) -> None:
    """Make `process` the one that this module's functions work in."""
    _here[:] = [process]


def here() -> Process:
    """Return the process that `start` or `put` made ready."""
    return _here[0]


def stop_on_signals(process: Process) -> None:
    """Let SIGTERM and SIGINT set `stop`; called once, before any other thread is started.

    A thread waits for them: a handler that sets an event could stand in the way of the very wait
    that it interrupts.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)

    def wait() -> None:
        signum = signal.sigwait(STOP_SIGNALS)
        _log.info("stopping", process=process.name, signal=signum)
        process.stop.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()


@contextmanager
def working(app: Flask | None = None) -> Iterator[None]:
    """Work in the block as the worker role, with a database session of this thread's own."""
    with (app or here().app).app_context():
        db.use_scope(db.WORKER)
        try:
            yield
        finally:
            db.let_go()


@contextmanager
def draining(kind: str) -> Iterator[None]:
    """Work as in `working`; a database that goes away meanwhile ends the block early, and quietly.

    Nothing is lost by that: what was taken up is taken up again, by whoever comes next.
    """
    try:
        with working():
            yield
    except (db.DatabaseError, db.NoConnectionFree) as fault:
        if not is_passing(fault):
            raise
        _log.warning("drain_cut_short", kind=kind, error=describe(fault))


class Crew:
    """Threads that do one thing each; one that ends before its time stops the whole process.

    So nothing is ever left undone by a process that seems alive: the supervisor starts it anew.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._threads: list[threading.Thread] = []
        self.has_failed = False

    def add(self, name: str, work: Callable[[], None]) -> None:
        """Start a thread that works until `stop` is set."""

        def watched() -> None:
            try:
                work()
            finally:
                if not self._process.stop.is_set():
                    self.has_failed = True
                    _log.error("thread_ended", process=self._process.name, thread=name)
                    self._process.stop.set()

        thread = threading.Thread(target=watched, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def add_beat(self) -> None:
        """Start the thread that reports the process as alive."""

        def beat() -> None:
            while not self._process.stop.is_set():
                self._process.beat()
                self._process.stop.wait(BEAT_SECONDS)

        self.add("beat", beat)

    def finish(self, seconds: float = 10.0) -> int:
        """Wait for all threads, take the process off the list, and return its exit status."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        wake.leave(self._process.name)
        _log.info("stopped", process=self._process.name, failed=self.has_failed)
        return 1 if self.has_failed else 0


#: Named points in a drain where a test may stop or end the process; nothing stands here otherwise.
POINTS: dict[str, Callable[[], None]] = {}


class DrainContext:
    """What the gateway's drains need from the process they run in."""

    @contextmanager
    def heartbeat(self, beat: Callable[[], bool]) -> Iterator[None]:
        """Call `beat` every 3 s beside the block, until it says False or the block ends."""
        over, app = threading.Event(), here().app

        def keep() -> None:
            while not over.wait(LEASE_BEAT_SECONDS):
                with working(app):
                    if not _still_ours(beat):
                        return

        thread = threading.Thread(target=keep, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def hook(self, name: str) -> None:
        """Stand at a named point."""
        if name in POINTS:
            POINTS[name]()

    def clock(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic()


def _still_ours(beat: Callable[[], bool]) -> bool:
    """Prolong a lease; a database that is away for a moment is no reason to give up on it."""
    try:
        return beat()
    except db.DatabaseFault as away:
        _log.warning("lease_beat_missed", error=type(away).__name__)
        return True


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent` dies (Linux); ends at once if it has."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def forget_connections(app: Flask) -> None:
    """Drop, unclosed, the database connections that a fork has copied from its parent."""
    with app.app_context():
        for engine in db.db.engines.values():
            engine.dispose(close=False)
