"""What the sandbox is told by its environment, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_HIGHEST_RATE = 100


class BadSetting(ValueError):
    """A setting cannot be used; the message names it and says what it wants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of the sandbox; origins carry no trailing slash."""

    port: int = 8002
    host: str = "127.0.0.1"
    data: Path = Path(".data/sandbox.sqlite3")
    public_origin: str = "http://127.0.0.1:8002"
    portal_origin: str = "http://localhost:8000"
    webhook_url: str = ""
    webhook_secret: str = "whsec_sandbox"  # noqa: S105 a stand-in's well-known secret
    secret_key: str = "sk_test_sandbox"  # noqa: S105 as above
    publishable_key: str = "pk_test_sandbox"
    success_rate: int | None = None
    seed: str = "paydeck"


def from_environment(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`; raises BadSetting with the name of a bad one."""
    usual = Settings()
    port = _whole_number(environ, "SANDBOX_PORT", "8002")
    host = environ.get("SANDBOX_HOST") or "127.0.0.1"
    return Settings(
        port=port,
        host=host,
        data=Path(environ.get("SANDBOX_DATA") or ".data/sandbox.sqlite3"),
        public_origin=_origin(environ, "SANDBOX_PUBLIC_ORIGIN", f"http://127.0.0.1:{port}"),
        portal_origin=_origin(environ, "PORTAL_ORIGIN", "http://localhost:8000"),
        webhook_url=environ.get("SANDBOX_WEBHOOK_URL", ""),
        webhook_secret=environ.get("SANDBOX_WEBHOOK_SECRET") or usual.webhook_secret,
        secret_key=environ.get("SANDBOX_SECRET_KEY") or usual.secret_key,
        publishable_key=environ.get("SANDBOX_PUBLISHABLE_KEY") or usual.publishable_key,
        success_rate=_rate(environ),
        seed=environ.get("SANDBOX_SEED") or usual.seed,
    )


def _whole_number(environ: Mapping[str, str], name: str, default: str) -> int:
    value = environ.get(name) or default
    if not value.isascii() or not value.isdigit():
        raise BadSetting(f"{name} must be a whole number, not {value!r}")
    return int(value)


def _rate(environ: Mapping[str, str]) -> int | None:
    if not environ.get("SANDBOX_SUCCESS_RATE"):
        return None
    rate = _whole_number(environ, "SANDBOX_SUCCESS_RATE", "")
    if rate > _HIGHEST_RATE:
        raise BadSetting("SANDBOX_SUCCESS_RATE must be between 0 and 100")
    return rate


def _origin(environ: Mapping[str, str], name: str, default: str) -> str:
    value = (environ.get(name) or default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
        raise BadSetting(f"{name} must be an origin such as http://localhost:8000, not {value!r}")
    return value
