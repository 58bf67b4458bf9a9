"""The sender: posts merchants' events, many at once, none waiting for a slow or dead endpoint.

One thread has the database: it claims what is due, and writes down what came of it. Sixteen others
only post. It is woken through Valkey and, without it, looks twice a second.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from jobs import context
from jobs.faults import FAULTS, describe, is_passing
from webapp import webhooks
from webapp.kernel import wake
from webapp.webhooks import Network, Parcel, Result, Transport

THREADS = 16
#: Slow endpoints together never have more threads than this.
SLOW_THREADS = 8
#: Claimed ahead of the threads, so that none waits for the database.
AHEAD = 16
POLL_SECONDS = 0.5
#: What was posted is written down in batches of at most so many.
BATCH = 50
_log = structlog.get_logger(__name__)


class Desk:
    """Hands out claims to the threads that post, and writes down what comes back.

    `work_once` belongs to one thread; `post_one` to the others.
    """

    def __init__(self, transport: Transport, bell: threading.Event) -> None:
        self._transport = transport
        self._bell = bell
        self._out: queue.SimpleQueue[Parcel | None] = queue.SimpleQueue()
        self._back: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._in_hand: dict[tuple[str, int], Parcel] = {}
        self._kept: list[Result] = []
        self._failed: list[Result] = []

    @property
    def in_hand(self) -> int:
        """How many claims are handed out or not yet written down."""
        return len(self._in_hand)

    def work_once(self, *, may_take: bool = True) -> int:
        """Write down what has come back, then claim what is due; returns how much was done.

        A database that is away costs nothing: what came back is kept and written down later.
        """
        results = self._results()
        if results and not self._settled(results):
            return 0
        self._switch_off()
        taken = self._taken() if may_take else []
        for parcel in taken:
            self._in_hand[parcel.claim] = parcel
            self._out.put(parcel)
        return len(results) + len(taken)

    def post_one(self) -> bool:
        """Wait for a claim and post it; returns False once there are to be no more."""
        parcel = self._out.get()
        if parcel is None:
            return False
        self._back.put((parcel, self._transport.post(parcel.request)))
        self._bell.set()
        return True

    def close(self, threads: int) -> None:
        """Let the posting threads end when they have nothing in hand."""
        for _ in range(threads):
            self._out.put(None)

    def _results(self) -> list[Result]:
        results, self._kept = self._kept, []
        while len(results) < BATCH:
            try:
                results.append(self._back.get_nowait())
            except queue.Empty:
                break
        return results

    def _settled(self, results: list[Result]) -> bool:
        try:
            with context.working():
                self._failed += webhooks.settle(results)
        except FAULTS as fault:
            if is_passing(fault):
                self._kept = results
                _log.warning("settling_put_off", count=len(results), error=describe(fault))
                return False
            self._settle_one_by_one(results)
        for parcel, _answer in results:
            self._in_hand.pop(parcel.claim, None)
        return True

    def _settle_one_by_one(self, results: list[Result]) -> None:
        """Write down each by itself, without what the receiver wrote where that cannot be kept.

        One that cannot be written even so is tried again when its lease has ended.
        """
        for parcel, answer in results:
            for told in (answer, replace(answer, headers={}, body="")):
                try:
                    with context.working():
                        self._failed += webhooks.settle([(parcel, told)])
                    break
                except FAULTS as fault:
                    delivery_id, error = parcel.delivery_id, describe(fault)
                    _log.error("try_not_written", delivery_id=delivery_id, error=error)

    def _switch_off(self) -> None:
        """Ask about those that failed; while the database is away they are kept for later."""
        failed, self._failed = self._failed, []
        for result in failed:
            try:
                with context.working():
                    webhooks.switch_off(result)
            except FAULTS as fault:
                endpoint_id, error = result[0].endpoint_id, describe(fault)
                _log.warning("not_switched_off", endpoint_id=endpoint_id, error=error)
                if is_passing(fault):
                    self._failed.append(result)

    def _taken(self) -> list[Parcel]:
        free = THREADS + AHEAD - len(self._in_hand)
        slow = sum(parcel.is_slow for parcel in self._in_hand.values())
        if free <= 0:
            return []
        try:
            with context.working():
                return webhooks.take(free, slow_at_most=SLOW_THREADS - slow)
        except FAULTS as fault:
            _log.warning("claiming_put_off", error=describe(fault))
            return []


def main() -> int:
    """Run until asked to stop; returns the exit status."""
    process = context.start("sender")
    context.stop_on_signals(process)
    return run(process, Network())


def run(process: context.Process, transport: Transport) -> int:
    """Send through `transport` until the process is asked to stop; returns the exit status."""
    crew, bell = context.Crew(process), threading.Event()
    desk = Desk(transport, bell)
    for number in range(THREADS):
        crew.add(f"post-{number}", _posting(desk))
    crew.add("wakeups", lambda: _listen(process, bell))
    crew.add_beat()
    work(process, desk, bell)
    return crew.finish()


def work(process: context.Process, desk: Desk, bell: threading.Event) -> None:
    """Claim and write down until the process is asked to stop, then wait for what is in hand."""
    while not process.stop.is_set():
        if not desk.work_once():
            bell.wait(POLL_SECONDS)
        bell.clear()
    until = time.monotonic() + webhooks.TOTAL_SECONDS
    while desk.in_hand and time.monotonic() < until:
        if not desk.work_once(may_take=False):
            bell.wait(0.1)
        bell.clear()
    desk.close(THREADS)


def _posting(desk: Desk) -> Callable[[], None]:
    def loop() -> None:
        while desk.post_one():
            pass

    return loop


def _listen(process: context.Process, bell: threading.Event) -> None:
    for kind in wake.listen(poll_seconds=POLL_SECONDS):
        if process.stop.is_set():
            bell.set()
            return
        if kind == webhooks.WAKE:
            bell.set()


if __name__ == "__main__":
    sys.exit(main())
