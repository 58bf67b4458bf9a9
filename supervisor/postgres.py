"""The embedded Postgres: its cluster, its settings, its command line."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from supervisor import child
from supervisor.child import Command
from supervisor.errors import CannotStart
from supervisor.places import Places

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def cluster_folder(places: Places) -> Path:
    """The cluster, named by the major version that wrote it."""
    return places.cluster / "pg18"


def make_cluster(places: Places, programs: Path, password: str, *, trust: bool) -> None:
    """Create the cluster where there is none; a creation that was cut short starts again.

    With `trust`, whoever reaches the private socket may be any role (for tests); otherwise each
    role needs its password.
    """
    target = cluster_folder(places)
    if (target / "PG_VERSION").exists():
        return
    fresh = target.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    method = "trust" if trust else "scram-sha-256"
    secret = places.cluster / "password.new"
    secret.unlink(missing_ok=True)
    secret.touch(mode=0o600)
    secret.write_text(password)
    owner = places.owner
    if owner is not None:
        os.chown(secret, owner.uid, owner.gid)
    made = subprocess.run(
        [
            *(str(programs / "initdb"), "-D", str(fresh), "-U", "postgres", "-E", "UTF8"),
            *("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(f"--auth-local={method}", "--auth-host=scram-sha-256", f"--pwfile={secret}"),
            *(("--no-sync",) if trust else ()),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        user=owner.uid if owner else None,
        group=owner.gid if owner else None,
        extra_groups=[] if owner else None,
    )
    secret.unlink()
    if made.returncode != 0:
        raise CannotStart(f"Postgres could not create its cluster: {made.stderr.strip()}")
    fresh.rename(target)


def command(places: Places, programs: Path, mark: str, *, fsync: bool) -> Command:
    """How this Postgres is run: on a private socket only, stopped fast but cleanly."""
    settings = _SETTINGS if fsync else {**_SETTINGS, **_CARELESS}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Command(
        name="postgres",
        argv=[
            *(str(programs / "postgres"), "-D", str(cluster_folder(places))),
            *("-k", str(places.sockets), *options),
        ],
        log=places.logs / "postgres.log",
        mark=mark,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stop_signal=signal.SIGINT,
        owner=places.owner,
    )


def end_orphan(places: Places) -> None:
    """Stop a server that an earlier, killed supervisor left on this cluster."""
    folder = cluster_folder(places)
    child.end_orphan(folder / "postmaster.pid", folder, signal.SIGQUIT)
