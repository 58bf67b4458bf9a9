"""The sender: signs due events as the provider does, delivers them, tries again if refused."""

import hashlib
import hmac
import http.client
import logging
import sqlite3
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox import timers
from sandbox.config import Settings
from sandbox.store import Store

_LOG = logging.getLogger("sandbox.webhooks")
BACK_OFF_SECONDS = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1800, 3600, 3600, 3600, 3600)
_TIMEOUT_SECONDS = 10
_SENDERS = 4
_NAP_SECONDS = 0.05
_GOOD = range(200, 300)


def signature(payload: str, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header: `t=…,v1=…` over `timestamp.payload`."""
    digest = hmac.new(secret.encode(), f"{timestamp}.{payload}".encode(), hashlib.sha256)
    return f"t={timestamp},v1={digest.hexdigest()}"


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery whose time has come."""

    id: int
    event_id: str
    tries: int
    payload: str


class Sender:
    """Delivers from the SQLite outbox in the background, so nothing is lost by a restart."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._busy: dict[int, Future[None]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)

    def start(self) -> None:
        """Starts the background thread."""
        self._thread.start()

    def stop(self) -> None:
        """Lets what is under way end, and stops."""
        self._stop.set()
        self._thread.join(timeout=_TIMEOUT_SECONDS)

    def _work(self) -> None:
        with ThreadPoolExecutor(max_workers=_SENDERS) as pool:
            while not self._stop.wait(_NAP_SECONDS):
                try:
                    self._turn(pool)
                except sqlite3.OperationalError as error:
                    _LOG.warning("the sender tries again: %s", error)

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        timers.run_due(self._store, self._settings)
        self._busy = {key: job for key, job in self._busy.items() if not job.done()}
        for due in self._due():
            self._busy[due.id] = pool.submit(self._deliver, due)

    def _due(self) -> list[Due]:
        free = _SENDERS - len(self._busy)
        if not self._settings.webhook_url or free <= 0:
            return []
        with self._store.read() as tx:
            rows = tx.db.execute(
                "SELECT d.id, d.event_id, d.tries, o.body FROM deliveries d JOIN objects o"
                " ON o.id = d.event_id WHERE d.state = 'waiting' AND d.due_at <= ?"
                " ORDER BY d.due_at, d.id LIMIT ?",
                (tx.moment, _SENDERS + len(self._busy)),
            ).fetchall()
        return [Due(*row) for row in rows if row[0] not in self._busy][:free]

    def _deliver(self, due: Due) -> None:
        outcome, accepted = self._post(due.payload)
        with self._store.write() as tx:
            again = due.tries < len(BACK_OFF_SECONDS)
            state = "delivered" if accepted else "waiting" if again else "given_up"
            wait = 0 if accepted or not again else BACK_OFF_SECONDS[due.tries]
            tx.db.execute(
                "UPDATE deliveries SET tries = tries + 1, state = ?, outcome = ?, due_at = ?"
                " WHERE id = ?",
                (state, outcome, tx.moment + wait, due.id),
            )

    def _post(self, payload: str) -> tuple[str, bool]:
        parts = urlsplit(self._settings.webhook_url)
        secure = parts.scheme == "https"
        dial = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = dial(parts.netloc, timeout=_TIMEOUT_SECONDS)
        header = signature(payload, self._settings.webhook_secret, int(time.time()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Paydeck-Sandbox/1.0",
            "Stripe-Signature": header,
        }
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target or "/", payload.encode(), headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            _LOG.info("webhook not delivered: %s", error)
            return f"no answer: {type(error).__name__}", False
        finally:
            connection.close()
        return f"answered {status}", status in _GOOD
