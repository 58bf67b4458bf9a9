"""Runs one `flask` command as the owner of the tables: `python -m supervisor.once db upgrade`.

Works beside a running copy, and without one: then the stores are up for the command alone.
"""

import subprocess
import sys
from collections.abc import Sequence

from supervisor import databases, keys, settings
from supervisor.environment import Addresses, environment
from supervisor.errors import CannotStart, StoreDown
from supervisor.places import is_locked, settle
from supervisor.processes import Process, Role
from supervisor.roles import socket_url
from supervisor.settings import ROOT, Settings
from supervisor.stores import Stores
from supervisor.valkey import url as valkey_url


def run(words: Sequence[str], chosen: Settings) -> int:
    """Run `flask <words>` with the environment of the owner; its exit code."""
    if is_locked(chosen.data):
        return _flask(words, chosen, of_the_running_copy(chosen), keys.load(chosen.data))
    wanted = [
        *(() if chosen.database_url else ("postgres",)),
        *(() if chosen.redis_url else ("valkey",)),
    ]
    with Stores(chosen.data, wanted=wanted) as stores:
        return _flask(words, chosen, databases.addresses(chosen, stores), stores.secrets)


def of_the_running_copy(chosen: Settings) -> Addresses:
    """The owner's addresses in the copy that holds the data folder."""
    places, secrets = settle(chosen.data), keys.load(chosen.data)
    redis_url = chosen.redis_url or valkey_url(places)
    if chosen.database_url:
        owner = chosen.env.get("DATABASE_OWNER_URL")
        if not owner:
            raise CannotStart("Set DATABASE_OWNER_URL to run this beside a running copy.")
        admin = chosen.env.get("DATABASE_ADMIN_URL") or owner
        return Addresses(owner=owner, web=owner, admin=admin, worker=owner, redis=redis_url)
    owner, web, admin, worker = (
        socket_url(role, secrets[f"password_{role}"], str(places.sockets))
        for role in ("paydeck_owner", "paydeck_web", "paydeck_admin", "paydeck_worker")
    )
    return Addresses(owner=owner, web=web, admin=admin, worker=worker, redis=redis_url)


def _flask(
    words: Sequence[str], chosen: Settings, addresses: Addresses, secrets: dict[str, str]
) -> int:
    row = Process("once", "flask --app wsgi", Role.OWNER)
    env = environment(row, chosen, addresses, secrets)
    command = [sys.executable, *row.argv(), *words]
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1:], settings.read()))
    except (CannotStart, StoreDown) as refusal:
        sys.exit(str(refusal))
