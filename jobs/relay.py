"""The relay: tells facts to their consumers, and turns wake-ups into work for the RQ workers.

Each consumer has a thread of its own, so that a slow or failing one delays no other. Everything is
driven by wake-ups through Valkey and, without them, by looking twice a second. So has each broker
that facts are published to; one that is away is left alone for up to a minute.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import structlog

from jobs import context, queues, schedule
from jobs.bus.publishing import Publisher, Rests
from jobs.bus.sinks import opened
from jobs.looks import send_look
from jobs.subscriptions import CONSUMERS, IN_ORDER
from jobs.telling import Away, Batch, Consumer, tell, tell_carefully
from jobs.wakeups import Wakeups
from webapp.kernel import wake

FACTS = "facts"
POLL_SECONDS = 0.5
CHORE_SECONDS = 0.25
#: Pages that show deliveries or requests are told at most so often.
LOOK_SECONDS = 0.25
_log = structlog.get_logger(__name__)


def main() -> int:
    """Run until asked to stop; returns the exit status."""
    process = context.start("relay")
    context.stop_on_signals(process)
    crew = context.Crew(process)
    sinks = process.settings.bus.sinks
    bells = {name: threading.Event() for name in (*CONSUMERS, *sinks)}
    for name, consumer in CONSUMERS.items():
        crew.add(name, consuming(process, name, consumer, bells[name]))
    for name in sinks:
        crew.add(name, publishing(process, name, bells[name]))
    wakeups, looks = Wakeups(queues.enqueue), Wakeups(send_look, gap_seconds=LOOK_SECONDS)
    crew.add("wakeups", lambda: wakeups.work(process.stop))
    crew.add("looks", lambda: looks.work(process.stop))
    crew.add("chores", lambda: _do_chores(process))
    crew.add_beat()
    listen(process, bells, wakeups, looks)
    for bell in bells.values():
        bell.set()
    return crew.finish()


def listen(
    process: context.Process, bells: dict[str, threading.Event], wakeups: Wakeups, looks: Wakeups
) -> None:
    """Pass each wake-up on to whom it concerns, until the process is asked to stop."""
    for kind in wake.listen(poll_seconds=POLL_SECONDS):
        if process.stop.is_set():
            return
        if kind == FACTS:
            for bell in bells.values():
                bell.set()
        elif kind in queues.KINDS:
            wakeups.wish(kind)
        elif kind is not None and wake.read_look(kind) is not None:
            looks.wish(kind)


def consuming(
    process: context.Process, name: str, consumer: Consumer, bell: threading.Event
) -> Callable[[], None]:
    """Return the loop of one consumer's thread: tell what is due, then wait for the bell.

    Its first facts are told one by one: one of them may be what ended the relay before. Where facts
    are told in order, each object's next one is due as soon as one was told.
    """

    def loop() -> None:
        batch = Batch()
        told, asked = tell_once(name, consumer, teller=tell_carefully), batch.at_most
        while not process.stop.is_set():
            if told < (1 if name in IN_ORDER else asked):
                bell.wait(POLL_SECONDS)
                bell.clear()
            asked = batch.at_most
            told = tell_once(name, consumer, teller=batch.tell)

    return loop


def tell_once(
    name: str, consumer: Consumer, *, teller: Callable[[str, Consumer], int] = tell
) -> int:
    """Tell one batch; returns its size, 0 while a store is away (it is tried again soon)."""
    with context.working():
        try:
            return teller(name, consumer)
        except Away as away:
            _log.warning("telling_put_off", consumer=name, error=str(away))
            return 0


def publishing(process: context.Process, name: str, bell: threading.Event) -> Callable[[], None]:
    """Return the loop of one broker's thread: publish what is due, then wait for the bell."""

    def loop() -> None:
        settings, rests = process.settings.bus, Rests()
        sink = opened(name, settings)
        publisher = Publisher(name, sink, settings)
        publish = publisher.publish_carefully
        while not process.stop.is_set():
            try:
                with context.working():
                    published = publish()
            except Away as away:
                pause = rests.seconds()
                _log.warning("publishing_put_off", sink=name, error=str(away), seconds=pause)
                process.stop.wait(pause)
                continue
            publish = publisher.publish_due
            rests.end()
            if not published:
                bell.wait(POLL_SECONDS)
                bell.clear()
        sink.close()

    return loop


def _do_chores(process: context.Process) -> None:
    chores = schedule.Rounds(schedule.RELAY)
    while not process.stop.wait(CHORE_SECONDS):
        chores.go()


if __name__ == "__main__":
    sys.exit(main())
