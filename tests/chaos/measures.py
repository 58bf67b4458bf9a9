"""Times of recovery: how soon a dead worker's call is taken up again, and a doubt resolved."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Sequence
from typing import Any

import psycopg

from supervisor.child import marked
from tests.chaos.browser import Browser
from tests.chaos.clients import CHECKOUT, GOOD_CARD
from tests.chaos.town import WORKERS, Town

_SLOW_SECONDS = 9.0
_LONGEST_SECONDS = 120.0
_POLL_SECONDS = 0.02
_OUTAGES = (4.0, 8.0, 15.0)
_IN_FLIGHT = (
    "SELECT id, lease_token FROM provider_operation"
    " WHERE state = 'in_flight' AND subject_id IN"
    " (SELECT p.id FROM payment p JOIN checkout_session s ON s.order_id = p.order_id"
    " WHERE s.token_hash = ANY(%s))"
)


def reclaims(town: Town, *, rounds: int, seed: int) -> list[float]:
    """Kill workers in the middle of calls; return the seconds from each death to the next claim."""
    chance = random.Random(f"reclaims:{seed}")
    took: list[float] = []
    with contextlib.closing(_watching(town)) as connection:
        for number in range(rounds):
            town.control("faults", endpoint="*", fault="none")
            town.control(
                "faults",
                endpoint="payment_intents.create",
                fault="slow",
                seconds=_SLOW_SECONDS,
                times=WORKERS,
            )
            hashes = [_paying(town) for _ in range(WORKERS)]
            held = _held(connection, hashes, at_least=WORKERS)
            time.sleep(chance.uniform(0.0, 3.0))
            died = time.monotonic()
            _kill_all(town, horses_only=number % 2 == 0)
            town.control("faults", endpoint="*", fault="none")
            took += _taken_again(connection, held, since=died)
            _settled(connection, hashes)
    return took


def doubts(town: Town, *, rounds: int, each: int) -> list[float]:
    """Leave charges unanswered; return the seconds until each one's end.

    In odd rounds the provider is away for a while, and the seconds count from its return; in even
    ones it charges and does not say so, and they count from the shopper's click.
    """
    took: list[float] = []
    with contextlib.closing(_watching(town)) as connection:
        for number in range(rounds):
            away = _OUTAGES[number % len(_OUTAGES)]
            pays = [_Pay(town) for _ in range(each)]
            if number % 2:
                town.control("faults", endpoint="*", fault="outage", seconds=away)
            else:
                town.control(
                    "faults", endpoint="payment_intents.confirm", fault="drop_after", times=each
                )
            began = {}
            for pay in pays:
                began[pay.hash] = time.monotonic()
                pay.click()
            if number % 2:
                time.sleep(away)
                began = dict.fromkeys(began, time.monotonic())
            took += _ends(connection, began)
            town.control("faults", endpoint="*", fault="none")
    return took


class _Pay:
    """A checkout whose form is filled in and only has to be sent."""

    def __init__(self, town: Town) -> None:
        self._browser = Browser(town.stack.url, town.sandbox)
        page = self._browser.get("/demo/checkout")
        found = CHECKOUT.search(page.place)
        if found is None:
            raise RuntimeError("the demo’s checkout did not open")
        self._token = found.group(1)
        self._fields = {name: page.field(name) for name in ("csrf_token", "form_key")}
        self._fields |= {"method": "card", "payment_method": self._browser.card(GOOD_CARD)}
        from webapp.kernel.ids import token_hash  # noqa: PLC0415 - clients need none of the portal

        self.hash = token_hash(self._token)

    def click(self) -> None:
        """Send it."""
        self._browser.post(f"/checkout/{self._token}/pay", self._fields)


def _paying(town: Town) -> str:
    pay = _Pay(town)
    pay.click()
    return pay.hash


def _watching(town: Town) -> psycopg.Connection[Any]:
    connection = town.direct()
    connection.autocommit = True
    return connection


def _held(
    connection: psycopg.Connection[Any], hashes: Sequence[str], *, at_least: int
) -> dict[str, int]:
    """Wait until so many calls of these checkouts are under way; return their lease tokens."""
    until = time.monotonic() + _SLOW_SECONDS / 2
    while True:
        found = dict(connection.execute(_IN_FLIGHT, [list(hashes)]).fetchall())
        if len(found) >= at_least or time.monotonic() > until:
            return found
        time.sleep(_POLL_SECONDS)


def _kill_all(town: Town, *, horses_only: bool) -> None:
    """Kill every work-horse (an odd time with its worker) at once."""
    run = f"{town.stack.digest}/run/{town.stack.supervisor_pid}"
    heads = {town.stack.pids[f"worker-{number}"] for number in range(1, WORKERS + 1)}
    for pid in marked(f"{run}/worker-"):
        if not (horses_only and pid in heads):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _taken_again(
    connection: psycopg.Connection[Any], held: dict[str, int], *, since: float
) -> list[float]:
    """Wait until each held call has another token; return how long each took."""
    left, took = dict(held), []
    while left and time.monotonic() - since < _LONGEST_SECONDS:
        rows = connection.execute(
            "SELECT id, lease_token FROM provider_operation WHERE id = ANY(%s)", [list(left)]
        ).fetchall()
        for operation_id, token in rows:
            if token != left[operation_id]:
                took.append(time.monotonic() - since)
                del left[operation_id]
        time.sleep(_POLL_SECONDS)
    return took + [_LONGEST_SECONDS] * len(left)


def _ends(connection: psycopg.Connection[Any], began: dict[str, float]) -> list[float]:
    """Wait until each checkout's order is paid; return how long each took since it began."""
    left, took, until = dict(began), [], time.monotonic() + _LONGEST_SECONDS
    while left and time.monotonic() < until:
        rows = connection.execute(
            "SELECT s.token_hash FROM checkout_session s JOIN shop_order o ON o.id = s.order_id"
            " WHERE s.token_hash = ANY(%s) AND o.status = 'completed'",
            [list(left)],
        ).fetchall()
        took += [time.monotonic() - left.pop(row[0]) for row in rows]
        time.sleep(_POLL_SECONDS)
    return took + [_LONGEST_SECONDS] * len(left)


def _settled(connection: psycopg.Connection[Any], hashes: Sequence[str]) -> None:
    _ends(connection, dict.fromkeys(hashes, time.monotonic()))


def share(values: Sequence[float], part: float) -> float:
    """Return the value below which `part` of the sorted values lie; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
