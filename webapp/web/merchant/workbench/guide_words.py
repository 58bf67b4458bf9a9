"""What the guide tells developers: snippets that run as they stand."""

from __future__ import annotations

import json

ORDER: dict[str, object] = {
    "amount": 50_000,
    "currency": "INR",
    "description": "Two tins of first flush",
}
#: As long as a checkout link lasts.
QUARTER: dict[str, object] = {"seconds": 900}
#: The demo shop's key, known to everybody; it works in a demo alone.
DEMO_KEY = "sk_test_demo_only_lotus_tea_house_secret_0000000000"
#: A key of its own for each run, by what every shell has.
A_KEY = "order-$(date +%s)"


def curl_snippet(portal: str, key: str) -> str:
    """Return a shell command that makes an order."""
    return _posted(f"{portal}/api/v1/orders", key, ORDER)


def clock_snippet(portal: str, key: str) -> str:
    """Return a shell command that brings what waits in test mode nearer."""
    return _posted(f"{portal}/api/v1/test-clock/advance", key, QUARTER)


def _posted(address: str, key: str, body: dict[str, object]) -> str:
    return (
        f"curl {address} \\\n"
        f'  -H "Authorization: Bearer {key}" \\\n'
        f'  -H "Idempotency-Key: {A_KEY}" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(body)}'"
    )


def python_snippet(portal: str, key: str) -> str:
    """Return a Python program, of the standard library alone, that makes an order."""
    return f"""import json, urllib.request, uuid

asked = urllib.request.Request(
    "{portal}/api/v1/orders",
    data=json.dumps({ORDER!r}).encode(),
    headers={{
        "Authorization": "Bearer {key}",
        "Idempotency-Key": str(uuid.uuid4()),
        "Content-Type": "application/json",
    }},
)
order = json.load(urllib.request.urlopen(asked))
print(order["id"], order["status"])
"""


def local_snippet(portal: str, key: str, *, triggers: bool) -> str:
    """Return shell commands by which a server on this machine gets events; triggers: test mode."""
    hook = "http://localhost:4242/hook"
    lines = [
        "pip install ./clients/python",
        f"export PAYDECK_API_KEY={key} PAYDECK_BASE_URL={portal}",
        f"paydeck listen --forward-to {hook}",
        "",
        "# In another terminal, with the same two settings:",
    ]
    if triggers:
        lines.append("paydeck trigger payment.success")
    return "\n".join([*lines, f"paydeck events resend evt_… --forward-to {hook}"])
