"""The reader that others copy from: it misses nothing, and says what it has read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs.bus import tail
from jobs.bus.streams import stream
from jobs.subscriptions import BUS
from tests.jobs.bus.telling_all import Bus
from webapp.kernel import wake

KEY = stream("payment-events")


def read(bus: Bus, name: str = "reader") -> list[str]:
    """Return the facts that a reader is shown."""
    shown: list[str] = []
    tail.read(wake.client(), KEY, "payments-service", name, shown.append)
    return [json.loads(one)["id"].replace("evt_", "fact_") for one in shown]


@pytest.mark.requirement("S4-93b")
def test_each_event_is_shown_to_its_group_once(bus: Bus) -> None:
    tail.begin(wake.client(), KEY, "payments-service", tail.FROM_NOW)
    tail.begin(wake.client(), KEY, "payments-service", tail.FROM_NOW)
    story = bus.story(3, BUS)
    bus.tell()
    assert read(bus) == story
    assert read(bus, "another") == []
    unfinished: Any = wake.client().xpending(KEY, "payments-service")
    assert unfinished["pending"] == 0


def test_what_a_reader_died_over_is_shown_to_it_again(bus: Bus) -> None:
    tail.begin(wake.client(), KEY, "payments-service", tail.FROM_NOW)
    story = bus.story(1, BUS)
    bus.tell()

    def die(_event: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tail.read(wake.client(), KEY, "payments-service", "reader", die)
    assert read(bus) == story


def test_an_erased_stream_is_read_from_its_new_start(bus: Bus) -> None:
    tail.begin(wake.client(), KEY, "payments-service", tail.FROM_NOW)
    wake.client().flushall()
    story = bus.story(2, BUS)
    bus.tell()
    assert read(bus) == [], "its group went with the stream and is made anew"
    assert read(bus) == story
