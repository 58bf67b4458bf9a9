"""What the person who starts Paydeck may set, read from the environment and from .env."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor.errors import CannotStart

ROOT = Path(__file__).resolve().parent.parent
_HIGHEST_PORT = 65_533
_MOST_WORKERS = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """How this copy is started; `env` is everything that was set, for the processes to inherit.

    `port` is the portal's; the socket has the next one, the sandbox the one after.
    """

    data: Path
    port: int
    bind: str
    is_demo: bool
    workers: int
    is_reloading: bool
    env: Mapping[str, str]

    @property
    def database_url(self) -> str | None:
        """A Postgres of the user's own, or None: then one is embedded."""
        return self.env.get("DATABASE_URL") or None

    @property
    def redis_url(self) -> str | None:
        """A Valkey or Redis of the user's own, or None: then one is embedded."""
        return self.env.get("REDIS_URL") or None

    @property
    def has_stripe(self) -> bool:
        """Whether Stripe is the provider, so that no sandbox is needed."""
        return bool(self.env.get("STRIPE_SECRET_KEY"))


def read(env: Mapping[str, str] | None = None, dotenv: Path = ROOT / ".env") -> Settings:
    """The settings from `env` (the process's own by default), `dotenv` filling the gaps.

    Raises CannotStart, naming the setting that is wrong.
    """
    merged = {**_from_file(dotenv), **(os.environ if env is None else env)}
    bind = merged.get("BIND") or "127.0.0.1"
    is_demo = _yes_or_no(merged, "PAYDECK_DEMO", default=True)
    is_shown = bind not in {"127.0.0.1", "localhost"}
    if is_demo and is_shown:
        raise CannotStart(
            f"BIND={bind} would show the demo's open sign-ins to others: set PAYDECK_DEMO=0 too."
        )
    if is_shown and not merged.get("STRIPE_SECRET_KEY"):
        raise CannotStart(
            f"BIND={bind} would let others pay with the sandbox's play money: "
            "set STRIPE_SECRET_KEY too."
        )
    if is_demo and merged.get("STRIPE_SECRET_KEY", "").startswith(("sk_live_", "rk_live_")):
        raise CannotStart("A live Stripe key does not go with the demo: set PAYDECK_DEMO=0 too.")
    if merged.get("STRIPE_SECRET_KEY") and not merged.get("STRIPE_WEBHOOK_SECRET"):
        raise CannotStart("STRIPE_SECRET_KEY is set: STRIPE_WEBHOOK_SECRET must be set beside it.")
    return Settings(
        data=Path(merged.get("PAYDECK_DATA") or ROOT / ".data").absolute(),
        port=_number(merged, "PORT", default=8000, highest=_HIGHEST_PORT),
        bind=bind,
        is_demo=is_demo,
        workers=_number(merged, "PAYDECK_WORKERS", default=2, highest=_MOST_WORKERS),
        is_reloading=_yes_or_no(merged, "PAYDECK_RELOAD", default=False),
        env=merged,
    )


def _from_file(path: Path) -> dict[str, str]:
    """The NAME=value lines of a file; comments, blank lines and a missing file are nothing."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs if value.strip()}


def _number(env: Mapping[str, str], name: str, *, default: int, highest: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= highest:
        raise CannotStart(f"{name} must be a whole number from 1 to {highest}, not {text!r}.")
    return int(text)


def _yes_or_no(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name) or str(int(default))
    if text not in {"0", "1"}:
        raise CannotStart(f"{name} must be 0 or 1, not {text!r}.")
    return text == "1"
