"""The client's side of Postgres' protocol, cut into messages: just enough to know a COMMIT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_LENGTH = 4
#: Codes that stand where a protocol version would, after which another first message follows.
_ASKS_FOR_TLS, _ASKS_FOR_GSS, _CANCELS = 80877103, 80877104, 80877102
_WRITES = re.compile(
    rb"\bINSERT\s+INTO\b|\bDELETE\s+FROM\b|(?<!FOR\s)(?<!KEY\s)\bUPDATE\s+[a-z_]", re.IGNORECASE
)
_ENDS = re.compile(rb"\s*(COMMIT|ROLLBACK|BEGIN)\b", re.IGNORECASE)
#: What a server says when a COMMIT has been done.
COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
READY = b"Z\x00\x00\x00\x05"


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was sent; `kind` is empty for what comes before the conversation."""

    kind: bytes
    body: bytes
    raw: bytes


@dataclass
class Listener:
    """Follows one connection: who it is, and whether its open transaction has written anything."""

    role: str = ""
    has_written: bool = False
    _buffer: bytes = b""
    _is_open: bool = False
    _writing: set[bytes] = field(default_factory=set)

    def feed(self, data: bytes) -> Iterator[Message]:
        """Give the whole messages that `data` completes."""
        self._buffer += data
        while (size := self._next_size()) is not None and len(self._buffer) >= size:
            raw, self._buffer = self._buffer[:size], self._buffer[size:]
            yield self._message(raw)

    def is_commit(self, message: Message) -> bool:
        """Whether a message ends a transaction that has written; to be asked of each, in order."""
        if message.kind == b"Q":
            return self._asked(message.body)
        if message.kind == b"P":
            name, _, rest = message.body.partition(b"\0")
            self._writing.discard(name)
            if _WRITES.search(rest):
                self._writing.add(name)
        elif message.kind == b"B":
            name = message.body.split(b"\0", 2)[1]
            self.has_written = self.has_written or name in self._writing
        return False

    def _asked(self, statement: bytes) -> bool:
        if not _ENDS.match(statement):
            self.has_written = self.has_written or bool(_WRITES.search(statement))
            return False
        is_commit = self.has_written and statement.lstrip().upper().startswith(b"COMMIT")
        self.has_written = False
        return is_commit

    def _next_size(self) -> int | None:
        """Return the size of the message that begins the buffer, None while that is not known."""
        head = 1 if self._is_open else 0
        if len(self._buffer) < head + _LENGTH:
            return None
        return head + int.from_bytes(self._buffer[head : head + _LENGTH], "big")

    def _message(self, raw: bytes) -> Message:
        if self._is_open:
            return Message(raw[:1], raw[1 + _LENGTH :], raw)
        code = int.from_bytes(raw[_LENGTH : 2 * _LENGTH], "big")
        if code not in {_ASKS_FOR_TLS, _ASKS_FOR_GSS, _CANCELS}:
            self._is_open = True
            words = raw[2 * _LENGTH :].split(b"\0")
            told = dict(zip(words[::2], words[1::2], strict=False))
            self.role = told.get(b"user", b"").decode()
        return Message(b"", raw[_LENGTH:], raw)
