"""The secrets of one copy, made on its first start and kept in a file that only we can read."""

import base64
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def _token() -> str:
    return secrets.token_urlsafe(32)


def _key_256() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


_MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": _token,
    "JWT_SECRET": _token,
    "ENCRYPTION_KEY": _key_256,
    "BLIND_INDEX_KEY": _key_256,
    "STRIPE_WEBHOOK_SECRET": lambda: f"whsec_{secrets.token_hex(24)}",
    "password_postgres": _token,
    "password_paydeck_owner": _token,
    "password_paydeck_web": _token,
    "password_paydeck_admin": _token,
    "password_paydeck_worker": _token,
}


def load(data: Path) -> dict[str, str]:
    """The secrets in `data`/secrets.json; what is missing is made and written (mode 0600)."""
    path = data / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in _MAKERS if name not in known]
    if not missing:
        return known
    known.update({name: _MAKERS[name]() for name in missing})
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(known, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return known
