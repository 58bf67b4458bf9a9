"""The stand-in provider as a test moves it: faults, weather, and its books."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

CONFIRM = "payment_intents.confirm"
_SECONDS = 30


class Provider:
    """The control endpoints of the sandbox at `origin`."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def fault(
        self, kind: str, *, endpoint: str = CONFIRM, seconds: float = 0, times: int = 1
    ) -> None:
        """Switch a fault on; times=0 means until behave()."""
        values = {"endpoint": endpoint, "fault": kind, "seconds": seconds, "times": times}
        self._call("/control/faults", values)

    def behave(self) -> None:
        """End every fault."""
        self._call("/control/faults", {"endpoint": "*", "fault": "none"})

    def charges_of(self, payment_id: str) -> list[dict[str, Any]]:
        """What the provider holds about one payment, an entry an intent."""
        intents = self._call("/control/books")["payment_intents"]
        return [one for one in intents if payment_id in json.dumps(one["metadata"])]

    def assert_one_charge(self, payment_id: str, minor: int) -> None:
        """Fail unless the payment was charged once, with `minor` units."""
        charged = [one for one in self.charges_of(payment_id) if one["successful_charges"]]
        assert [one["successful_charges"] for one in charged] == [1], charged
        assert charged[0]["captured"] == minor, charged

    def _call(self, path: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        body = None if values is None else json.dumps(values).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.origin + path, body, headers)  # noqa: S310 - the sandbox's own address
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            told: dict[str, Any] = json.load(answer)
        return told
