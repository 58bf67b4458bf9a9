"""What happens at the sockets: the handshake, looking again at who listens, the door out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from flask import Flask, request
from flask_socketio import ConnectionRefusedError as Refused
from flask_socketio import SocketIO, join_room
from flask_wtf.csrf import validate_csrf
from wtforms.validators import ValidationError

from webapp import accounts, orders
from webapp.config import Settings
from webapp.kernel import clock, db, wake
from webapp.realtime import knocks
from webapp.realtime.listeners import Listener, Listeners
from webapp.realtime.policy import Wish, read_wish, topics_for

JOINED = "joined"
SESSIONS = "sessions"
LOOK_AGAIN_SECONDS = 60.0
REPEAT_SECONDS = 20.0
BEAT_SECONDS = 5.0
POLL_SECONDS = 1.0
#: How long a socket may stay open without having been accepted.
PATIENCE_SECONDS = 10.0
_log = structlog.get_logger(__name__)


class Hall:
    """Lets people in by their session or their checkout's token, and out when that ends."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._sockets: SocketIO | None = None
        self._keeping = threading.Lock()
        self._strangers: dict[str, float] = {}
        self._started_at = clock.now().timestamp()
        self.listeners = Listeners()

    def open(self, sockets: SocketIO) -> None:
        """Answer the events of `sockets` from now on."""
        self._sockets = sockets
        sockets.on_event("connect", self._connect)
        sockets.on_event("disconnect", self._disconnect)
        sockets.on("*")(self._hear)

    # events ---------------------------------------------------------------------------------

    def _connect(self, auth: object = None) -> None:
        self._start_keeping()
        db.use_scope(db.NOBODY)
        wish = read_wish(auth)
        if wish is None or not _has_csrf(auth):
            raise Refused("stale_page")
        token = request.cookies.get(self._settings.session_cookie)
        person = accounts.person_for(token, prolong=False) if token else None
        topics = topics_for(person, _checkout_id(wish), wish)
        db.end_reads()
        if not topics:
            raise Refused("not_allowed")
        listener = Listener(_sid(), person, wish, topics)
        for topic in topics:
            join_room(topic)
        self.listeners.add(listener)
        self._tell_numbers([listener])

    def _disconnect(self, _reason: object = None) -> None:
        self.listeners.remove(_sid())

    def _hear(self, _event: object, *_said: object) -> None:
        """Nothing is asked of us here; whoever talks too much is sent away."""
        listener = self.listeners.find(_sid())
        if listener is None or listener.speaks_too_often(time.monotonic()):
            self._send_away(_sid(), "too_many_events")

    # who may stay ---------------------------------------------------------------------------

    def look_again(self) -> None:
        """Send away everybody whose session or membership no longer opens what they hear."""
        for listener in self.listeners.all():
            with self._app.app_context():
                try:
                    may_stay = _may_stay(listener)
                except db.DatabaseFault as away:
                    _log.warning("look_again_put_off", error=type(away).__name__)
                    return
            if not may_stay:
                self._send_away(listener.sid, "session_ended")

    def repeat_numbers(self) -> None:
        """Tell everybody the last number of their topics, so that a lost knock is noticed."""
        self._tell_numbers(self.listeners.all())

    # keeping order --------------------------------------------------------------------------

    def _start_keeping(self) -> None:
        if self._keeping.acquire(blocking=False):
            self._server.start_background_task(self._keep)

    def _keep(self) -> None:
        rounds = (
            _Round(LOOK_AGAIN_SECONDS, self.look_again),
            _Round(REPEAT_SECONDS, self.repeat_numbers),
            _Round(BEAT_SECONDS, self._beat),
            _Round(POLL_SECONDS, self._close_strangers),
        )
        for kind in wake.listen(poll_seconds=POLL_SECONDS):
            if kind == SESSIONS:
                self.look_again()
            for one in rounds:
                one.go_when_due(time.monotonic())

    def _beat(self) -> None:
        detail = {"sockets": len(self.listeners.all())}
        wake.beat("socket", started_at=self._started_at, detail=detail)

    def _close_strangers(self) -> None:
        """Close connections that hold a thread though refused, or never introduced."""
        engine, manager, now = self._server.eio, self._server.manager, time.monotonic()
        known = {manager.eio_sid_from_sid(one.sid, "/") for one in self.listeners.all()}
        strangers = [eio_sid for eio_sid in list(engine.sockets) if eio_sid not in known]
        self._strangers = {sid: self._strangers.get(sid, now) for sid in strangers}
        for eio_sid, since in self._strangers.items():
            if now - since >= PATIENCE_SECONDS:
                engine.disconnect(eio_sid)

    def _tell_numbers(self, listeners: Iterable[Listener]) -> None:
        heard = list(listeners)
        counted = knocks.numbers({topic for one in heard for topic in one.topics})
        for listener in heard:
            mine = {topic: counted[topic] for topic in listener.topics if topic in counted}
            self._server.manager.emit(
                JOINED, mine, namespace="/", room=listener.sid, ignore_queue=True
            )

    def _send_away(self, sid: str, reason: str) -> None:
        _log.info("socket_sent_away", reason=reason)
        self._server.disconnect(sid, ignore_queue=True)

    @property
    def _server(self) -> Any:
        if self._sockets is None:
            message = "the hall is not open yet"
            raise RuntimeError(message)
        return self._sockets.server


class _Round:
    """Something done every so many seconds."""

    def __init__(self, every_seconds: float, go: Callable[[], None]) -> None:
        self._every = every_seconds
        self._go = go
        self._last = time.monotonic()

    def go_when_due(self, now: float) -> None:
        """Do it if its time has come."""
        if now - self._last >= self._every:
            self._last = now
            self._go()


def _checkout_id(wish: Wish) -> str | None:
    """Return the session id that the wish's checkout token opens, or None."""
    if wish.checkout_token is None:
        return None
    try:
        return orders.checkout_for(wish.checkout_token).session_id
    except orders.CheckoutNotFound:
        return None


def _may_stay(listener: Listener) -> bool:
    """Whether the session still stands (it is not prolonged by asking), and the membership."""
    person, merchant_id = listener.person, listener.wish.merchant_id
    if person is None:
        return True
    if not accounts.session_stands(person.session_id, person.user_id):
        return False
    if merchant_id is None:
        return True
    with db.scoped(db.Scope(user_id=person.user_id)):
        return merchant_id in {merchant.id for merchant, _ in accounts.merchants_of(person.user_id)}


def _sid() -> str:
    return str(getattr(request, "sid"))  # noqa: B009 - Flask-SocketIO puts it there


def _has_csrf(auth: object) -> bool:
    token = auth.get("csrf") if isinstance(auth, dict) else None
    if not isinstance(token, str):
        return False
    try:
        validate_csrf(token)
    except ValidationError:
        return False
    return True
