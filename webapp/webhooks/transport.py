"""One try over the network: resolved once, those very addresses dialled, bounded in every way.

TLS is always verified, for the name that was given; redirects are answers like any other; no proxy
is asked. Connecting takes 3 s at most, all of it 10 s, and 64 KB are read of the answer.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from webapp.kernel import net
from webapp.kernel.errors import Invalid
from webapp.kernel.net import Resolver, Target

CONNECT_SECONDS: Final = 3.0
#: One of several addresses may take so long, or its share of the time, before the next is tried.
ADDRESS_SECONDS: Final = 1.0
TOTAL_SECONDS: Final = 10.0
READ_BYTES: Final = 64 * 1024
KEPT_BYTES: Final = 16 * 1024
HEADER_BYTES: Final = 32 * 1024
KEPT_HEADERS: Final = 40
KEPT_VALUE: Final = 500
HTTPS: Final = 443

Connect = Callable[[tuple[str, int], float], socket.socket]


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted, and where; `is_built_in` says that the address is the demo's own."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    is_built_in: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try: a status with headers and the first 16 KB, or an error in words."""

    status: int | None
    seconds: float
    address: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    is_cut: bool = False
    error: str | None = None


class Transport(Protocol):
    """What makes a try; never raises."""

    def post(self, request: Request) -> Answer:
        """Post once and return what came of it."""


def dial(address: tuple[str, int], seconds: float) -> socket.socket:
    """Open a plain connection to an address (IP and port) within `seconds`."""
    return socket.create_connection(address, timeout=seconds)


class Network:
    """The transport of the product; tests and the bench give it other ways to resolve and dial."""

    def __init__(
        self,
        *,
        resolve: Resolver | None = None,
        connect: Connect = dial,
        tls: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._resolve = resolve
        self._connect = connect
        self._tls = tls or ssl.create_default_context()
        self._total = total_seconds

    def post(self, request: Request) -> Answer:
        """Post once; whatever goes wrong on the way is told in the answer."""
        began, dialled = time.monotonic(), list[str]()
        try:
            target = self._target(request)
        except Invalid as refused:
            return _failed(began, f"not sent: {refused.message}", dialled)
        try:
            return self._exchange(request, target, began, dialled)
        except TimeoutError:
            return _failed(began, "no answer in time", dialled)
        except ssl.SSLError as fault:
            return _failed(began, f"TLS failed: {fault.reason or 'not verified'}", dialled)
        except (OSError, http.client.HTTPException, ValueError) as fault:
            return _failed(began, f"connection failed: {type(fault).__name__}", dialled)

    def _target(self, request: Request) -> Target:
        if not request.is_built_in:
            return net.outside_target(request.url, resolve=self._resolve)
        parts = urlsplit(request.url)
        host = parts.hostname or ""
        return Target(host, parts.port or 80, (host,), parts.path)

    def _exchange(
        self, request: Request, target: Target, began: float, dialled: list[str]
    ) -> Answer:
        deadline = began + self._total
        connection = self._dial(target, min(CONNECT_SECONDS, _left(deadline)), dialled)
        if not request.is_built_in:
            connection.settimeout(_left(deadline))
            connection = self._tls.wrap_socket(connection, server_hostname=target.host)
        with closing(connection):
            connection.settimeout(_left(deadline))
            connection.sendall(_head(request, target) + request.body)
            with closing(http.client.HTTPResponse(_Within(connection, deadline))) as response:  # type: ignore[arg-type]
                response.begin()
                return _read(response, dialled[-1], began)

    def _dial(self, target: Target, seconds: float, dialled: list[str]) -> socket.socket:
        """Connect to the first address that answers, within `seconds` in all; notes each."""
        until = time.monotonic() + seconds
        for done, address in enumerate(target.addresses, start=1):
            left, still = _left(until), len(target.addresses) - done
            dialled.append(address)
            try:
                share = min(left, max(ADDRESS_SECONDS, left / (still + 1)))
                return self._connect((address, target.port), share)
            except OSError:
                if not still:
                    raise
        raise TimeoutError


class _Within:
    """A socket, as `HTTPResponse` sees it, that is read up to a moment and a size."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._reading = _Bounded(connection, deadline)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._reading)


class _Bounded(io.RawIOBase):
    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._left = READ_BYTES + HEADER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            return 0
        self._connection.settimeout(_left(self._deadline))
        got = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._left -= got
        return got


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _head(request: Request, target: Target) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    named = host if request.is_built_in is False else f"{host}:{target.port}"
    lines = [
        f"POST {_wire(target.path)} HTTP/1.1",
        f"Host: {named}",
        *(f"{name}: {value}" for name, value in request.headers.items()),
        "Accept: */*",
        "Connection: close",
        f"Content-Length: {len(request.body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _wire(path: str) -> str:
    return "".join(
        letter if letter.isascii() else "".join(f"%{byte:02X}" for byte in letter.encode())
        for letter in path
    )


def _read(response: http.client.HTTPResponse, address: str, began: float) -> Answer:
    """Keep what is there; a body that ends badly does not unsay the status that came before."""
    kept, is_cut = b"", False
    try:
        while len(kept) < READ_BYTES and (piece := response.read1(READ_BYTES - len(kept))):
            kept += piece
    except (OSError, http.client.HTTPException, ValueError):
        is_cut = True
    return Answer(
        status=response.status,
        seconds=time.monotonic() - began,
        address=address,
        headers={
            _clean(name)[:KEPT_VALUE]: _clean(value)[:KEPT_VALUE]
            for name, value in response.getheaders()[:KEPT_HEADERS]
        },
        body=_clean(kept[:KEPT_BYTES].decode("utf-8", "replace")),
        is_cut=is_cut or len(kept) > KEPT_BYTES,
        error=None
        if 200 <= response.status <= 299  # noqa: PLR2004
        else f"webhook delivery failed: status {response.status}",
    )


def _clean(text: str) -> str:
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _failed(began: float, error: str, dialled: Sequence[str]) -> Answer:
    address = dialled[-1] if dialled else None
    return Answer(None, time.monotonic() - began, address=address, error=error)
