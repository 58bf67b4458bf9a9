"""What a start tells the world: demo.json for scripts, a few lines for people."""

import json
import os
from typing import Any

from supervisor import environment
from supervisor.start import Copy


def facts(copy: Copy) -> dict[str, Any]:
    """Addresses, sign-ins, folders and process ids of a running copy."""
    settings = copy.settings
    portal = environment.portal_url(settings)
    told: dict[str, Any] = {
        "portal": portal,
        "socket": environment.realtime_url(settings),
        "sandbox": None if settings.has_stripe else environment.provider_url(settings),
        "mailbox": f"{portal}/_mailbox" if settings.is_demo else None,
        "checkout": None,
        "sign_ins": [],
        "api_keys": {},
    }
    if copy.seeded:
        told["checkout"] = f"{portal}{copy.seeded['checkout']}"
        told |= {name: copy.seeded[name] for name in copy.seeded if name not in _NOT_TOLD}
    return told | {
        "data": str(settings.data),
        "cluster": str(copy.stores.places.cluster),
        "logs": str(copy.stores.places.logs),
        "supervisor": os.getpid(),
        "pids": copy.pids,
    }


_NOT_TOLD = {"database", "checkout"}


def write(copy: Copy) -> None:
    """Write demo.json into the data folder, whole or not at all."""
    path = copy.settings.data / "demo.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(facts(copy), indent=2) + "\n")
    fresh.replace(path)


def forget(copy: Copy) -> None:
    """Remove demo.json: nothing answers at those addresses any more."""
    (copy.settings.data / "demo.json").unlink(missing_ok=True)


def lines(copy: Copy) -> list[str]:
    """The summary for the person at the terminal; the last line is for scripts."""
    told = facts(copy)
    rows = [("Portal", told["portal"])]
    rows += [
        (sign_in["role"].capitalize(), f"{sign_in['email']}   password: {sign_in['password']}")
        for sign_in in told["sign_ins"]
    ]
    if told["api_keys"]:
        rows.append(("API key", f"{told['api_keys']['secret']}   (of the merchant, known to all)"))
    if told["checkout"]:
        rows.append(("Checkout", f"{told['checkout']}   (a fresh session each time)"))
    if told["mailbox"]:
        rows.append(("Mailbox", f"{told['mailbox']}   (no mail leaves this machine)"))
    if told["sandbox"]:
        rows.append(("Provider", f"{told['sandbox']}/control   (a sandbox: no real money)"))
    rows.append(("Data, logs", f"{told['data']}, {told['logs']}"))
    body = [f"  {name:<11}{text}" for name, text in rows]
    return ["", "Paydeck is running. Ctrl-C stops it.", "", *body, "", f"ready {told['portal']}"]
