"""Doing what the plan says to a running town, and counting what was really done."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import redis
import requests

from supervisor import valkey
from supervisor.child import marked
from tests.chaos import plan
from tests.chaos.plan import Fault
from tests.chaos.town import WORKERS, Town

_HORSE_SECONDS = 3.0
_LOOK_SECONDS = 0.02
_HEAL_SECONDS = 60.0
_MOST_WAITING_CUTS = 6


class Hand:
    """Executes faults one after another; `done` counts those that happened."""

    def __init__(self, town: Town, *, seed: int) -> None:
        self._town = town
        self._chance = random.Random(f"hand:{seed}")
        self._frozen: list[threading.Timer] = []
        self.done: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()
        #: When a process that may have held work was killed (Unix seconds).
        self.deaths: list[float] = []

    def carry_out(self, fault: Fault) -> None:
        """Do one fault; what is not there at the moment is not counted."""
        deed = {
            plan.KILL: self._kill,
            plan.FREEZE: self._freeze,
            plan.BACKEND: self._kill_backend,
            plan.RESTART: self._restart_postgres,
            plan.FLUSH: self._flush,
            plan.VALKEY: self._kill_valkey,
            plan.CUT: self._cut,
            plan.PROVIDER: self._spoil_provider,
            plan.CLOCK: self._move_clock,
        }[fault.kind]
        if deed(fault):
            self.done[fault.kind] += 1

    def heal(self) -> None:
        """Wake what sleeps, switch every fault off and wait until the stores answer."""
        for timer in self._frozen:
            timer.join()
        self._town.proxy.disarm()
        self._town.stores.heal(_HEAL_SECONDS)
        until = time.monotonic() + _HEAL_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(requests.RequestException):
                self._town.control("faults", endpoint="*", fault="none")
                self._town.control("webhooks", duplicates=0, delay_seconds=0)
                self._town.control("clock", offset_seconds=0)
                return
            time.sleep(0.2)

    # processes --------------------------------------------------------------------------------

    def _kill(self, fault: Fault) -> bool:
        pid = self.find(fault.target)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.killed[fault.target] += 1
            if fault.target in {"worker", "work-horse"}:
                self.deaths.append(time.time())
            return True
        return False

    def _freeze(self, fault: Fault) -> bool:
        pid = self.find(fault.target)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            timer = threading.Timer(fault.seconds, _thaw, (pid,))
            timer.start()
            self._frozen = [one for one in self._frozen if one.is_alive()] + [timer]
            return True
        return False

    def find(self, target: str) -> int | None:
        """Return one living process of the copy's own by what it is called, or None."""
        name = target
        if target in {"worker", "work-horse"}:
            name = f"worker-{self._chance.randint(1, WORKERS)}"
        if target == "web worker":
            name = "web"
        run = f"{self._town.stack.digest}/run/{self._town.stack.supervisor_pid}"
        if target in {"work-horse", "web worker"}:
            return self._child_of(run, name if target == "web worker" else "")
        family = sorted(marked(f"{run}/{name}/"))
        return next((pid for pid in family if _parent(pid) not in family), None)

    def _child_of(self, run: str, name: str) -> int | None:
        """Return a forked child of `name` (of any worker when empty), waiting a moment for one."""
        until = time.monotonic() + _HORSE_SECONDS
        prefixes = [name] if name else [f"worker-{number}" for number in range(1, WORKERS + 1)]
        while time.monotonic() < until:
            self._chance.shuffle(prefixes)
            for prefix in prefixes:
                family = set(marked(f"{run}/{prefix}/"))
                children = sorted(pid for pid in family if _parent(pid) in family)
                if children:
                    return self._chance.choice(children)
            time.sleep(_LOOK_SECONDS)
        return None

    # stores -----------------------------------------------------------------------------------

    def _restart_postgres(self, _fault: Fault) -> bool:
        os.kill(self._town.stores.pids["postgres"], signal.SIGQUIT)  # pg_ctl stop -m immediate
        self._town.stores.children["postgres"].wait_until_stopped(10)
        time.sleep(self._chance.uniform(0.0, 0.5))
        self._town.stores.heal(_HEAL_SECONDS)
        return True

    def _kill_backend(self, _fault: Fault) -> bool:
        """Kill one backend of the portal's: the server then drops every connection."""
        with contextlib.suppress(psycopg.Error), self._town.direct() as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE usename LIKE 'paydeck%'"
            ).fetchall()
            if found:
                os.kill(self._chance.choice(found)[0], signal.SIGKILL)
                return True
        return False

    def _flush(self, _fault: Fault) -> bool:
        try:
            with valkey.client(self._town.stores.redis_url) as connection:
                connection.flushall()
        except redis.RedisError:
            return False
        return True

    def _kill_valkey(self, _fault: Fault) -> bool:
        """Kill Valkey and start it again with nothing that it knew."""
        self._town.stores.kill("valkey")
        time.sleep(self._chance.uniform(0.0, 1.5))
        self._town.stores.heal(_HEAL_SECONDS)
        return self._flush(_fault)

    # the ways between -------------------------------------------------------------------------

    def _cut(self, fault: Fault) -> bool:
        proxy = self._town.proxy
        if proxy.waiting >= _MOST_WAITING_CUTS:
            return False
        proxy.arm(fault.way, fault.target)
        return True

    def _spoil_provider(self, fault: Fault) -> bool:
        with contextlib.suppress(requests.RequestException):
            self._town.control(
                "faults",
                endpoint=fault.target,
                fault=fault.way,
                seconds=fault.seconds,
                times=self._chance.randint(1, 4),
            )
            self._town.control(
                "webhooks",
                duplicates=self._chance.randint(0, 2),
                shuffle=True,
                delay_seconds=self._chance.choice([0, 0, 1, 5]),
                lose=self._chance.choice([0, 0, 2]),
            )
            return True
        return False

    def _move_clock(self, fault: Fault) -> bool:
        with contextlib.suppress(requests.RequestException):
            self._town.control("clock", offset_seconds=fault.seconds)
            return True
        return False


def _thaw(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _parent(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])
