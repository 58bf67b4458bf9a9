"""How the event bus stands, one row for each place that facts are published to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from webapp import outbox
from webapp.config import BusSettings
from webapp.kernel import clock

STREAMS = "bus"
NAMES: Mapping[str, str] = {
    STREAMS: "Redis streams",
    "bus_kafka": "Kafka",
    "bus_aws": "Amazon SNS or SQS",
}
BEHIND_SECONDS = 10
NOTHING = outbox.Queue(waiting=0, set_aside=0, oldest_at=None, last_error=None)


@dataclass(frozen=True, slots=True)
class SinkRow:
    """One place: its state as a pill, what waits, for how long the oldest does, and why."""

    name: str
    label: str
    tone: str
    icon: str
    waiting: int
    set_aside: int
    lag_seconds: int
    last_error: str | None


def sink_rows(settings: BusSettings) -> list[SinkRow]:
    """Return a row for the streams and for each kind of broker, set up or not."""
    queues, now = outbox.queues_of(list(NAMES)), clock.now()
    return [
        _row(name, queues.get(name, NOTHING), is_on=name in (STREAMS, *settings.sinks), now=now)
        for name in NAMES
    ]


def _row(name: str, queue: outbox.Queue, *, is_on: bool, now: dt.datetime) -> SinkRow:
    lag = max(0, int((now - queue.oldest_at).total_seconds())) if queue.oldest_at else 0
    label, tone, icon = _pill(queue, lag, is_on=is_on)
    return SinkRow(
        name=NAMES[name],
        label=label,
        tone=tone,
        icon=icon,
        waiting=queue.waiting,
        set_aside=queue.set_aside,
        lag_seconds=lag,
        last_error=queue.last_error,
    )


def _pill(queue: outbox.Queue, lag: int, *, is_on: bool) -> tuple[str, str, str]:
    if not is_on:
        if queue.waiting or queue.set_aside:
            return "Not set up any more", "warning", "triangle-alert"
        return "Not set up", "neutral", "minus"
    if queue.last_error:
        return "Put off", "danger", "x"
    if queue.set_aside:
        return f"{queue.set_aside} set aside", "warning", "triangle-alert"
    if lag > BEHIND_SECONDS:
        return "Behind", "warning", "triangle-alert"
    return "Working", "success", "check"
