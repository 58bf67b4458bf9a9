"""The embedded Valkey: its command line, and the end of one left behind."""

import os
import signal
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from supervisor import child
from supervisor.child import Command
from supervisor.places import Places, own


def _folder(places: Places) -> Path:
    """Its files: one folder, never shared by two servers."""
    return places.cluster / "valkey"


def socket_path(places: Places) -> Path:
    """The private socket it listens on."""
    return places.sockets / "valkey.sock"


def url(places: Places) -> str:
    """Its address as Redis clients read it."""
    return f"unix://{socket_path(places)}?db=0"


def client(address: str) -> redis.Redis:
    """A client that answers within two seconds, for the worse if need be: it never tries twice."""
    return redis.Redis.from_url(
        address, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )


def command(places: Places, program: Path, mark: str, *, fsync: bool) -> Command:
    """How this Valkey is run: no port, append-only file each second, nothing evicted."""
    folder = own(_folder(places), places.owner)
    return Command(
        name="valkey",
        argv=[
            *(str(program), "--port", "0", "--unixsocket", str(socket_path(places))),
            *("--unixsocketperm", "700", "--dir", str(folder), "--save", ""),
            *("--appendonly", "yes" if fsync else "no", "--maxmemory-policy", "noeviction"),
            *("--loglevel", "warning", "--daemonize", "no"),
            *("--pidfile", str(folder / "pid"), "--set-proc-title", "no"),
        ],
        log=places.logs / "valkey.log",
        mark=mark,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stop_signal=signal.SIGTERM,
        owner=places.owner,
    )


def end_orphan(places: Places) -> None:
    """Stop a server that an earlier, killed supervisor left on these files."""
    folder = _folder(places)
    child.end_orphan(folder / "pid", folder, signal.SIGTERM)
