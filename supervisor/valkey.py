"""The embedded Valkey: its command line, and the end of one left behind."""

import contextlib
import os
import signal
import time
from pathlib import Path

import redis

from supervisor.child import Command
from supervisor.places import Places, own


def socket_path(places: Places) -> Path:
    """The private socket it listens on."""
    return places.sockets / "valkey.sock"


def url(places: Places) -> str:
    """Its address as Redis clients read it."""
    return f"unix://{socket_path(places)}?db=0"


def command(places: Places, program: Path, mark: str, *, fsync: bool) -> Command:
    """How this Valkey is run: no port, append-only file each second, nothing evicted."""
    folder = own(places.cluster / "valkey", places.owner)
    return Command(
        name="valkey",
        argv=[
            *(str(program), "--port", "0", "--unixsocket", str(socket_path(places))),
            *("--unixsocketperm", "700", "--dir", str(folder), "--save", ""),
            *("--appendonly", "yes" if fsync else "no", "--maxmemory-policy", "noeviction"),
            *("--loglevel", "warning", "--daemonize", "no"),
        ],
        log=places.logs / "valkey.log",
        mark=mark,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stop_signal=signal.SIGTERM,
        owner=places.owner,
    )


def end_orphan(places: Places, seconds: float = 5.0) -> None:
    """Stop a server that an earlier, killed supervisor left on this socket."""
    try:
        with redis.Redis(unix_socket_path=str(socket_path(places)), socket_timeout=2) as client:
            pid = int(client.info("server")["process_id"])
    except redis.RedisError:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
