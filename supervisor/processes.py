"""The table of everything that runs beside the stores, and what each may know."""

import signal
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Which database role a process signs in with."""

    WEB = "paydeck_web"
    WORKER = "paydeck_worker"
    OWNER = "paydeck_owner"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Process:
    """One row of the table.

    `module` is what follows `python -m`, with {bind} {port} {socket_port} {sandbox_port} to fill
    in; `answers` is the address that must answer 200 before the start is complete. Those that
    `is_portal` are forked from a nursery that has imported what they have in common.
    """

    name: str
    module: str
    role: Role
    answers: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    is_numbered: bool = False
    is_portal: bool = False

    def argv(self, **places: object) -> list[str]:
        """The words after `python`, with the places filled in."""
        return ["-m", *self.module.format(**places).split()]


PROCESSES = (
    Process(
        "sandbox",
        "sandbox",
        Role.NONE,
        answers="http://127.0.0.1:{sandbox_port}/health",
    ),
    Process(
        "web",
        "granian --interface asgi --http 1 --host {bind} --port {port} --workers 2 --no-ws "
        "--respawn-failed-workers --log-level warning wsgi:front",
        Role.WEB,
        answers="http://127.0.0.1:{port}/ready",
        is_portal=True,
    ),
    Process(
        "socket",
        "gunicorn --worker-class gthread --workers 1 --threads 400 --bind {bind}:{socket_port} "
        "--no-control-socket --log-level warning wsgi:socket_app",
        Role.WEB,
        answers="http://127.0.0.1:{socket_port}/health",
        stop_signal=signal.SIGINT,  # its SIGTERM waits for every open socket
        is_portal=True,
    ),
    Process("relay", "jobs.relay", Role.WORKER, is_portal=True),
    Process("sweeper", "jobs.sweeper", Role.WORKER, is_portal=True),
    Process("sender", "jobs.sender", Role.WORKER, is_portal=True),
    Process("worker", "jobs.worker", Role.WORKER, is_numbered=True, is_portal=True),
)

RELOADING_WEB = Process(
    "web",
    "flask --app wsgi --debug run --no-debugger --host {bind} --port {port}",
    Role.WEB,
    answers="http://127.0.0.1:{port}/ready",
)
MIGRATE = Process("migrate", "flask --app wsgi db upgrade", Role.OWNER, is_portal=True)
SEED = Process("seed", "flask --app wsgi seed", Role.OWNER, is_portal=True)
#: What the nursery imports: the servers and the portal.
NURSED = ("granian.server", "gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "jobs.nursed")
