"""A killed sandbox comes back with everything it had answered for."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests
import stripe

from tests.sandbox.running import RunningSandbox, wait_until


def test_a_killed_sandbox_keeps_its_payments_answers_and_faults(mortal: RunningSandbox) -> None:
    values = {"amount": "100000", "currency": "inr", "confirm": "true"}
    values["payment_method"] = "pm_card_visa"
    first = mortal.post("/v1/payment_intents", values, key="op_1")
    mortal.control("faults", endpoint="payment_intents.cancel", fault="429", times=7)
    mortal.stop(signal.SIGKILL)
    mortal.start()
    again = mortal.post("/v1/payment_intents", values, key="op_1")
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert mortal.books_of(first.json()["id"])["successful_charges"] == 1
    assert mortal.get("/control/faults")["faults"][0]["times"] == 7


def test_killing_it_under_load_loses_no_answer_it_gave(mortal: RunningSandbox) -> None:
    given: list[str] = []
    stop = threading.Event()

    def shop(name: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                intent = mortal.stripe.v1.payment_intents.create(
                    {
                        "amount": 1000_00,
                        "currency": "inr",
                        "confirm": True,
                        "payment_method": "pm_card_visa",
                    },
                    {"idempotency_key": f"op_{name}_{number}"},
                )
            except stripe.APIConnectionError:
                return
            given.append(intent.id)

    threads = [threading.Thread(target=shop, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(given) > 40)
    mortal.stop(signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    mortal.start()
    rows = {row["id"]: row for row in mortal.get("/control/books")["payment_intents"]}
    assert set(given) <= set(rows)
    assert all(rows[name]["successful_charges"] == 1 for name in given)
    assert all(
        (row["captured"], row["successful_charges"]) == (1000_00, 1) for row in rows.values()
    )


def test_nothing_is_left_running_when_it_is_told_to_stop(tmp_path: Path) -> None:
    running = RunningSandbox(tmp_path).start()
    running.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(running.origin + "/health", timeout=2)


def test_the_seeded_rate_may_come_from_the_environment(tmp_path: Path) -> None:
    running = RunningSandbox(tmp_path, SANDBOX_SUCCESS_RATE="0", SANDBOX_SEED="x").start()
    try:
        with pytest.raises(stripe.CardError):
            running.paid()
    finally:
        running.stop()


def test_a_bad_setting_stops_the_start_with_its_name(tmp_path: Path) -> None:
    environment = {**os.environ, "SANDBOX_SUCCESS_RATE": "ninety"}
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert "SANDBOX_SUCCESS_RATE" in ended.stderr
