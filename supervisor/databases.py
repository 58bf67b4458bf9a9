"""Where the database is: the embedded one, one we prepare for the user, or one they prepared."""

from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from supervisor import roles
from supervisor.environment import Addresses
from supervisor.errors import CannotStart
from supervisor.settings import Settings
from supervisor.stores import Stores

_ALL = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL", "DATABASE_WORKER_URL")


def addresses(settings: Settings, stores: Stores) -> Addresses:
    """The addresses of database and Valkey, after creating missing roles and database."""
    redis_url = settings.redis_url or stores.redis_url
    if settings.database_url is None:
        return Addresses(
            owner=stores.owner_url,
            web=stores.web_url,
            admin=stores.admin_url,
            worker=stores.worker_url,
            redis=redis_url,
        )
    given = [settings.env.get(name, "") for name in _ALL]
    if all(given):
        web, owner, admin, worker = given
        return Addresses(owner=owner, web=web, admin=admin, worker=worker, redis=redis_url)
    if any(given[1:]):
        missing = ", ".join(name for name, text in zip(_ALL, given, strict=True) if not text)
        raise CannotStart(f"Of the four database addresses these are not set: {missing}.")
    return _prepared(settings.database_url, stores, redis_url)


def _prepared(administrator: str, stores: Stores, redis_url: str) -> Addresses:
    """Make the roles as the administrator of a server, and answer an address for each."""
    parts = urlsplit(administrator)
    scheme = parts.scheme.partition("+")[0]
    passwords = {role: stores.secrets[f"password_{role}"] for role in roles.ROLES}
    try:
        plain = urlunsplit(parts._replace(scheme=scheme))
        with psycopg.connect(plain, autocommit=True, connect_timeout=10) as connection:
            roles.ensure_roles(connection, passwords)
            roles.hand_over(connection, connection.info.dbname)
    except psycopg.Error as error:
        raise CannotStart(f"DATABASE_URL cannot be used: {str(error).strip()}") from error

    def address(role: str) -> str:
        host = parts.netloc.rpartition("@")[2]
        login = f"{role}:{quote(passwords[role], safe='')}"
        return urlunsplit(parts._replace(scheme="postgresql+psycopg", netloc=f"{login}@{host}"))

    return Addresses(
        owner=address("paydeck_owner"),
        web=address("paydeck_web"),
        admin=address("paydeck_admin"),
        worker=address("paydeck_worker"),
        redis=redis_url,
    )
