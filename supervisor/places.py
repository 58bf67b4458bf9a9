"""Where a copy of Paydeck keeps its files, and who may reach them."""

import fcntl
import hashlib
import os
import pwd
import subprocess
import tempfile
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from supervisor.child import Owner
from supervisor.errors import CannotStart

_SOCKET_PATH_LIMIT = 104
_LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")
_VAR = Path("/var/lib/paydeck")


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one copy; `owner` runs the stores when we are root, else None."""

    data: Path
    cluster: Path
    sockets: Path
    logs: Path
    digest: str
    owner: Owner | None


def store_owner() -> Owner | None:
    """Whom the stores run as: nobody (or PAYDECK_DB_USER) under root, else ourselves."""
    if os.geteuid() != 0:
        return None
    name = os.environ.get("PAYDECK_DB_USER", "nobody")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise CannotStart(f"PAYDECK_DB_USER names {name!r}, which is no user here.") from None
    if entry.pw_uid == 0:
        raise CannotStart("PAYDECK_DB_USER must not be root: Postgres refuses to run as root.")
    return Owner(entry.pw_uid, entry.pw_gid)


def can_reach(path: Path, owner: Owner | None) -> bool:
    """Whether `owner` may walk into `path` and run or list what is there."""
    if owner is None:
        return True
    check = subprocess.run(
        ["/usr/bin/test", "-x", str(path)],
        check=False,
        cwd="/",
        user=owner.uid,
        group=owner.gid,
        extra_groups=[],
    )
    return check.returncode == 0


def make_private(data: Path) -> None:
    """Create the data folder for ourselves alone; under root its stores' user may pass through."""
    if not data.exists():
        data.mkdir(parents=True)
        data.chmod(0o711 if os.geteuid() == 0 else 0o700)


def own(path: Path, owner: Owner | None) -> Path:
    """Make `path` a private folder of `owner` (mode 0700); answers it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)
    path.chmod(0o700)
    return path


def settle(data: Path) -> Places:
    """Create the data folder and answer where everything is; the cluster is for its maker.

    Never widens the permissions of a folder that was there before: where the store's user cannot
    reach the data folder, the cluster lives in /var/lib/paydeck/<hash>.
    """
    owner = store_owner()
    data = data.absolute()
    make_private(data)
    digest = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]
    logs = data / "logs"
    logs.mkdir(exist_ok=True)
    cluster = data / "cluster"
    if not can_reach(data, owner):
        cluster = _VAR / digest
        cluster.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    return Places(data, cluster, _socket_folder(digest, owner), logs, digest, owner)


def _socket_folder(digest: str, owner: Owner | None) -> Path:
    """A private folder with a path short enough for sockets, refused if it is someone else's."""
    name = f"paydeck-{os.getuid()}-{digest}"
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - checked below
        folder = parent / name
        if len(str(folder)) + _LONGEST_SOCKET_NAME <= _SOCKET_PATH_LIMIT and can_reach(
            parent, owner
        ):
            break
    else:
        raise CannotStart("There is no temporary folder with a path short enough for sockets.")
    if folder.is_symlink() or (
        folder.exists() and folder.stat().st_uid not in {os.getuid(), owner.uid if owner else -1}
    ):
        raise CannotStart(f"{folder} belongs to somebody else; remove it and start again.")
    return own(folder, owner)


def lock(data: Path) -> TextIOWrapper:
    """Hold the data folder for as long as the answer stays open; refused when held already."""
    make_private(data)
    handle = (data / "lock").open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise CannotStart(
            f"Paydeck is already running on {data}; set PAYDECK_DATA for a second copy."
        ) from None
    return handle


def is_locked(data: Path) -> bool:
    """Whether a copy runs on the data folder."""
    try:
        with (data / "lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
