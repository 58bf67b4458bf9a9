"""The front reads bodies within a size and a deadline, and hands the portal whole requests only."""

from __future__ import annotations

import asyncio
import io
import tempfile
import threading
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from webapp import front
from webapp.front import REFUSED, Front, Message, client_of, environ_of

LIMIT = 1000
Step = Callable[[], Awaitable[Message]]


def a_scope(*headers: tuple[bytes, bytes], **also: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "raw_path": b"/orders",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "server": ("127.0.0.1", "8000"),
        "client": ("192.0.2.7", "41000"),
        **also,
    }


class Portal:
    """A WSGI portal that remembers what it was asked, and answers with `pieces`."""

    def __init__(self, pieces: Iterable[bytes] = (b"well",)) -> None:
        self.asked: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.pieces = pieces
        self.closed: list[int] = []
        self.sent: list[Message] = []
        self.before_close: Callable[[], object] = lambda: None

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append(environ)
        self.bodies.append(environ["wsgi.input"].read())
        start("201 CREATED", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return Given(self)


class Given:
    """The portal's answer, which notes how much had been sent when it was closed."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def __iter__(self) -> Iterator[bytes]:
        yield from self._portal.pieces

    def close(self) -> None:
        self._portal.before_close()
        self._portal.closed.append(len(self._portal.sent))


def pieces(*parts: bytes, cut: bool = False) -> list[Message]:
    told: list[Message] = [
        {"type": "http.request", "body": part, "more_body": cut or part is not parts[-1]}
        for part in parts
    ]
    return [*told, {"type": "http.disconnect"}] if cut else told


async def ask(
    door: Front, portal: Portal, scope: dict[str, Any], messages: list[Message]
) -> list[Message]:
    """Ask once; a sender whose messages are used up sends nothing more for ever."""
    waiting = iter(messages)

    async def receive() -> Message:
        for message in waiting:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        portal.sent.append(message)

    await door(scope, receive, send)
    return portal.sent


def played(
    door: Front, portal: Portal, scope: dict[str, Any], messages: list[Message]
) -> list[Message]:
    """Ask once, then stop the server, so that all is done that is done after an answer."""

    async def play() -> list[Message]:
        try:
            return await ask(door, portal, scope, messages)
        finally:
            await stopped(door)

    return asyncio.run(play())


async def stopped(door: Front) -> list[str]:
    told: list[str] = []
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Message:
        return {"type": next(messages)}

    async def send(message: Message) -> None:
        told.append(message["type"])

    await door({"type": "lifespan"}, receive, send)
    return told


def asked_once(scope: dict[str, Any], messages: list[Message], **limits: Any) -> Portal:
    portal = Portal()
    played(Front(portal, limit=LIMIT, **limits), portal, scope, messages)
    return portal


CHUNKED = (b"transfer-encoding", b"chunked")


def length(size: int) -> tuple[bytes, bytes]:
    return b"content-length", str(size).encode()


def test_a_body_in_pieces_comes_whole_with_its_length() -> None:
    for told in (CHUNKED, length(6)):
        portal = asked_once(a_scope(told), pieces(b"abc", b"d", b"ef"))
        assert portal.bodies == [b"abcdef"]
        assert portal.asked[0]["CONTENT_LENGTH"] == "6"
        assert "HTTP_TRANSFER_ENCODING" not in portal.asked[0]
        assert REFUSED not in portal.asked[0]


def test_an_empty_body_is_told_as_one_and_no_body_as_none() -> None:
    assert asked_once(a_scope(length(0)), []).asked[0]["CONTENT_LENGTH"] == "0"
    assert asked_once(a_scope(CHUNKED), pieces(b"")).asked[0]["CONTENT_LENGTH"] == "0"
    assert "CONTENT_LENGTH" not in asked_once(a_scope(method="GET"), []).asked[0]


@pytest.mark.parametrize(
    ("told", "messages", "status"),
    [
        (length(50), pieces(b"abcd", b"")[:1], 408),
        (CHUNKED, pieces(b"abcd", b"")[:1], 408),
        (CHUNKED, [], 408),
        (length(LIMIT + 1), pieces(b"x" * LIMIT, b"x"), 413),
        (length(front.READ_AWAY + 1), [], 413),
        (CHUNKED, pieces(b"x" * LIMIT, b" "), 413),
        (CHUNKED, pieces(b"x" * front.READ_AWAY, b"x", b"x"), 413),
        (length(50), pieces(b"abcd", cut=True), 400),
        (CHUNKED, pieces(b"abcd", cut=True), 400),
        ((b"content-length", b"3,3"), [], 400),
    ],
)
def test_what_does_not_come_as_it_must_is_told_and_never_cut(
    told: tuple[bytes, bytes], messages: list[Message], status: int
) -> None:
    portal = asked_once(a_scope(told), messages, seconds=0.05)
    assert portal.asked[0][REFUSED] == status
    assert portal.bodies == [b""]
    assert (b"connection", b"close") in portal.sent[0]["headers"]


def test_a_body_of_just_the_limit_is_taken() -> None:
    portal = asked_once(a_scope(CHUNKED), pieces(b"x" * LIMIT, b""))
    assert portal.bodies == [b"x" * LIMIT]


def test_who_asks_for_leave_to_send_too_much_gets_none() -> None:
    scope = a_scope(length(LIMIT + 1), (b"expect", b"100-continue"))
    portal = asked_once(scope, [], seconds=60)
    assert portal.asked[0][REFUSED] == 413


def test_the_bodies_read_at_once_are_bounded_for_an_address_and_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(front, "AT_ONCE", 3)
    monkeypatch.setattr(front, "AT_ONCE_EACH", 2)
    portal = Portal()

    async def play() -> list[object]:
        door = Front(portal, limit=LIMIT, seconds=0.2)

        async def one(address: str, messages: list[Message]) -> None:
            scope = a_scope(length(5), client=(address, "1"))
            await ask(door, portal, scope, messages)

        async with asyncio.TaskGroup() as held:
            for address in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"):
                held.create_task(one(address, []))
        held_status = sorted(asked[REFUSED] for asked in portal.asked)
        await one("192.0.2.1", pieces(b"later"))
        return held_status

    assert asyncio.run(play()) == [408, 408, 408, 503, 503]
    assert portal.bodies[-1] == b"later"


def test_held_bodies_hold_no_thread_of_the_portal() -> None:
    portal = Portal()

    async def play() -> int:
        door = Front(portal, limit=LIMIT, seconds=60)
        held = [
            asyncio.create_task(ask(door, portal, a_scope(length(9)), []))
            for _ in range(front.AT_ONCE_EACH)
        ]
        await asyncio.sleep(0)
        await ask(door, portal, a_scope(method="GET"), [])
        for one in held:
            one.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        return sum(thread.name.startswith("web_") for thread in threading.enumerate())

    assert asyncio.run(play()) >= 1
    assert len(portal.asked) == 1


def test_the_answer_goes_out_whole_before_what_is_done_after_it() -> None:
    portal = asked_once(a_scope(method="GET"), [])
    begin, body = portal.sent
    assert begin["status"] == 201
    assert begin["headers"] == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    assert body["body"] == b"well"
    assert portal.closed == [2]


def test_a_long_answer_goes_out_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    portal = Portal([b"x" * 1000] * 2000)
    played(Front(portal, limit=LIMIT), portal, a_scope(method="GET"), [])
    pieces = portal.sent[1:]
    assert b"".join(piece["body"] for piece in pieces) == b"x" * 2_000_000
    assert max(len(piece["body"]) for piece in pieces) == front.PIECE
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [
        False
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_long_answer_never_stands_in_memory() -> None:
    portal, taken = Portal(b"x" * 100_000 for _ in range(200)), [0]

    async def send(message: Message) -> None:
        taken[0] += len(message.get("body", b""))

    async def receive() -> Message:
        return {"type": "http.request"}

    tracemalloc.start()
    try:
        asyncio.run(Front(portal, limit=LIMIT)(a_scope(method="GET"), receive, send))
        assert tracemalloc.get_traced_memory()[1] < 4 * front.IN_MEMORY
    finally:
        tracemalloc.stop()
    assert taken == [20_000_000]


def test_a_file_goes_out_by_its_path_and_a_part_of_one_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "page.css"
    path.write_bytes(b"0123456789" * 10_000)

    def answering(file: Any) -> Callable[..., Iterable[bytes]]:
        def portal(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            start("200 OK", [])
            given: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
            return given

        return portal

    def sent_by(file: Any) -> Message:
        told = Portal()
        door = Front(answering(file), limit=LIMIT)
        return played(door, told, a_scope(method="GET"), [])[1]

    with path.open("rb") as whole:
        assert sent_by(whole) == {"type": "http.response.pathsend", "path": str(path)}
        assert whole.closed
    assert sent_by(io.BytesIO(b"345"))["body"] == b"345"
    path.write_bytes(b"short")
    with path.open("rb") as short:
        assert sent_by(short)["body"] == b"short"


def test_a_portal_that_fails_on_the_way_is_closed_and_nothing_of_it_is_sent() -> None:
    def failing() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    portal = Portal(failing())
    with pytest.raises(ZeroDivisionError):
        played(Front(portal, limit=LIMIT), portal, a_scope(method="GET"), [])
    assert portal.sent == []
    assert portal.closed == [0]


def test_the_servers_stop_waits_for_what_is_done_after_answers() -> None:
    portal, may_end = Portal(), threading.Event()

    async def play() -> list[str]:
        door = Front(portal, limit=LIMIT)
        portal.before_close = may_end.wait
        await ask(door, portal, a_scope(method="GET"), [])
        threading.Timer(0.05, may_end.set).start()
        return await stopped(door)

    assert asyncio.run(play()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert portal.closed == [2]


def test_a_request_is_told_as_wsgi_has_it() -> None:
    environ = environ_of(
        a_scope(
            (b"content-type", b"text/plain"),
            (b"x-name", b"\xc3\xa9"),
            (b"x_name", b"passes for the other"),
            (b"accept", b"a"),
            (b"accept", b"b"),
            (b"cookie", b"a=1"),
            (b"cookie", b"b=2"),
            raw_path=b"/a%2Fb%20%C3%A9%ff;p",
            query_string=b"x=%41+b",
        )
    )
    told = {
        "PATH_INFO": "/a/b \u00c3\u00a9\u00ff;p",
        "QUERY_STRING": "x=%41+b",
        "CONTENT_TYPE": "text/plain",
        "HTTP_X_NAME": "\u00c3\u00a9",
        "HTTP_ACCEPT": "a,b",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "192.0.2.7",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    assert {name: environ[name] for name in told} == told


@pytest.mark.parametrize(
    ("address", "forwarded", "proxies", "client"),
    [
        ("192.0.2.7", "198.51.100.9", 0, "192.0.2.7"),
        ("192.0.2.7", "203.0.113.1, 198.51.100.9", 1, "198.51.100.9"),
        ("192.0.2.7", "203.0.113.1, 198.51.100.9", 2, "203.0.113.1"),
        ("192.0.2.7", "", 2, "192.0.2.7"),
        ("2001:db8:1:2:3::4", "", 0, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "", 0, "192.0.2.7"),
        ("192.0.2.7", "unknown", 1, "unknown"),
    ],
)
def test_the_client_is_whom_the_trusted_proxies_name(
    address: str, forwarded: str, proxies: int, client: str
) -> None:
    environ = {"REMOTE_ADDR": address, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_of(environ, proxies) == client
