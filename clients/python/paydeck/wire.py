"""One request to the API: signed in, tried again where that is safe, told as data or exception."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from paydeck.errors import AnswerUnreadable, APIError, ConnectionFailed, error_of

VERSION: Final = "0.1.0"
API: Final = "/api/v1"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FIRST_ERROR, _FIRST_REDIRECT, _FIRST_FAULT, _TOO_MANY = 400, 300, 500, 429
Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how soon a request is tried again; waits are halved at random.

    A Retry-After longer than `longest_wait` seconds is not waited for: the error is raised.
    """

    most: int = 4
    first_wait: float = 0.5
    longest_wait: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def wait_before(self, number: int) -> float:
        """Return the seconds to wait before try `number` (the second is 1)."""
        full = min(self.longest_wait, self.first_wait * 2.0 ** (number - 1))
        return full * (0.5 + self.chance() / 2)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: `query` and `body` without what is None; `key` makes it happen once."""

    method: str
    path: str
    query: Params = field(default_factory=dict)
    body: Params | None = None
    key: str | None = None
    read_seconds: float | None = None


class Wire:
    """Sends requests to one Paydeck with one credential."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        timeout: float,
        retries: Retries,
        http: httpx.Client | None,
    ) -> None:
        self._base_url = checked_base_url(base_url)
        self._headers = {"User-Agent": f"paydeck-python/{VERSION}", **headers}
        self._timeout = timeout
        self._retries = retries
        self._own = http is None
        self._http = http or httpx.Client()

    def close(self) -> None:
        """Close the connections, unless they were given."""
        if self._own:
            self._http.close()

    def ask(self, asked: Request) -> dict[str, Any]:
        """Return what the API answers, tried again where no answer or no lasting one came.

        Every try carries the same idempotency key, so that it happens once. Raises APIError,
        ConnectionFailed, AnswerUnreadable.
        """
        key = asked.key or (None if asked.method == "GET" else str(uuid.uuid4()))
        number = 0
        while True:
            number += 1
            try:
                return self._once(asked, key)
            except (APIError, ConnectionFailed) as failed:
                wait = self._wait_after(failed, number)
                if wait is None:
                    raise
                self._retries.sleep(wait)

    def _wait_after(self, failed: APIError | ConnectionFailed, number: int) -> float | None:
        """Return how long to wait before another try, or None where there is none."""
        if number > self._retries.most:
            return None
        wait = self._retries.wait_before(number)
        if isinstance(failed, ConnectionFailed):
            return wait
        if not _may_pass(failed):
            return None
        told = failed.retry_after or 0.0
        return None if told > self._retries.longest_wait else max(told, wait)

    def _once(self, asked: Request, key: str | None) -> dict[str, Any]:
        timeout = httpx.Timeout(self._timeout, read=asked.read_seconds or self._timeout)
        body = None if asked.body is None else given(asked.body)
        try:
            answer = self._http.request(
                asked.method,
                f"{self._base_url}{API}{asked.path}",
                params=_query(asked.query),
                json=body,
                headers=self._headers | ({"Idempotency-Key": key} if key else {}),
                timeout=timeout,
                follow_redirects=False,
            )
        except httpx.TransportError as failed:
            told = str(failed) or type(failed).__name__
            raise ConnectionFailed(f"No answer from {self._base_url}: {told}") from failed
        except httpx.DecodingError as wrong:
            raise AnswerUnreadable(f"What {self._base_url} answered is packed wrong.") from wrong
        return _told(answer)


def checked_base_url(base_url: str) -> str:
    """Return the address without a stroke at its end; raises ValueError where a key is not safe."""
    url = httpx.URL(base_url)
    is_local = url.host in _LOCAL or url.host.endswith(".localhost")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise ValueError("base_url is an address such as https://pay.example.com.")
    if url.scheme == "http" and not is_local:
        raise ValueError("base_url must be https: a key is never sent in the clear.")
    if url.query or url.fragment:
        raise ValueError("base_url has neither a query nor a fragment.")
    return str(url).rstrip("/").removesuffix(API)


def given(fields: Params) -> dict[str, Any]:
    """Return what was given: fields that are None are left out."""
    return {name: value for name, value in fields.items() if value is not None}


def _query(fields: Params) -> dict[str, Any]:
    """Return a query as the API spells it: `created_gte` is `created[gte]`."""
    spelt = {"created_gte": "created[gte]", "created_lte": "created[lte]", "expand": "expand[]"}
    return {spelt.get(name, name): value for name, value in given(fields).items()}


def _told(answer: httpx.Response) -> dict[str, Any]:
    try:
        body: Any = answer.json()
    except ValueError:
        body = None
    if answer.status_code >= _FIRST_ERROR:
        raise error_of(answer.status_code, body, answer.headers)
    if answer.status_code >= _FIRST_REDIRECT or not isinstance(body, dict):
        message = f"{answer.request.url} answered {answer.status_code}, which is not the API."
        raise AnswerUnreadable(message)
    return body


def _may_pass(failed: APIError) -> bool:
    """Whether the same request may fare better in a moment."""
    return (
        failed.status >= _FIRST_FAULT or failed.status == _TOO_MANY or failed.code == "key_in_use"
    )
