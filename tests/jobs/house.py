"""A portal, a provider and the processes behind them, which a test starts and kills."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import Popen

from flask import Flask

from tests.jobs.shop import Shop
from tests.jobs.working import Ground, until
from tests.provider_process import Sandbox
from webapp import notifications
from webapp.kernel import db, wake
from webapp.kernel.paging import PageRequest


@dataclass
class House:
    """A portal, a provider and the processes behind, which a test starts and kills."""

    app: Flask
    shop: Shop
    sandbox: Sandbox
    ground: Ground
    folder: Path
    stack: ExitStack
    running: dict[str, Popen[bytes]] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start `python -m jobs.<name>`; a number after a dash tells two of a kind apart."""
        for name in names:
            module, log = f"jobs.{name.partition('-')[0]}", self.folder / f"{name}.log"
            running = self.ground.running(
                "-m", module, log=log, PROVIDER_ORIGIN=self.sandbox.origin, PAYDECK_TEST=mark(name)
            )
            self.running[name] = self.stack.enter_context(running)
        for name in names:
            until(partial(self.has_started, name), seconds=30, what=f"{name}: {self.log(name)}")

    def has_started(self, name: str) -> bool:
        """Whether a process has reported itself as alive."""
        module = name.partition("-")[0]
        pid = self.running[name].pid
        return any(beat.name == module and beat.pid == pid for beat in wake.processes())

    def log(self, name: str) -> str:
        """Return what a process has logged."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / f"{name}.log").read_text()[-3000:]
        return ""

    def kill(self, name: str) -> None:
        """Kill one process as the kernel would; not its children."""
        self.running[name].kill()
        self.running[name].wait(5)

    def family(self, name: str) -> list[int]:
        """Return the living processes that a started process is, or has forked."""
        marked, alive = f"PAYDECK_TEST={mark(name)}".encode(), []
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_marked = marked in (place / "environ").read_bytes().split(b"\0")
                if is_marked and " Z " not in (place / "stat").read_text():
                    alive.append(int(place.name))
        return alive

    def is_captured(self, payment_id: str) -> Callable[[], bool]:
        """Return the question whether a payment was captured."""
        return lambda: self.shop.status(payment_id) == "captured"

    def messages(self) -> list[str]:
        """Return the shopper's inbox, newest first."""
        shopper = self.shop.shopper_id
        with db.scoped(db.Scope(user_id=shopper)):
            return [m.text for m in notifications.inbox_of(shopper, page=PageRequest()).rows]

    def mails(self) -> list[tuple[str, str]]:
        """Return to whom and about what the demo mailbox holds mails, newest first."""
        return [(m.to, m.subject) for m in notifications.mailbox(page=PageRequest()).rows]

    def rolled_up(self) -> object:
        """Return how many captured payments the figures count."""
        counted = (
            "SELECT coalesce(sum(count), 0)::int FROM rollup_quarter WHERE outcome = 'captured'"
        )
        return self.shop.one(counted)

    def waiting(self) -> object:
        """Return how many facts are still to be told."""
        return self.shop.one("SELECT count(*) FROM outbox_due")


def mark(name: str) -> str:
    """Return what tells a process of this run from one that another run has started."""
    return f"{os.getpid()}:{name}"
