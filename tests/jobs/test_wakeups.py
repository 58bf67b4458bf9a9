"""Wake-ups come in bursts and go out few, and the last of a burst is never lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from jobs.wakeups import Wakeups


def taking(sent: list[str]) -> Callable[[str], bool]:
    """Return a sender that takes every wish and notes it."""

    def send(kind: str) -> bool:
        sent.append(kind)
        return True

    return send


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_the_first_wish_is_sent_at_once() -> None:
    sent: list[str] = []
    wakeups = Wakeups(taking(sent), now=Clock())
    wakeups.wish("operations")
    assert wakeups.flush() is None
    assert sent == ["operations"]


def test_a_burst_is_sent_once_and_once_more_at_its_end() -> None:
    sent: list[str] = []
    clock = Clock()
    wakeups = Wakeups(taking(sent), now=clock)
    for _ in range(50):
        wakeups.wish("operations")
        wakeups.flush()
        clock.at += 0.001
    assert sent == ["operations"]
    assert wakeups.flush() == pytest.approx(0.05, abs=0.002)
    clock.at += 0.06
    assert wakeups.flush() is None
    assert sent == ["operations", "operations"]


def test_kinds_do_not_wait_for_each_other() -> None:
    sent: list[str] = []
    wakeups = Wakeups(taking(sent), now=Clock())
    for kind in ("operations", "inbox", "mail", "operations"):
        wakeups.wish(kind)
        wakeups.flush()
    assert sent == ["operations", "inbox", "mail"]


def test_a_wish_that_could_not_be_sent_is_kept_and_tried_again() -> None:
    answers = iter([False, False, True])
    sent: list[str] = []
    clock = Clock()

    def send(kind: str) -> bool:
        sent.append(kind)
        return next(answers)

    wakeups = Wakeups(send, now=clock)
    wakeups.wish("inbox")
    while (pause := wakeups.flush()) is not None:
        clock.at += pause
    assert sent == ["inbox"] * 3


def test_eight_threads_lose_no_wish() -> None:
    """After the last wish of any thread, at least one wake-up follows."""
    sent_at: list[float] = []
    stop = threading.Event()

    def note_time(_kind: str) -> bool:
        sent_at.append(time.monotonic())
        return True

    wakeups = Wakeups(note_time, gap_seconds=0.02)
    worker = threading.Thread(target=lambda: wakeups.work(stop, poll_seconds=5))
    worker.start()
    last_wish = [0.0] * 8

    def wish_often(place: int) -> None:
        for _ in range(200):
            last_wish[place] = time.monotonic()
            wakeups.wish("mail")

    threads = [threading.Thread(target=wish_often, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until = time.monotonic() + 2
    while (not sent_at or sent_at[-1] < max(last_wish)) and time.monotonic() < until:
        time.sleep(0.005)
    assert sent_at[-1] >= max(last_wish)
    stop.set()
    wakeups.wish("mail")
    worker.join(2)
    assert not worker.is_alive()
    gaps = [later - earlier for earlier, later in pairwise(sent_at[:-1])]
    assert all(gap >= 0.019 for gap in gaps)


def test_what_is_wished_while_stopping_is_still_sent() -> None:
    sent: list[str] = []
    stop = threading.Event()
    wakeups = Wakeups(taking(sent), gap_seconds=60)
    wakeups.wish("operations")
    wakeups.flush()
    wakeups.wish("operations")
    stop.set()
    wakeups.work(stop)
    assert sent == ["operations", "operations"]


def test_a_kind_wished_for_the_first_time_while_others_are_sent_goes_out_next() -> None:
    sent: list[str] = []
    wakeups: list[Wakeups] = []

    def send(kind: str) -> bool:
        if kind == "operations":
            wakeups[0].wish("inbox")
        sent.append(kind)
        return True

    wakeups.append(Wakeups(send, now=Clock()))
    wakeups[0].wish("operations")
    assert wakeups[0].flush() == 0.0
    assert wakeups[0].flush() is None
    assert sent == ["operations", "inbox"]
