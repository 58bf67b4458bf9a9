"""One running copy of Paydeck: stores, migrations, demo data, processes, and their end."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from scripts import vendor
from supervisor import databases, schema
from supervisor.answers import answers
from supervisor.child import Child, Command, kill_marked
from supervisor.environment import environment
from supervisor.errors import CannotStart
from supervisor.nursery import Nursery, bury_strangers
from supervisor.processes import (
    MIGRATE,
    NURSED,
    PROCESSES,
    RELOADING_WEB,
    SEED,
    Process,
    Role,
)
from supervisor.settings import ROOT, Settings
from supervisor.stores import Stores
from supervisor.watch import Watch

_START_SECONDS = 120.0
_GRACE_SECONDS = 6.0
_MOST_EARLY_DEATHS = 4
_LOG_TAIL = 12
_LOG_WIDTH = 240


class Copy:
    """A copy of Paydeck on one data folder, from its start to its end.

    `table` is what runs beside the stores; tests hand in a table of their own.
    """

    def __init__(self, settings: Settings, table: Sequence[Process] = PROCESSES) -> None:
        wanted = [
            *(() if settings.database_url else ("postgres",)),
            *(() if settings.redis_url else ("valkey",)),
        ]
        self.settings = settings
        self._table = [
            RELOADING_WEB if settings.is_reloading and row.name == RELOADING_WEB.name else row
            for row in table
            if not (settings.has_stripe and row.role is Role.NONE)
        ]
        self.stores = Stores(settings.data, wanted=wanted)
        self._all_runs = f"{self.stores.places.digest}/run/"
        self._mark = f"{self._all_runs}{os.getpid()}"
        self.children: dict[str, Child] = {}
        self.seeded: dict[str, Any] = {}
        self._once: Child | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._nursery = Nursery(
            NURSED, log=self.stores.places.logs / "nursery.log", mark=f"{self._mark}/nursery/"
        )
        self.watch = Watch(self.children, self._tell)

    def _tell(self, sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    # start ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and return once it answers; raises CannotStart in one sentence."""
        kill_marked(self._all_runs)
        self._keeper = subprocess.Popen(
            [sys.executable, "-S", "-m", "supervisor.keeper", f"{self._mark}/"],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            process_group=0,
        )
        self._refuse_busy_ports()
        with contextlib.suppress(PermissionError):  # whoever installed it has done so
            vendor.compress(*vendor.OURS)
        if any(row.is_portal for row in self._table):
            self._nursery.start()
        self.stores.start()
        self.children.update(self.stores.children)
        self._addresses = databases.addresses(self.settings, self.stores)
        self._prepare_database()
        for row in self._table:
            for name in self._names(row):
                self.children[name] = self._child(row, name)
                self.children[name].start()
        self._wait_for_answers()

    def _names(self, row: Process) -> list[str]:
        if not row.is_numbered:
            return [row.name]
        return [f"{row.name}-{number}" for number in range(1, self.settings.workers + 1)]

    def _child(self, row: Process, name: str) -> Child:
        fork = self._nursery.bear if row.is_portal else None
        return Child(self._command(row, name), fork)

    def _command(self, row: Process, name: str) -> Command:
        port = self.settings.port
        words = row.argv(
            bind=self.settings.bind, port=port, socket_port=port + 1, sandbox_port=port + 2
        )
        return Command(
            name=name,
            argv=[sys.executable, *words],
            log=self.stores.places.logs / f"{name}.log",
            mark=f"{self._mark}/{name}/",
            env=environment(row, self.settings, self._addresses, self.stores.secrets),
            cwd=ROOT,
            stop_signal=row.stop_signal,
        )

    def _refuse_busy_ports(self, patience_seconds: float = 3.0) -> None:
        """The ports must be free; those of an earlier life get a moment to become so."""
        until = time.monotonic() + patience_seconds
        first = self.settings.port
        for port in range(first, first + 3):
            while not _is_free(self.settings.bind, port):
                if time.monotonic() > until:
                    raise CannotStart(
                        f"Port {port} is in use: set PORT so that it and the two ports after it "
                        f"are free, for example PORT={first + 10}."
                    )
                time.sleep(0.1)

    def _prepare_database(self) -> None:
        """Bring the tables up to date and, in demo mode, fill an empty database once."""
        owner = self._addresses.owner.replace("postgresql+psycopg:", "postgresql:")
        if any(row.role is Role.WEB for row in self._table):
            if not schema.is_current(owner, ROOT / "migrations" / "versions"):
                self._run_once(MIGRATE)
            if self.settings.is_demo:
                self._seed(owner)

    def _seed(self, owner: str) -> None:
        """Run the seed, whose last line of output says who may sign in, once per database."""
        remembered = self.settings.data / "seed.json"
        with psycopg.connect(owner) as connection:
            identity = schema.identity(connection)
        known = json.loads(remembered.read_text()) if remembered.exists() else {}
        if known.get("database") != identity:
            lines = self._run_once(SEED).strip().splitlines() or [""]
            try:
                known = {"database": identity, **json.loads(lines[-1])}
            except (ValueError, TypeError):
                raise CannotStart(f"The seed did not say who may sign in: {lines[-1]}") from None
            remembered.write_text(json.dumps(known, indent=2))
        self.seeded = known

    def _run_once(self, row: Process) -> str:
        """Run a command to its end and answer what it printed; raises CannotStart if it failed."""
        child = self._child(row, row.name)
        log = child.command.log
        before = log.stat().st_size if log.exists() else 0
        self._once = child
        child.start()
        while child.is_running:
            time.sleep(0.05)
        printed = log.read_bytes()[before:].decode(errors="replace")
        if child.exit_code != 0:
            raise CannotStart(f"{row.name} failed; the end of {log} says:\n{_end_of(printed)}")
        return printed

    def _wait_for_answers(self) -> None:
        """Wait until every process with an address answers, healing what dies on the way."""
        port = self.settings.port
        waiting = {
            row.name: row.answers.format(port=port, socket_port=port + 1, sandbox_port=port + 2)
            for row in self._table
            if row.answers
        }
        until = time.monotonic() + _START_SECONDS
        while waiting:
            self.watch.look()
            self._refuse_hopeless()
            waiting = {name: url for name, url in waiting.items() if not answers(url)}
            if waiting and time.monotonic() > until:
                name = next(iter(waiting))
                raise CannotStart(
                    f"{name} did not answer at {waiting[name]} in time; its log ends with:\n"
                    f"{self._tail(name)}"
                )
            time.sleep(0.1)

    def _refuse_hopeless(self) -> None:
        """A process that ends again and again while starting will not get better by itself."""
        for name, deaths in self.watch.deaths.items():
            if deaths >= _MOST_EARLY_DEATHS:
                raise CannotStart(f"{name} ends as soon as it starts:\n{self._tail(name)}")

    def _tail(self, name: str) -> str:
        log: Path = self.children[name].command.log
        return _end_of(log.read_text(errors="replace"))

    # life and end ---------------------------------------------------------------------------

    @property
    def pids(self) -> dict[str, int]:
        """The process id of everything that runs, by name."""
        return {name: child.pid for name, child in self.children.items()}

    def keep_alive(self, must_stop: Callable[[], bool], changed: Callable[[], None]) -> None:
        """Start again whatever ends, until `must_stop`; `changed` is called after each start."""
        while not must_stop():
            if self.watch.look():
                changed()
            keeper = self._keeper.pid if self._keeper else 0
            bury_strangers({*self.pids.values(), self._nursery.pid, keeper})
            time.sleep(0.1)

    def stop(self) -> None:
        """End everything: what talks to the stores first, then the stores; nothing is left."""
        ours = [c for name, c in self.children.items() if name not in self.stores.children]
        ours += [self._once] if self._once else []
        for child in ours:
            child.ask_to_stop()
        until = time.monotonic() + _GRACE_SECONDS
        for child in ours:
            child.wait_until_stopped(max(0.1, until - time.monotonic()))
        self._nursery.stop()
        kill_marked(self._all_runs)
        if self._keeper is not None:
            self._keeper.communicate(b"done")
        self.stores.stop()


def _end_of(text: str) -> str:
    """The last lines of a log, none of them too long to read."""
    return "\n".join(line[:_LOG_WIDTH] for line in text.splitlines()[-_LOG_TAIL:])


def _is_free(bind: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError:
            return False
        return True
