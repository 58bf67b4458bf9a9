"""An RQ worker: forks a work-horse per job, which drains one kind of work from Postgres.

RQ only wakes us: its retries, scheduler and cron are not used, and what it loses the sweeper finds.
The process survives Valkey's restarts; a work-horse dies with its worker.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time
from types import FrameType

import redis
import structlog
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from jobs import context, queues
from webapp import gateway
from webapp.kernel import db, wake

WORKER_TTL_SECONDS = 30
MAINTENANCE_SECONDS = 5
MONITORING_SECONDS = 5
IDLE_SECONDS = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
_log = structlog.get_logger(__name__)


class DrainWorker(Worker):
    """Forks with nothing shared but code: each work-horse opens its own database connections."""

    has_been_stopped = False

    @property
    def dequeue_timeout(self) -> int:
        """How many seconds an idle worker waits between two signs of life."""
        return IDLE_SECONDS

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """End after the present job, at once when idle."""
        self.has_been_stopped = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def see_horse_out(self) -> None:
        """Wait for a work-horse that is still at work; RQ bounds how long that may take."""
        if self.horse_pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.horse_pid, 0)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Become a work-horse that cannot outlive its worker, then work."""
        context.die_with_parent(self.pid or 0)
        context.forget_connections(context.here().app)
        super().main_work_horse(job, queue)

    def heartbeat(
        self, timeout: int | None = None, pipeline: redis.client.Pipeline | None = None
    ) -> None:
        """Report the worker as alive, to RQ and on the health page."""
        super().heartbeat(timeout, pipeline)
        if not self.is_horse:
            context.here().beat()


def main() -> int:
    """Run until asked to stop; returns the exit status."""
    process = context.start("worker")
    _share_with_horses()
    pause = FIRST_PAUSE_SECONDS
    with contextlib.suppress(Asked):
        _end_when_asked()
        while not work(process):
            _end_when_asked()
            _log.warning("worker_begins_anew", pause_seconds=pause)
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    wake.leave(process.name)
    _log.info("stopped", process=process.name)
    return 0


def _share_with_horses() -> None:
    """Load what a work-horse needs first, and keep the memory it shares from being written to."""
    db.preload()
    gateway.preload()
    gc.collect()
    gc.freeze()


class Asked(BaseException):
    """A signal asks the worker to end while RQ is not looking after signals."""


def _end_when_asked() -> None:
    def ask(_signum: int, _frame: FrameType | None) -> None:
        raise Asked

    for signum in context.STOP_SIGNALS:
        signal.signal(signum, ask)


def work(process: context.Process) -> bool:
    """Work until stopped (True), or until RQ gives up because Valkey is away (False)."""
    connection = redis.Redis.from_url(process.settings.redis_url, socket_connect_timeout=2)
    worker = None
    try:
        worker = DrainWorker(
            [queues.QUEUE],
            connection=connection,
            worker_ttl=WORKER_TTL_SECONDS,
            maintenance_interval=MAINTENANCE_SECONDS,
            job_monitoring_interval=MONITORING_SECONDS,
            default_result_ttl=0,
            serializer=JSONSerializer,
        )
        worker.work(logging_level="WARNING")
        return worker.has_been_stopped
    except (redis.RedisError, StopRequested) as gone:
        _log.warning("worker_lost_valkey", error=type(gone).__name__)
        return worker.has_been_stopped if worker is not None else False
    finally:
        if worker is not None:
            worker.see_horse_out()
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
