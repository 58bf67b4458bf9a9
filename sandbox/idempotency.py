"""Repeated requests get the first answer again, for 24 hours, as the provider promises."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.store import Json, Transaction
from sandbox.wire import Answer, ApiError

KEPT_SECONDS = 24 * 3600
_LONGEST_KEY = 255


def fingerprint(values: Json) -> str:
    """The same text for the same parameters, in whatever order they were sent."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class KeysInUse:
    """The keys of the requests being answered at this moment; they end with the process."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def held(self, key: str | None) -> Iterator[None]:
        """Holds the key while one request is answered; refuses a second one meanwhile."""
        if key is None:
            yield
            return
        if len(key) > _LONGEST_KEY:
            raise ApiError(
                400,
                f"Idempotency-Key is too long; it may have up to {_LONGEST_KEY} characters.",
                type="idempotency_error",
                remember=False,
            )
        with self._lock:
            if key in self._keys:
                raise key_in_use()
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def key_in_use() -> ApiError:
    """The refusal of a request whose key another request holds."""
    return ApiError(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably "
        "means you submitted twice, and the other request is still going through). Please try "
        "again later.",
        remember=False,
        type="idempotency_error",
        code="idempotency_key_in_use",
    )


def recall(tx: Transaction, key: str, endpoint: str, mark: str) -> Answer | None:
    """The answer kept under the key; refuses other parameters or another endpoint."""
    tx.db.execute("DELETE FROM answers WHERE kept_until <= ?", (tx.moment,))
    row = tx.db.execute(
        "SELECT endpoint, fingerprint, status, body FROM answers WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    if row[0] != endpoint:
        raise ApiError(
            400,
            f"Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{endpoint}' vs '{row[0]}'). Try using a key other than '{key}' if you "
            "meant to execute a different request.",
            remember=False,
            type="idempotency_error",
        )
    if row[1] != mark:
        raise ApiError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}' if you meant to execute a "
            "different request.",
            remember=False,
            type="idempotency_error",
        )
    return Answer(row[2], row[3])


def remember(tx: Transaction, key: str, endpoint: str, mark: str, answer: Answer) -> None:
    """Keeps the answer under the key for 24 hours of the sandbox's clock."""
    tx.db.execute(
        "INSERT INTO answers (key, endpoint, fingerprint, status, body, kept_until)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (key, endpoint, mark, answer.status, answer.body, tx.moment + KEPT_SECONDS),
    )
