"""`paydeck logs tail`: each request that is made of the API, as it is answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from paydeck.client import Paydeck
from paydeck.fields import RequestFilter
from paydeck.objects import LoggedRequest

OWN: Final = "/api/v1/requests"
EVERY_SECONDS: Final = 2.0
FIRST_LINES: Final = 10
#: A request is logged when it is answered and listed by when it came: slow ones come late.
LATE_SECONDS: Final = 60


class Tail:
    """Follows the log from its last ten requests on; nothing is told twice, slow ones included."""

    def __init__(
        self,
        client: Paydeck,
        *,
        path: str | None = None,
        with_own: bool = False,
        say: Callable[[str], None] = lambda line: print(line, flush=True),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._with_own, self._say, self._sleep = client, with_own, say, sleep
        self._path = path
        self._after: str | None = None
        self._told: dict[str, int] = {}

    def step(self) -> int:
        """Tell what is new, oldest first, and return how many that were."""
        fresh = [one for one in self._rows() if one["id"] not in self._told]
        for one in fresh:
            self._told[one["id"]] = one["created"]
            if self._with_own or not one["path"].startswith(OWN):
                self._say(line_of(one))
        self._forget()
        return len(fresh)

    def rest(self) -> None:
        """Wait before the next look."""
        self._sleep(EVERY_SECONDS)

    def _rows(self) -> list[LoggedRequest]:
        only: RequestFilter = {"limit": 100 if self._after else FIRST_LINES}
        if self._path:
            only["path"] = self._path
        if self._after is None:
            rows = self._client.requests.list(**only).data[::-1]
            self._after = rows[0]["id"] if rows else None
            return rows
        only["ending_before"] = self._after
        return list(self._client.requests.list(**only).all())

    def _forget(self) -> None:
        """Look from a minute before the newest one on; what is older is not kept in mind."""
        newest = max(self._told.values(), default=0)
        settled = [one for one, at in self._told.items() if at < newest - LATE_SECONDS]
        if settled:
            self._after = max(settled)
            self._told = {one: at for one, at in self._told.items() if one >= self._after}


def line_of(one: LoggedRequest) -> str:
    """Return a request as one line."""
    at = datetime.fromtimestamp(one["created"]).astimezone().strftime("%H:%M:%S")
    more = "".join(
        f"  {told}" for told in (one["error_code"], one["about"], one["id"]) if told is not None
    )
    again = "  (replayed)" if one["is_replay"] else ""
    return (
        f"{at}  {one['status']}  {one['method']:<6} {one['path']}  {one['duration_ms']} ms"
        f"{more}{again}"
    )
