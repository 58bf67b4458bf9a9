"""Wake-ups through RQ: one queue, plain enqueues; what is due is read from Postgres alone.

A job says only which kind of work to drain. Losing one costs a second: the sweeper looks itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import redis
import structlog
from rq import Queue
from rq.serializers import JSONSerializer

from webapp.kernel import wake

QUEUE = "paydeck"
#: Longer than a drain's own 20 s and one provider call of 20 s; RQ then ends a drain that hangs.
JOB_SECONDS = 90
FAILURE_SECONDS = 3600
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work that waits in Postgres, and the module with its `drain` and `is_due`."""

    name: str
    module: str

    @property
    def task(self) -> str:
        """The dotted name that an RQ job carries."""
        return f"{self.module}.drain"

    def drain(self) -> int:
        """Work off what is due now, in this process; returns how many rows were worked on."""
        return cast("Callable[[], int]", importlib.import_module(self.module).drain)()

    def is_due(self) -> bool:
        """Whether anything of this kind waits to be worked on now."""
        return cast("Callable[[], bool]", importlib.import_module(self.module).is_due)()


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("operations", "jobs.operations"),
        Kind("inbox", "jobs.inbox"),
        Kind("mail", "jobs.mail"),
        Kind("proofs", "jobs.proofs"),
    )
}


def enqueue(kind: str) -> bool:
    """Wake one worker for `kind`; returns False, logged, when Valkey is away; never raises."""
    try:
        queue(wake.client()).enqueue(
            KINDS[kind].task,
            result_ttl=0,
            failure_ttl=FAILURE_SECONDS,
            job_timeout=JOB_SECONDS,
        )
    except redis.RedisError as gone:
        _log.warning("enqueue_failed", kind=kind, error=type(gone).__name__)
        return False
    return True


def queue(connection: redis.Redis) -> Queue:
    """Return the one queue, with the JSON serializer: nothing read from Valkey becomes code."""
    return Queue(QUEUE, connection=connection, serializer=JSONSerializer)
