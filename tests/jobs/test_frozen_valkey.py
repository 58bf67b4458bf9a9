"""A Valkey that is there and does not answer slows one request, not every one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from tests.jobs.working import Ground
from webapp.kernel import wake


@pytest.fixture
def frozen(ground: Ground) -> Iterator[Ground]:
    """Stop Valkey in mid-breath, with the wake-up's memory of its health wiped before and after."""
    wake.use(ground.stores.redis_url)
    wake.ping("facts")
    pid = ground.stores.pids["valkey"]
    os.kill(pid, signal.SIGSTOP)
    yield ground
    os.kill(pid, signal.SIGCONT)
    wake.use(ground.stores.redis_url)


def timed() -> float:
    began = time.monotonic()
    wake.ping("facts")
    return time.monotonic() - began


@pytest.mark.races
def test_the_first_waits_at_most_five_seconds_and_the_next_hundred_not_at_all(
    frozen: Ground,
) -> None:
    assert timed() < 5
    began = time.monotonic()
    for _ in range(100):
        timed()
    assert time.monotonic() - began < 0.5


@pytest.mark.races
def test_after_the_rest_one_thread_asks_and_the_others_pass_by(frozen: Ground) -> None:
    timed()
    time.sleep(wake.REST_SECONDS)
    waits: list[float] = []
    threads = [Thread(target=lambda: waits.append(timed())) for _ in range(8)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert sum(wait > 0.5 for wait in waits) == 1


@pytest.mark.races
def test_once_valkey_breathes_again_wake_ups_go_out(frozen: Ground) -> None:
    timed()
    os.kill(frozen.stores.pids["valkey"], signal.SIGCONT)
    time.sleep(wake.REST_SECONDS)
    hears = wake.client().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    hears.subscribe(wake.CHANNEL)
    hears.get_message(timeout=1)
    wake.ping("facts")
    heard = hears.get_message(timeout=2)
    hears.close()
    assert heard is not None
    assert heard["data"] == b"facts"
