"""What each process is told: its own database role and nothing that it does not need."""

from collections.abc import Mapping
from dataclasses import dataclass

from supervisor.processes import Process, Role
from supervisor.settings import Settings

SANDBOX_SECRET_KEY = "sk_test_sandbox"  # noqa: S105 - opens nothing but play money on loopback
SANDBOX_PUBLISHABLE_KEY = "pk_test_sandbox"
_SECRETS = (
    "SECRET_KEY",
    "JWT_SECRET",
    "ENCRYPTION_KEY",
    "BLIND_INDEX_KEY",
    "STRIPE_WEBHOOK_SECRET",
)
_NEVER_INHERITED = (
    "DATABASE_URL",
    "DATABASE_ADMIN_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_WORKER_URL",
    "SANDBOX_SECRET_KEY",
    "SANDBOX_WEBHOOK_SECRET",
    *_SECRETS,
)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stores are: one address per database role, and Valkey's."""

    owner: str
    web: str
    admin: str
    worker: str
    redis: str


def portal_url(settings: Settings) -> str:
    """The address people type."""
    return settings.env.get("PUBLIC_URL") or f"http://localhost:{settings.port}"


def realtime_url(settings: Settings) -> str:
    """The address browsers open their socket to."""
    return settings.env.get("REALTIME_URL") or f"http://localhost:{settings.port + 1}"


def provider_url(settings: Settings) -> str:
    """The sandbox's address: another host than the portal's, so that no cookie is shared."""
    return settings.env.get("PROVIDER_ORIGIN") or f"http://127.0.0.1:{settings.port + 2}"


def environment(
    process: Process, settings: Settings, addresses: Addresses, secrets: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of `process`."""
    env = {name: text for name, text in settings.env.items() if name not in _NEVER_INHERITED}
    env |= {"PYTHONUNBUFFERED": "1", "PAYDECK_DATA": str(settings.data)}
    env.setdefault("MALLOC_ARENA_MAX", "2")  # many threads, little memory
    webhook_secret = settings.env.get("STRIPE_WEBHOOK_SECRET") or secrets["STRIPE_WEBHOOK_SECRET"]
    if process.role is Role.NONE:
        return env | _for_sandbox(settings, webhook_secret)
    env |= {name: settings.env.get(name) or secrets[name] for name in _SECRETS}
    env |= {
        "PORT": str(settings.port),
        "BIND": settings.bind,
        "PUBLIC_URL": portal_url(settings),
        "REALTIME_URL": realtime_url(settings),
        "REDIS_URL": addresses.redis,
        "PAYDECK_DEMO": str(int(settings.is_demo)),
    }
    if not settings.has_stripe:
        env["PROVIDER_ORIGIN"] = provider_url(settings)
        env.setdefault("PROVIDER_API_BASE", f"http://127.0.0.1:{settings.port + 2}")
    return env | _databases(process.role, addresses)


def _databases(role: Role, addresses: Addresses) -> dict[str, str]:
    if role is Role.OWNER:
        return {
            "DATABASE_URL": addresses.owner,
            "DATABASE_OWNER_URL": addresses.owner,
            "DATABASE_ADMIN_URL": addresses.admin,  # some commands do as an admin may
        }
    if role is Role.WEB:
        return {"DATABASE_URL": addresses.web, "DATABASE_ADMIN_URL": addresses.admin}
    return {"DATABASE_URL": addresses.worker}


def _for_sandbox(settings: Settings, webhook_secret: str) -> dict[str, str]:
    return {
        "SANDBOX_HOST": "127.0.0.1" if settings.is_demo else settings.bind,
        "SANDBOX_PORT": str(settings.port + 2),
        "SANDBOX_DATA": str(settings.data / "sandbox.sqlite3"),
        "SANDBOX_PUBLIC_ORIGIN": provider_url(settings),
        "PORTAL_ORIGIN": portal_url(settings),
        "SANDBOX_WEBHOOK_URL": f"http://127.0.0.1:{settings.port}/inbound/stripe",
        "SANDBOX_WEBHOOK_SECRET": webhook_secret,
        "SANDBOX_SECRET_KEY": SANDBOX_SECRET_KEY,
        "SANDBOX_PUBLISHABLE_KEY": SANDBOX_PUBLISHABLE_KEY,
    }
