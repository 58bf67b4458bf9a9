"""A door between the portal and Postgres that can be shut at the very moment of a COMMIT.

It listens on a free loopback port and passes everything on to the server's private socket. Asked
to, it cuts the connection of the next COMMIT that ends a writing transaction: before the server
has received it, after the server has done it, or before the server hears of it a moment later.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.chaos.wire import COMMITTED, READY, Listener

BEFORE, AFTER, LATE = "before", "after", "late"
WAYS = (BEFORE, AFTER, LATE)
_CHUNK = 65_536
_LATE_SECONDS = (0.02, 0.3)
_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Cut:
    """One COMMIT whose connection was cut: of which role, how, and whether the server did it."""

    role: str
    way: str
    was_done: bool


class Proxy:
    """The door, in a thread of its own; used as `with Proxy(socket, seed=1) as proxy`."""

    def __init__(self, server: Path, *, seed: int) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._armed: deque[tuple[str, str]] = deque()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)
        self._is_up = threading.Event()
        self.port = 0
        self.cuts: list[Cut] = []

    def arm(self, way: str, role: str) -> None:
        """Cut the next writing COMMIT of database role `role` in `way`."""
        with self._lock:
            self._armed.append((way, role))

    @property
    def waiting(self) -> int:
        """How many cuts have been asked for and not happened yet."""
        with self._lock:
            return len(self._armed)

    def disarm(self) -> None:
        """Cut nothing more."""
        with self._lock:
            self._armed.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._is_up.wait(10):
            raise TimeoutError("the proxy did not start")
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        listener = self._loop.run_until_complete(
            asyncio.start_server(self._welcome, "127.0.0.1", 0, limit=_CHUNK)
        )
        self.port = listener.sockets[0].getsockname()[1]
        self._is_up.set()
        self._loop.run_forever()
        listener.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    async def _welcome(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_unix_connection(str(self._server))
        except OSError:
            back.transport.abort()
            return
        link = _Link(client, back, answers, server, self._take)
        try:
            cut = await link.run()
        finally:
            back.transport.abort()
            server.transport.abort()
        if cut is not None:
            with self._lock:
                self.cuts.append(cut)

    def _take(self, role: str) -> tuple[str, float] | None:
        """Say how the COMMIT of `role` that is here now is to be cut, if it is."""
        with self._lock:
            for order in self._armed:
                if order[1] == role:
                    self._armed.remove(order)
                    return order[0], self._chance.uniform(*_LATE_SECONDS)
        return None


class _Link:
    """One connection that is passed through."""

    def __init__(
        self,
        client: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        take: Callable[[str], tuple[str, float] | None],
    ) -> None:
        self._client, self._back = client, back
        self._answers, self._server = answers, server
        self._take = take
        self._listener = Listener()

    async def run(self) -> Cut | None:
        """Pass on until either side hangs up, or a COMMIT is cut."""
        answering = asyncio.ensure_future(self._pass_answers())
        asking = asyncio.ensure_future(self._pass_questions(answering))
        await asyncio.wait({answering, asking}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done() and not answering.cancelled():
            asking.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            return await asking
        answering.cancel()
        return None

    async def _pass_answers(self) -> None:
        with contextlib.suppress(OSError):
            while data := await self._answers.read(_CHUNK):
                self._back.write(data)
                await self._back.drain()

    async def _pass_questions(self, answering: asyncio.Future[None]) -> Cut | None:
        try:
            while data := await self._client.read(_CHUNK):
                for message in self._listener.feed(data):
                    order = None
                    if self._listener.is_commit(message):
                        order = self._take(self._listener.role)
                    if order is not None:
                        return await self._cut(*order, message.raw, answering)
                    self._server.write(message.raw)
                await self._server.drain()
            return None
        finally:
            answering.cancel()

    async def _cut(
        self, way: str, pause: float, commit: bytes, answering: asyncio.Future[None]
    ) -> Cut:
        """Part the two; the server is left to do or to undo, and is asked which it was."""
        answering.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answering
        if way == BEFORE:
            return Cut(self._listener.role, way, was_done=False)
        if way == LATE:
            self._back.transport.abort()
            await asyncio.sleep(pause)
        self._server.write(commit)
        said = b""
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                while READY not in said and (data := await self._answers.read(_CHUNK)):
                    said += data
        return Cut(self._listener.role, way, was_done=COMMITTED in said)
