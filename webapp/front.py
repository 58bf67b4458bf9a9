"""The front of the web process: no request gets a thread before its body is here completely.

The server speaks ASGI with it, and it speaks WSGI with the portal. A body is read within a size
and a deadline, by the one thread that waits for all of them; what was refused is told by the
portal itself, which finds the status at `REFUSED`. Answers are taken from the portal as fast as it
makes them, and a slow reader is waited for by the server alone.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

THREADS = 16
BODY_SECONDS = 10.0
#: How many bodies one process reads at once, and how many of them from one address.
AT_ONCE = 256
AT_ONCE_EACH = 64
#: So much of a body that is too large is read and dropped, so that its sender hears the answer.
READ_AWAY = 1024 * 1024
#: A longer answer waits on the disk, in a file without a name, and goes out in pieces.
IN_MEMORY = 1024 * 1024
PIECE = 64 * 1024
#: A file up to this size is read at once, which is faster than to have the server open it.
SHORT_FILE = 64 * 1024
#: The network that one holder of an IPv6 address chooses addresses from.
IPV6_BITS = 64
#: Where the portal finds the status with which it has to refuse the request.
REFUSED = "paydeck.refused"


class BodyRefused(Exception):
    """The body did not come as it must; `number` is the HTTP status that says so."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class SentFile(FileWrapper):
    """A file that the portal answers with, as PEP 3333 has it: a whole one goes out by its path."""

    @property
    def path(self) -> str | None:
        """The path of a whole file that is worth it, None for a part of one or a short one."""
        file = self.filelike
        if not isinstance(file, io.BufferedReader) or not isinstance(file.name, str):
            return None
        return file.name if os.fstat(file.fileno()).st_size > SHORT_FILE else None


@dataclass(slots=True)
class Answer:
    """What the portal answered, with which HTTP status: a `body`, or a file instead of one."""

    made_by: Iterable[bytes]
    number: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    path: str | None = None
    spool: BinaryIO | None = None

    def close(self) -> None:
        """Let the portal do what it does once the answer is sent."""
        if hasattr(self.made_by, "close"):
            self.made_by.close()


class Front:
    """An ASGI application around the WSGI one that is given.

    A body has at most `limit` bytes and comes within `seconds`; `proxies` are trusted to tell
    whom they speak for. A process has one front, whose threads live as long as it does.
    """

    def __init__(
        self, app: Wsgi, *, limit: int, proxies: int = 0, seconds: float = BODY_SECONDS
    ) -> None:
        self._app = app
        self._limit = limit
        self._proxies = proxies
        self._seconds = seconds
        self._reading: Counter[str] = Counter()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="web")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        environ = environ_of(scope)
        try:
            body = await self._body(environ, receive)
        except BodyRefused as refused:
            environ[REFUSED] = refused.number
            body = b""
        _put_body(environ, body)
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._pool, self._answer, environ)
        try:
            await _tell(answer, send, is_last=REFUSED in environ)
        finally:
            self._pool.submit(answer.close).add_done_callback(Future.result)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self._pool.shutdown()  # what is done after the last answers is done first
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})

    async def _body(self, environ: dict[str, Any], receive: Receive) -> bytes:
        """Return the whole body; raises BodyRefused."""
        told = environ.get("CONTENT_LENGTH", "")
        if told in {"", "0"} and "HTTP_TRANSFER_ENCODING" not in environ:
            return b""
        if told and not (told.isascii() and told.isdecimal()):
            raise BodyRefused(400)
        # Who waits for our leave to send has not sent anything that must be read away.
        most = self._limit if "HTTP_EXPECT" in environ else READ_AWAY
        if int(told or 0) > most:
            raise BodyRefused(413)
        client = client_of(environ, self._proxies)
        if self._reading.total() >= AT_ONCE or self._reading[client] >= AT_ONCE_EACH:
            raise BodyRefused(503)
        self._reading[client] += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await self._whole(receive)
        except TimeoutError:
            raise BodyRefused(408) from None
        finally:
            self._reading[client] -= 1
            if not self._reading[client]:
                del self._reading[client]

    async def _whole(self, receive: Receive) -> bytes:
        kept, size, is_complete = bytearray(), 0, False
        while not is_complete:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BodyRefused(400)  # cut, or not in the form that was announced
            piece = message.get("body", b"")
            size += len(piece)
            if size > READ_AWAY:
                break
            if size <= self._limit:
                kept += piece
            is_complete = not message.get("more_body", False)
        if size > self._limit:
            raise BodyRefused(413)
        return bytes(kept)

    def _answer(self, environ: dict[str, Any]) -> Answer:
        """Have the portal answer, in one of its threads; all of the answer is taken."""
        told: list[tuple[str, Any]] = []
        spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed when sent

        def start(status: str, headers: Any, _fault: object = None) -> Callable[[bytes], object]:
            told.append((status, headers))
            return spool.write

        answer = Answer(self._app(environ, start))
        try:
            if isinstance(answer.made_by, SentFile):
                answer.path = answer.made_by.path
            if answer.path is None:
                for piece in answer.made_by:  # writelines() would keep all of it in memory first
                    spool.write(piece)
                _finish(answer, cast("BinaryIO", spool))
        except BaseException:
            answer.close()
            raise
        finally:
            if answer.spool is None:
                spool.close()
        status, headers = told[-1]
        answer.number, answer.headers = int(status[:3]), tuple(headers)
        return answer


def environ_of(scope: Message) -> dict[str, Any]:
    """Return what PEP 3333 says of a request, without its body.

    A header with an underscore in its name is left out: it could pass for one with a hyphen.
    """
    server, client = scope["server"], scope["client"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": SentFile,
    }
    for raw, value in scope["headers"]:
        if b"_" in raw:
            continue
        name = raw.decode("latin-1").upper().replace("-", "_")
        if name not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            name = f"HTTP_{name}"
        text = value.decode("latin-1")
        if name in environ:
            text = environ[name] + ("; " if name == "HTTP_COOKIE" else ",") + text
        environ[name] = text
    return environ


def client_of(environ: dict[str, Any], proxies: int) -> str:
    """Return the address that a request comes from, or of IPv6 the network."""
    address: str = environ["REMOTE_ADDR"]
    told = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < proxies <= len(told):
        address = told[-proxies].strip()
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, IPV6_BITS), strict=False))


def _put_body(environ: dict[str, Any], body: bytes) -> None:
    """Hand the body over as one whose length is known, in whatever pieces it came."""
    environ["wsgi.input"] = io.BytesIO(body)
    if environ.pop("HTTP_TRANSFER_ENCODING", None) is not None or "CONTENT_LENGTH" in environ:
        environ["CONTENT_LENGTH"] = str(len(body))


def _finish(answer: Answer, spool: BinaryIO) -> None:
    """Put what was taken into the answer: itself, or the file that it waits in."""
    is_long = spool.tell() > IN_MEMORY
    spool.seek(0)
    if is_long:
        answer.spool = spool
    else:
        answer.body = spool.read()


async def _tell(answer: Answer, send: Send, *, is_last: bool) -> None:
    headers = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in answer.headers]
    if is_last:  # what is left of the body is not read any more
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.number, "headers": headers})
    if answer.path is not None:
        await send({"type": "http.response.pathsend", "path": answer.path})
        return
    if answer.spool is not None:
        with answer.spool as spool:
            while piece := spool.read(PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": answer.body})
