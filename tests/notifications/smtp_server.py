"""A mail server of few words, for the tests: takes mails, or refuses them as it is told."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self


@dataclass
class MailServer:
    """Listens on `port`; `letters` are those it took, `refuse` is said instead of taking one."""

    refuse: str = ""
    letters: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        """Its address as SMTP_URL names it."""
        return f"smtp://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as wire:
                self._talk(wire)  # type: ignore[arg-type]

    def _talk(self, wire: socket.SocketIO) -> None:
        def say(text: str) -> None:
            wire.write(text.encode() + b"\r\n")
            wire.flush()

        say("220 ready")
        for line in iter(wire.readline, b""):
            word = line[:4].upper().strip()
            if word == b"RCPT" and self.refuse:
                say(self.refuse)
            elif word == b"DATA":
                say("354 go on")
                self._take(wire)
                say("250 taken")
            elif word == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 yes")

    def _take(self, wire: socket.SocketIO) -> None:
        lines = []
        while (line := wire.readline()) != b".\r\n":
            lines.append(line)
        letter = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
