"""The control page and its JSON twin: faults, webhook weather, success rate, clock, books."""

import math
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox import books, cards, charging, events, faults, routes
from sandbox.config import Settings
from sandbox.faults import EVERYWHERE, FAULTS, Fault
from sandbox.store import Json, Store
from sandbox.wire import Call, Params

_WIDEST_CLOCK_SECONDS = 400 * 24 * 3600
_MOST_DUPLICATES = 20
_LONGEST_SECONDS = 3600
_ROWS_SHOWN = 25
_ALL = 100


class BadOrder(ValueError):
    """What was asked of the control page cannot be done; the sentence says why."""


class Control:
    """The verbs of the control page on one store; each takes plain values and returns the state."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def set_fault(self, values: Json) -> Json:
        """Switches one fault on, or off with `none`."""
        endpoint, kind = str(values.get("endpoint") or EVERYWHERE), str(values.get("fault"))
        if endpoint != EVERYWHERE and endpoint not in routes.NAMES:
            raise BadOrder(f"There is no endpoint named {endpoint}.")
        if kind != "none" and kind not in FAULTS:
            raise BadOrder(f"There is no fault named {kind}.")
        seconds = _number(values, "seconds", 0, 0, _LONGEST_SECONDS)
        times = _times(values, kind)
        with self._store.write() as tx:
            if kind == "none":
                faults.switch_off(tx, endpoint)
            else:
                until = tx.moment + seconds if kind == "outage" and seconds else None
                faults.switch_on(tx, Fault(endpoint, kind, seconds, times, until))
        return self.faults({})

    def faults(self, _values: Json) -> Json:
        """Every fault switched on, and what may be named."""
        with self._store.read() as tx:
            shown = [fault.shown() for fault in faults.listed(tx)]
        return {"faults": shown, "endpoints": [EVERYWHERE, *routes.NAMES], "kinds": FAULTS}

    def set_webhooks(self, values: Json) -> Json:
        """How webhooks are delivered from now on."""
        weather = {
            "duplicates": int(_number(values, "duplicates", 0, 0, _MOST_DUPLICATES)),
            "shuffle": _flag(values, "shuffle"),
            "delay_seconds": _number(values, "delay_seconds", 0, 0, _LONGEST_SECONDS),
            "lose": _lose(values),
            "seed": str(values.get("seed") or "webhooks"),
        }
        with self._store.write() as tx:
            tx.set_switch("webhooks", weather)
        return self.webhooks({})

    def webhooks(self, _values: Json) -> Json:
        """The webhook weather and how many deliveries are in which state."""
        with self._store.read() as tx:
            counted = tx.db.execute("SELECT state, count(*) FROM deliveries GROUP BY state")
            return {"weather": events.webhook_weather(tx), "deliveries": dict(counted.fetchall())}

    def resend(self, values: Json) -> Json:
        """Delivers one event again, lost or not."""
        with self._store.write() as tx:
            event = tx.find("event", str(values.get("event_id")))
            if event is None:
                raise BadOrder("There is no such event.")
            tx.db.execute(
                "INSERT INTO deliveries (event_id, due_at, state) VALUES (?, ?, 'waiting')",
                (event.id, tx.moment),
            )
        return {"resent": event.id}

    def set_success_rate(self, values: Json) -> Json:
        """How many of a hundred good cards are accepted; `percent` null switches it off."""
        percent = values.get("percent")
        rate = None if percent in {None, ""} else int(_number(values, "percent", 0, 0, _ALL))
        with self._store.write() as tx:
            tx.set_switch("success_rate", {"percent": rate, "seed": values.get("seed")})
        return {"percent": rate, "seed": values.get("seed") or self._settings.seed}

    def set_settlement(self, values: Json) -> Json:
        """How long a confirmed payment stays `processing`; 0 settles at once."""
        seconds = _number(values, "seconds", 0, 0, _LONGEST_SECONDS)
        with self._store.write() as tx:
            tx.set_switch("settle_seconds", seconds)
        return {"seconds": seconds}

    def set_clock(self, values: Json) -> Json:
        """How far the sandbox's clock runs ahead of real time."""
        wide = _WIDEST_CLOCK_SECONDS
        self._store.move_clock(_number(values, "offset_seconds", 0, -wide, wide))
        return {"now": self._store.now()}

    def reset(self, _values: Json) -> Json:
        """Forgets everything."""
        self._store.reset()
        return {"reset": True}

    def books(self, _values: Json) -> Json:
        """What was really charged and refunded, for each payment intent."""
        with self._store.read() as tx:
            return {"payment_intents": books.payment_intents(tx)}

    def page(self) -> Response:
        """The control page for people."""
        state = self.webhooks({}) | self.faults({})
        with self._store.read() as tx:
            call = Call(tx, Params({}), self._settings)
            page = render_template(
                "control.html",
                state=state,
                rate=charging.success_rate(call),
                settle=tx.switch("settle_seconds") or 0,
                offset=tx.switch("clock_offset") or 0,
                now=tx.now,
                url=self._settings.webhook_url,
                payments=books.payment_intents(tx, limit=_ROWS_SHOWN),
                deliveries=books.deliveries(tx, limit=_ROWS_SHOWN),
                test_cards=cards.TEST_CARDS,
            )
        return make_response(page)


def mount(app: Flask, store: Store, settings: Settings) -> None:
    """Adds the control page and its JSON twin to the app."""
    control = Control(store, settings)
    app.add_url_rule("/control", endpoint="control", view_func=control.page, methods=["GET"])
    for path, verb, method in (
        ("/control/faults", control.faults, "GET"),
        ("/control/faults", control.set_fault, "POST"),
        ("/control/webhooks", control.webhooks, "GET"),
        ("/control/webhooks", control.set_webhooks, "POST"),
        ("/control/webhooks/resend", control.resend, "POST"),
        ("/control/success-rate", control.set_success_rate, "POST"),
        ("/control/settlement", control.set_settlement, "POST"),
        ("/control/clock", control.set_clock, "POST"),
        ("/control/reset", control.reset, "POST"),
        ("/control/books", control.books, "GET"),
    ):
        app.add_url_rule(path, endpoint=f"{method} {path}", view_func=_view(verb), methods=[method])


def _view(verb: Callable[[Json], Json]) -> Any:
    def view() -> AnyResponse:
        typed = request.method == "POST" and not request.is_json
        try:
            state = verb(_values())
        except BadOrder as bad:
            if typed:
                return make_response(
                    render_template("notice.html", sentence=str(bad), back="/control"), 400
                )
            return make_response(jsonify(error=str(bad)), 400)
        if typed:
            return redirect("/control", 303)
        return jsonify(state)

    return view


def _values() -> Json:
    if request.is_json:
        values = request.get_json(silent=True)
        if not isinstance(values, dict):
            raise BadOrder("Send a JSON object.")
        return values
    return dict(request.form)


def _number(values: Json, name: str, default: float, low: float, high: float) -> float:
    raw = values.get(name)
    if raw is None or raw == "":
        return default
    try:
        number = float(raw)
    except (TypeError, ValueError):
        raise BadOrder(f"{name} must be a number.") from None
    if not (math.isfinite(number) and low <= number <= high):
        raise BadOrder(f"{name} must be between {low:g} and {high:g}.")
    return number


def _times(values: Json, kind: str) -> int | None:
    if values.get("times") in {None, ""}:
        return None if kind == "outage" else 1
    return int(_number(values, "times", 1, 0, 1_000_000)) or None


def _flag(values: Json, name: str) -> bool:
    return values.get(name) in {True, "true", "on", "1"}


def _lose(values: Json) -> int:
    raw = values.get("lose")
    if raw is True or raw in ("true", "on", "all"):
        return -1
    if raw is False or raw == "false":
        return 0
    return int(_number(values, "lose", 0, -1, 1_000_000))
