"""What clients saw, in its order: one line an entry, on disk before they go on.

An entry's `type` is `invoke` (about to try), `ok` (it was acknowledged), `fail` (it surely was not
done) or `info` (nobody told: it may have been done or not).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INVOKE, OK, FAIL, INFO = "invoke", "ok", "fail", "info"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when (Unix seconds), who, what, how it stands, and what else is known of it."""

    at: float
    client: str
    act: str
    type: str
    told: dict[str, Any]


class Writer:
    """Appends entries for any number of threads; each is on disk when `note` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def note(self, client: str, act: str, type_: str, **told: Any) -> None:
        """Append one entry and have it written to the disk."""
        entry = {"at": time.time(), "client": client, "act": act, "type": type_, **told}
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def read(path: Path) -> Iterator[Entry]:
    """Give the entries of a history; a last line that a kill cut short was never acknowledged."""
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return
        fields = json.loads(line)
        head = {name: fields.pop(name) for name in ("at", "client", "act", "type")}
        yield Entry(**head, told=fields)
