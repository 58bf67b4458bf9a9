"""Postgres and Valkey of one data folder: started, healed and stopped together."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import redis
from psycopg.pq import PGconn, Ping

from supervisor import binaries, keys, postgres, roles, valkey
from supervisor.child import Child, kill_marked
from supervisor.errors import CannotStart, StoreDown
from supervisor.places import is_locked, lock, own, settle

_TEMPORARY = "paydeck-stores-"
_ABANDONED_SECONDS = 600
#: So long Postgres may read its log again after a crash before it counts as down.
RECOVERY_SECONDS = 900.0


class Stores:
    """The two stores of `folder` (a temporary one when None), on private sockets only.

    Used as `with Stores(fsync=False) as stores: create_engine(stores.owner_url)`.

    With fsync=False they are quick and careless, any role may sign in without a password, and
    what lies outside `folder` is removed at the end: for tests. Several may run side by side,
    each in its own folder; a second one in the same folder is refused with CannotStart. Only
    those named in `wanted` are started.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        fsync: bool = True,
        wanted: Collection[str] = ("postgres", "valkey"),
    ) -> None:
        self._made = folder is None
        if folder is None:
            remove_abandoned()
            folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY))
            folder.chmod(0o755)
        self._fsync = fsync
        self._wanted = wanted
        self._lock = lock(folder)
        self.places = settle(folder)
        self._refuse_lost_keys()
        self.secrets = keys.load(folder)
        self._children: dict[str, Child] = {}

    def _refuse_lost_keys(self) -> None:
        """A cluster whose keys are gone opens to nobody: set one of a removed folder aside."""
        cluster, data = self.places.cluster, self.places.data
        if (data / "secrets.json").exists() or not postgres.cluster_folder(self.places).exists():
            return
        if cluster.is_relative_to(data):
            self._lock.close()
            raise CannotStart(
                f"secrets.json is missing beside the database in {data}: put it back, "
                "or remove the folder to begin anew."
            )
        cluster.rename(cluster.with_name(f"{cluster.name}.abandoned-{time.time_ns()}"))

    # addresses ------------------------------------------------------------------------------

    def url(self, role: str, database: str = roles.DATABASE) -> str:
        """The SQLAlchemy address of `database` for `role` (or the superuser, `postgres`)."""
        password = self.secrets[f"password_{role}"]
        return roles.socket_url(role, password, str(self.places.sockets), database)

    def dsn(self, role: str, database: str = roles.DATABASE) -> str:
        """The same address for plain psycopg and psql."""
        return self.url(role, database).replace("postgresql+psycopg:", "postgresql:")

    @property
    def owner_url(self) -> str:
        """For migrations and seed."""
        return self.url("paydeck_owner")

    @property
    def web_url(self) -> str:
        """For the web and socket processes."""
        return self.url("paydeck_web")

    @property
    def admin_url(self) -> str:
        """For the admin door's own pool."""
        return self.url("paydeck_admin")

    @property
    def worker_url(self) -> str:
        """For relay, sweeper and workers."""
        return self.url("paydeck_worker")

    @property
    def redis_url(self) -> str:
        """The address of Valkey."""
        return valkey.url(self.places)

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each store by name."""
        return {name: child.pid for name, child in self._children.items()}

    @property
    def children(self) -> dict[str, Child]:
        """Both stores by name, for the one who watches them."""
        return self._children

    # life -----------------------------------------------------------------------------------

    def start(self, seconds: float = 30.0) -> None:
        """Start them, wait until they answer, and create roles and database where missing."""
        postgres.end_orphan(self.places)
        valkey.end_orphan(self.places)
        kill_marked(f"{self.places.digest}/store/")
        if self._wanted:
            self._line_up()
        self.heal(seconds)
        if "postgres" not in self._wanted:
            return
        with psycopg.connect(self.dsn("postgres", "postgres"), autocommit=True) as connection:
            passwords = {role: self.secrets[f"password_{role}"] for role in roles.ROLES}
            roles.ensure_roles(connection, passwords)
            roles.ensure_database(connection)

    def _line_up(self) -> None:
        """Make the cluster where there is none and prepare a child for each wanted store."""
        places, mark = self.places, f"{self.places.digest}/store"
        own(places.cluster, places.owner)
        programs = binaries.find(places.cluster, places.owner)
        if "postgres" in self._wanted:
            password = self.secrets["password_postgres"]
            postgres.make_cluster(places, programs.postgres, password, trust=not self._fsync)
            self._children["postgres"] = Child(
                postgres.command(places, programs.postgres, f"{mark}/postgres/", fsync=self._fsync)
            )
        if "valkey" in self._wanted:
            self._children["valkey"] = Child(
                valkey.command(places, programs.valkey, f"{mark}/valkey/", fsync=self._fsync)
            )

    def heal(self, seconds: float = 30.0) -> None:
        """Start what does not run and wait until all answer, trying again for `seconds`.

        A server killed hard leaves its memory behind for a moment; the next one ends at once
        until that is gone, so a start is tried as often as it takes. One that reads its log again
        after a crash is waited for.
        """
        began = time.monotonic()
        while True:
            for child in self._children.values():
                if not child.is_running:
                    child.start()
            if self.all_answer():
                return
            patience = RECOVERY_SECONDS if self._recovers() else seconds
            if time.monotonic() > began + patience:
                raise StoreDown(f"Postgres or Valkey did not start; see {self.places.logs}.")
            time.sleep(0.1)

    def all_answer(self) -> bool:
        """Whether every wanted store answers a question right now."""
        try:
            if "postgres" in self._wanted:
                psycopg.connect(self.dsn("postgres", "postgres"), connect_timeout=2).close()
            if "valkey" in self._wanted:
                with valkey.client(self.redis_url) as connection:
                    connection.ping()
        except (psycopg.OperationalError, redis.RedisError):
            return False
        return True

    def _recovers(self) -> bool:
        """Whether Postgres is there and lets nobody in yet."""
        if "postgres" not in self._wanted:
            return False
        address = self.dsn("postgres", "postgres").encode()
        return PGconn.ping(address) is Ping.REJECT

    def kill(self, name: str) -> None:
        """Kill `postgres` or `valkey` as a crash would; heal() brings it back."""
        self._children[name].kill()

    def stop(self, seconds: float = 15.0) -> None:
        """Stop both cleanly, leave no process and no socket behind, and let the folder go."""
        for child in self._children.values():
            child.ask_to_stop()
        for child in self._children.values():
            child.wait_until_stopped(seconds)
        shutil.rmtree(self.places.sockets, ignore_errors=True)
        if not self._fsync and not self.places.cluster.is_relative_to(self.places.data):
            shutil.rmtree(self.places.cluster, ignore_errors=True)
        if self._made:
            shutil.rmtree(self.places.data, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def remove_abandoned() -> None:
    """Remove temporary folders of test runs that were killed before they could tidy up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            old = time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS
            if old and folder.stat().st_uid == os.getuid() and not is_locked(folder):
                shutil.rmtree(folder, ignore_errors=True)
